//! Tests of what holds for every module of ours, and for those in `examples/`.
#![forbid(unsafe_code)]

mod builds;
mod denied;
mod exports;
mod hello;
mod loaded;
mod owner;
mod parameters;
mod tiny;
mod told;
