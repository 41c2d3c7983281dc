//! Tests of what is installed on a machine, and of what the public forge runs. The
//! scripts run with programs that only record how they were called.
#![forbid(unsafe_code)]

mod fakes;
mod forge;
mod oldest_rust;
mod packages;
mod parts;
