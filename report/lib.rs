//! The results of the benchmark and of the long runs, and the pages that show them.
//!
//! Each kind of run keeps its results in a JSON file in `docs/`, from which a part of a
//! page beside it is written: [`benchmarks`] and [`proof`]. A run passes its results to
//! `keep`. The program of this package rewrites the pages from the files. Nothing here
//! measures or starts a server, so a page can change without a run, and a test finds a
//! page that does not show what its file says.
#![forbid(unsafe_code)]

pub mod benchmarks;
pub mod machine;
pub mod page;
pub mod proof;
