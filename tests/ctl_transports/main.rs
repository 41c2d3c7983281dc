//! `ctl` on a real Kamailio: every transport, every parameter, its own commands, slow
//! clients and many clients.
#![forbid(unsafe_code)]

use harness::ctl_listeners as listeners;

mod addresses;
mod closing;
mod counts;
mod datagrams;
mod differential;
mod kamcmd;

mod limits;
mod line_answers;
mod line_framing;
mod line_requests;
mod line_rule;
mod listing;
mod owner;
mod parameters;
mod pipes;
mod places;
mod reply_pipes;
mod slow;
mod starts;
mod turns;
mod wrong_addresses;
