//! Who is told how far a run is.

/// Told how far a run is, from any thread.
pub trait Progress: Sync {
    /// So many more bytes were handled.
    fn bytes(&self, bytes: u64) {
        let _ = bytes;
    }

    /// An analyser has made something of the file at `path`, while its layer
    /// is still being read.
    fn evidence(&self, analyser: &str, path: &str) {
        let _ = (analyser, path);
    }

    /// What is being done now.
    fn label(&self, text: &str) {
        let _ = text;
    }
}

/// Nobody is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
