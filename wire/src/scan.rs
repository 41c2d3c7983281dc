//! How far an incomplete request has been searched.

/// What is known of the start of a request, so that one that comes byte by byte is not
/// searched from its start each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanState {
    /// The number of bytes that need no second search.
    pub at: usize,
    /// The number of brackets that are open there.
    pub depth: usize,
    /// Whether that position is inside a string.
    pub in_text: bool,
}
