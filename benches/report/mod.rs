//! What was measured, kept in a file, and the document and the chart that show
//! it.

mod aims;
mod chart;
mod document;
mod results;
#[cfg(test)]
mod tests;

pub(crate) use results::{Results, Row, Spread};
