//! What holds for every module of ours, and for the one in `examples/`.
#![forbid(unsafe_code)]

mod example;
mod exports;
