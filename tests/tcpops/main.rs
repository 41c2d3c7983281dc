//! The module `tcpops` in a real Kamailio.
#![forbid(unsafe_code)]

mod bad_use;
mod close;
mod differential;
mod event_faults;
mod events;
mod events_inside;
mod examples;
mod faults;
mod keepalive;
mod kemi;
mod lifetime;
mod lookup;
mod many;
mod outbound;
mod proxied;
mod script;
