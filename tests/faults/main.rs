//! Tests of docs/faults.md on a real Kamailio: whatever fails in the course of a
//! request costs that request at most.
#![forbid(unsafe_code)]

mod datagrams;
mod disk;
mod everywhere;
mod forged;
mod full;
mod gone;
mod handlers;
mod limits;
mod memory;
mod panics;
mod pipes;
mod private_memory;
mod remade;
mod settings;
mod shared_memory;
mod short;
mod start;
mod start_calls;
mod system_calls;
mod unfinished;
