//! Probes that the system sends over silent connections.

use std::os::fd::AsFd;
use std::time::Duration;

use kamailio::core::args::Args;
use kamailio::core::message::Message;
use kamailio::core::tcp::Connection;
use kamailio::core::{Error, log_limited};
use rustix::io::Errno;
use rustix::net::sockopt;

use crate::function::{Function, Refusal, current, numbered};

static ENABLE: Function = Function::new("tcp_keepalive_enable");
static DISABLE: Function = Function::new("tcp_keepalive_disable");

/// The script function `tcp_keepalive_enable("60", "5", "5")`.
pub(crate) fn enable(message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    ENABLE.answer(|| {
        let probes = Probes::read(args, 0)?;
        probes.begin(&current(message)?)
    })
}

/// The script function `tcp_keepalive_enable("$conid", "60", "5", "5")`.
pub(crate) fn enable_of(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    ENABLE.answer(|| {
        let probes = Probes::read(args, 1)?;
        probes.begin(&numbered(args.int(0)?, -1)?)
    })
}

/// The script function `tcp_keepalive_disable()`.
pub(crate) fn disable(message: &mut Message<'_>, _args: &Args<'_>) -> i32 {
    DISABLE.answer(|| end(&current(message)?))
}

/// The script function `tcp_keepalive_disable("$conid")`.
pub(crate) fn disable_of(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    DISABLE.answer(|| end(&numbered(args.int(0)?, -1)?))
}

/// The times at which probes are sent.
struct Probes {
    /// The seconds of silence before the first probe.
    idle: i32,
    /// The number of unanswered probes that end the connection.
    count: i32,
    /// The seconds between two probes.
    interval: i32,
}

impl Probes {
    fn read(args: &Args<'_>, first: usize) -> Result<Self, Error> {
        Ok(Probes {
            idle: args.int(first)?,
            count: args.int(first + 1)?,
            interval: args.int(first + 2)?,
        })
    }

    /// Sets the options. As in C, an option that the system refuses stays as it was,
    /// which is no failure for the script.
    fn begin(&self, connection: &Connection) -> Result<i32, Refusal> {
        let descriptor = connection.descriptor()?;
        let socket = descriptor.as_fd();
        sockopt::set_socket_keepalive(socket, true)
            .map_err(|errno| refused("keepalive cannot be enabled", errno))?;
        let idle = seconds(self.idle).and_then(|idle| sockopt::set_tcp_keepidle(socket, idle));
        let count = u32::try_from(self.count)
            .map_err(|_| Errno::INVAL)
            .and_then(|count| sockopt::set_tcp_keepcnt(socket, count));
        let interval =
            seconds(self.interval).and_then(|time| sockopt::set_tcp_keepintvl(socket, time));
        for (name, value, set) in [
            ("idle time", self.idle, idle),
            ("number of probes", self.count, count),
            ("interval", self.interval, interval),
        ] {
            if let Err(errno) = set {
                log_limited!(
                    Error,
                    "tcp_keepalive_enable: the system does not take {value} as {name}: {errno}"
                );
            }
        }
        Ok(1)
    }
}

fn end(connection: &Connection) -> Result<i32, Refusal> {
    let descriptor = connection.descriptor()?;
    sockopt::set_socket_keepalive(&descriptor, false)
        .map_err(|errno| refused("keepalive cannot be disabled", errno))?;
    Ok(1)
}

fn seconds(number: i32) -> Result<Duration, Errno> {
    u64::try_from(number)
        .map(Duration::from_secs)
        .map_err(|_| Errno::INVAL)
}

fn refused(what: &str, errno: Errno) -> Error {
    Error::new(format!("{what}: {errno}"))
}
