//! Names in /tmp that nobody else has.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A path of this process; what is made there is removed with it.
///
/// Its last part has no dot, for reply pipes may not.
#[derive(Debug)]
pub struct OwnPath(PathBuf);

impl OwnPath {
    /// A new one, at which nothing is.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(format!("/tmp/ksr-reply-{}-{number}", std::process::id()).into())
    }

    /// The whole path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its last part.
    ///
    /// # Panics
    ///
    /// Never: it has one.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.0.file_name().and_then(|name| name.to_str());
        name.expect("it was made of text")
    }
}

impl Default for OwnPath {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        // Nothing depends on it: the name is never used again.
        let _ = fs::remove_file(&self.0);
    }
}
