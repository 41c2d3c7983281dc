//! What is installed on a machine, and what the public forge runs: the scripts
//! are run with programs that only tell how they were called.
#![forbid(unsafe_code)]

mod fakes;
mod forge;
mod oldest_rust;
mod packages;
mod parts;
