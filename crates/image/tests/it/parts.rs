//! Files of which parts are looked at: copied while a layer streams by, taken
//! as they are where they lie open.

use std::{fs, os::unix::fs::FileExt};

use seawall_image::{
    Analyser, Body, Entry, Interest, Limits, Need, NoProgress, Options, Source, open,
};

/// Keeps the last four bytes of programs.
struct Tail;

impl Analyser for Tail {
    fn name(&self) -> &'static str {
        "tail"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Magic(b"\x7FELF"), Interest::Suffix(".part")]
    }

    fn need(&self) -> Need {
        Need::Seek(1 << 30)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let mut tail = [0; 4];
        match body {
            Body::Bytes(bytes) => tail.copy_from_slice(&bytes[bytes.len() - 4..]),
            Body::File(file, length) => file.read_exact_at(&mut tail, length - 4).unwrap(),
        }
        Ok(Some(tail.to_vec()))
    }
}

#[test]
fn a_file_that_lies_open_is_not_copied() {
    let root = tempfile::tempdir().unwrap();
    let large = |head: &[u8], tail: &[u8]| {
        let mut bytes = head.to_vec();
        bytes.resize(6 << 20, b'x');
        bytes.extend(tail);
        bytes
    };
    fs::write(root.path().join("program"), large(b"\x7FELF", b"one.")).unwrap();
    fs::write(root.path().join("a.part"), large(b"text", b"two.")).unwrap();
    fs::write(root.path().join("small.part"), b"three.").unwrap();
    fs::write(root.path().join("other"), large(b"none", b"four")).unwrap();
    let options = Options {
        analysers: &[&Tail],
        platform: None,
        cache: None,
        // No room for any copy.
        limits: Limits {
            spool_bytes: 0,
            ..Limits::default()
        },
        progress: &NoProgress,
    };
    let view = open(Source::RootFs(root.path().to_owned()), &options)
        .unwrap()
        .view;
    let found: Vec<(&str, &[u8])> = view
        .files
        .iter()
        .map(|file| (file.path.as_str(), &*file.data))
        .collect();
    let want: [(&str, &[u8]); 3] = [
        ("a.part", b"two."),
        ("program", b"one."),
        ("small.part", b"ree."),
    ];
    assert_eq!(found, want);
    assert_eq!(view.gaps, []);
}
