//! What the benchmark and the long runs found, and the pages that show it.
//!
//! Each kind of run has its results in a JSON file in `docs/`, and a part of a page beside it
//! that is written from that file: [`benchmarks`] and [`proof`]. A run hands its results to
//! `keep`; the program of this package writes the pages again from what is kept. Nothing here
//! measures or starts a server, so a page changes without a run, and a test finds one that does
//! not show what its file says.
#![forbid(unsafe_code)]

pub mod benchmarks;
pub mod machine;
pub mod page;
pub mod proof;
