//! The measured results, which are kept in a file, and the document and the chart that
//! show them.

mod aims;
mod chart;
mod document;
mod results;
#[cfg(test)]
mod tests;

pub(crate) use results::{Results, Row, Spread};
