//! The commands of the old Management Interface on today's Kamailio.
#![forbid(unsafe_code)]

mod aliases;
mod dialogs;
mod oracle;
mod parameters;
mod requests;
