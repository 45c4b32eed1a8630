//! Bounds on hostile input.

/// Bounds on hostile input. Whatever meets one is refused or becomes a gap
/// that names it; the defaults leave room for the largest real images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Uncompressed bytes of one layer.
    pub layer_bytes: u64,
    /// Entries of one layer.
    pub layer_entries: u64,
    /// Bytes of evidence kept of one layer.
    pub layer_evidence: u64,
    /// Bytes of evidence kept of all layers together.
    pub image_evidence: u64,
    /// Bytes kept to know which paths a layer replaces.
    pub layer_paths: usize,
    /// Bytes behind a tar's end marker that are still read. Tools pad to some
    /// kilobytes; a bomb of zeros goes on.
    pub trailing_bytes: u64,
    /// Zeros that the holes of sparse files in one tar stand for, where the
    /// files are wanted.
    pub hole_bytes: u64,
    /// Bytes of one path or link target.
    pub path_bytes: usize,
    /// Bytes of one PAX header or GNU long name.
    pub header_bytes: usize,
    /// Bytes of one JSON document: manifests, indexes, configurations.
    pub json_bytes: u64,
    /// Bytes of all JSON documents of an archive that comes as a stream, where
    /// they must be kept until the manifest has come.
    pub documents_bytes: u64,
    /// Bytes of an archive that comes as a stream, once unpacked: a pipe need
    /// not end.
    pub archive_bytes: u64,
    /// Entries of an outer archive.
    pub archive_entries: usize,
    /// Layers of an image.
    pub layers: usize,
    /// Bytes held in temporary files at one time.
    pub spool_bytes: u64,
    /// Entries of a root file system or a project.
    pub tree_entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            layer_bytes: 64 << 30,
            layer_entries: 20_000_000,
            layer_evidence: 256 << 20,
            image_evidence: 1 << 30,
            layer_paths: 256 << 20,
            trailing_bytes: 16 << 20,
            hole_bytes: 8 << 30,
            path_bytes: 4096,
            header_bytes: 1 << 20,
            json_bytes: 16 << 20,
            documents_bytes: 64 << 20,
            archive_bytes: 256 << 30,
            archive_entries: 100_000,
            layers: 1024,
            spool_bytes: 2 << 30,
            tree_entries: 50_000_000,
        }
    }
}
