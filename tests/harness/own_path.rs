//! Paths in /tmp that nobody else uses.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A path of this process. Whatever is made there is removed when this is dropped.
///
/// Its last component has no dot, because the names of reply pipes may not.
#[derive(Debug)]
pub struct OwnPath(PathBuf);

impl OwnPath {
    /// A new path, at which nothing exists.
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

    /// Its last component.
    ///
    /// # Panics
    ///
    /// This never happens, because there is one.
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
        // Nothing depends on the removal, because the name is never used again.
        let _ = fs::remove_file(&self.0);
    }
}
