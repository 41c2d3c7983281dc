//! The lifetime of a connection, the report of its end, and the connection by which a
//! message leaves.

use kamailio::core::args::Args;
use kamailio::core::message::Message;
use kamailio::core::tcp::Connection;

use crate::events;
use crate::function::{Function, Refusal, current, numbered};

static SET_LIFETIME: Function = Function::new("tcp_set_connection_lifetime");
static TELL_END: Function = Function::new("tcp_enable_closed_event");
static SET_OUTBOUND: Function = Function::new("tcp_set_otcpid");
static USE_OUTBOUND: Function = Function::new("tcp_set_otcpid_flag");
static CLOSE: Function = Function::new("tcp_close_connection");

/// The result of two functions if their connection is not known. It ends the script, as
/// it does with the C module.
const ENDS_THE_SCRIPT: i32 = 0;

/// The script function `tcp_set_connection_lifetime("3600")`.
pub(crate) fn set_lifetime(message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    SET_LIFETIME.answer(|| {
        let seconds = args.int(0)?;
        live_for(&current(message)?, seconds)
    })
}

/// The script function `tcp_set_connection_lifetime("$conid", "3600")`.
pub(crate) fn set_lifetime_of(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    SET_LIFETIME.answer(|| {
        let (id, seconds) = (args.int(0)?, args.int(1)?);
        live_for(&numbered(id, ENDS_THE_SCRIPT)?, seconds)
    })
}

fn live_for(connection: &Connection, seconds: i32) -> Result<i32, Refusal> {
    let Ok(seconds) = u32::try_from(seconds) else {
        return Err(format!("a lifetime of {seconds} seconds is not 0 or more").into());
    };
    connection.set_lifetime(seconds);
    Ok(1)
}

/// The script function `tcp_enable_closed_event()`.
pub(crate) fn tell_end(message: &mut Message<'_>, _args: &Args<'_>) -> i32 {
    TELL_END.answer(|| {
        if !events::only_where_asked() {
            return Err("it needs the parameter closed_event to be 2".into());
        }
        current(message)?.mark();
        Ok(1)
    })
}

/// The script function `tcp_enable_closed_event("$conid")`.
pub(crate) fn tell_end_of(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    TELL_END.answer(|| {
        numbered(args.int(0)?, ENDS_THE_SCRIPT)?.mark();
        Ok(1)
    })
}

/// The script function `tcp_set_otcpid("$var(conid)")`.
pub(crate) fn set_outbound(message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    SET_OUTBOUND.answer(|| {
        message.set_outbound_connection(args.int(0)?);
        Ok(1)
    })
}

/// The script function `tcp_set_otcpid_flag("1")`.
pub(crate) fn use_outbound(message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    USE_OUTBOUND.answer(|| {
        message.use_outbound_connection(args.int(0)? != 0);
        Ok(1)
    })
}

/// The script function `tcp_close_connection()`.
pub(crate) fn close(message: &mut Message<'_>, _args: &Args<'_>) -> i32 {
    CLOSE.answer(|| end(message.connection_id()))
}

/// The script function `tcp_close_connection("$var(conid)")`.
pub(crate) fn close_of(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    CLOSE.answer(|| end(args.int(0)?))
}

fn end(id: i32) -> Result<i32, Refusal> {
    numbered(id, -1)?
        .close()
        .map_err(|error| Refusal::new(-2, error))?;
    Ok(1)
}
