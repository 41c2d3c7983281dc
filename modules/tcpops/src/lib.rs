//! Control of single TCP, TLS and WebSocket connections from the routing
//! script.
//!
//! `function` has the common parts of all script functions, which are in `keepalive`,
//! `control` and `lookup`. `variables` has `$tcp(...)`, and `events` the event routes
//! of connections that ended.
#![deny(unsafe_code)]

mod control;
mod events;
mod function;
mod keepalive;
mod lookup;
mod variables;

// The expansion of the declaration is the module's only unsafe code.
#[allow(unsafe_code)]
mod exports {
    use crate::control::{
        close, close_of, set_lifetime, set_lifetime_of, set_outbound, tell_end, tell_end_of,
        use_outbound,
    };
    use crate::events;
    use crate::keepalive::{disable, disable_of, enable, enable_of};
    use crate::lookup::{address_alive, alive, find, state};
    use crate::variables::{get_tcp, parse_tcp};

    kamailio::module! {
        name: "tcpops",
        parameters: [
            "closed_event" => Int(events::set_mode) = 1,
            "event_callback" => Str(events::set_callback) = None,
        ],
        functions: [
            "tcp_conid_alive" => alive(Int) in ANY_ROUTE,
            "tcp_conid_state" => state(Int) in ANY_ROUTE,
            "tcp_con_alive" => address_alive(Text) in ANY_ROUTE,
            "tcp_get_conid" => find(Text, Variable) in ANY_ROUTE,
            "tcp_keepalive_enable" => enable_of(Int, Int, Int, Int) in ANY_ROUTE,
            "tcp_keepalive_enable" => enable(Int, Int, Int) in REQUEST_ROUTE | ONREPLY_ROUTE,
            "tcp_keepalive_disable" => disable_of(Int) in ANY_ROUTE,
            "tcp_keepalive_disable" => disable() in REQUEST_ROUTE | ONREPLY_ROUTE,
            "tcp_set_connection_lifetime" => set_lifetime_of(Int, Int) in ANY_ROUTE,
            "tcp_set_connection_lifetime" => set_lifetime(Int) in REQUEST_ROUTE | ONREPLY_ROUTE,
            "tcp_enable_closed_event" => tell_end_of(Int) in ANY_ROUTE,
            "tcp_enable_closed_event" => tell_end() in REQUEST_ROUTE | ONREPLY_ROUTE,
            "tcp_set_otcpid" => set_outbound(Int) in ANY_ROUTE,
            "tcp_set_otcpid_flag" => use_outbound(Int) in ANY_ROUTE,
            "tcp_close_connection" => close_of(Int) in ANY_ROUTE,
            "tcp_close_connection" => close() in ANY_ROUTE,
        ],
        variables: [
            "tcp" => get_tcp, parse_tcp;
        ],
        kemi: [
            "tcp_conid_alive" => alive(Int) -> Int,
            "tcp_conid_state" => state(Int) -> Int,
            "tcp_con_alive" => address_alive(Text) -> Int,
            "tcp_get_conid" => find(Text, Variable) -> Int,
            "tcp_keepalive_enable" => enable(Int, Int, Int) -> Int,
            "tcp_keepalive_enable_cid" => enable_of(Int, Int, Int, Int) -> Int,
            "tcp_keepalive_disable" => disable() -> Int,
            "tcp_keepalive_disable_cid" => disable_of(Int) -> Int,
            "tcp_set_connection_lifetime" => set_lifetime(Int) -> Int,
            "tcp_set_connection_lifetime_cid" => set_lifetime_of(Int, Int) -> Int,
            "tcp_enable_closed_event" => tell_end() -> Int,
            "tcp_enable_closed_event_cid" => tell_end_of(Int) -> Int,
            "tcp_set_otcpid" => set_outbound(Int) -> Int,
            "tcp_set_otcpid_flag" => use_outbound(Int) -> Int,
            "tcp_close_connection" => close() -> Int,
            "tcp_close_connection_id" => close_of(Int) -> Int,
        ],
        hooks: [ init: events::init ],
    }
}
