//! Streams that do not end, and a socket that says nothing.

use std::{
    fs,
    io::{self, Write},
    os::unix::net::UnixListener,
    process::ChildStdin,
};

use super::{
    Bounded,
    craft::{base_256, entry, header, octal, pax},
    need, refused,
};
use crate::support::Home;

/// Writes `head`, then `piece` until nobody listens any more.
fn endless(
    head: Vec<u8>,
    piece: Vec<u8>,
) -> impl FnOnce(&mut ChildStdin) -> io::Result<()> + Send + 'static {
    move |stdin| {
        stdin.write_all(&head)?;
        loop {
            stdin.write_all(&piece)?;
        }
    }
}

#[test]
fn a_stream_without_end_is_refused() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let zeros = || vec![0; 1 << 16];
    let huge = |name: &[u8]| header(name, b'0', b"", base_256(1 << 62)).to_vec();
    let cases = [
        (Vec::new(), zeros(), "over the limit of 16777216"),
        (Vec::new(), b"y\n".repeat(1 << 12), "no tar"),
        (
            huge(b"0.tar"),
            zeros(),
            "the size of `0.tar` is over the limit",
        ),
        (
            huge(b"manifest.json"),
            zeros(),
            "the size of `manifest.json` is over the limit",
        ),
        (
            Vec::new(),
            entry("x", b'0', "", b"1").repeat(64),
            "the number of entries",
        ),
        (
            Vec::new(),
            pax(&[("a", "b")]).repeat(64),
            "the number of headers",
        ),
        (
            Vec::new(),
            header(b"x", b'g', b"", octal(0)).repeat(64),
            "the number of headers",
        ),
    ];
    // (A blob that is no layer goes by unread, up to the 64 GiB that a layer may
    // have: it ends too, later than a test can wait for.)
    for (head, piece, reason) in cases {
        let said = Bounded::new(&home).fed(endless(head, piece)).scan(&["-"]);
        refused(&said, &[reason]);
    }
}

#[test]
fn a_packed_stream_without_end_is_refused() {
    if !need(&["prlimit", "gzip"]) {
        return;
    }
    let home = Home::new();
    let zeros = super::craft::gzip(&vec![0; 1 << 20]);
    let said = Bounded::new(&home)
        .fed(endless(Vec::new(), zeros))
        .scan(&["-"]);
    refused(&said, &["over the limit of 16777216"]);
    // Nothing comes out: empty members, skippable frames (RFC 8878, 3.1.2).
    let empty = super::craft::gzip(&[]).repeat(4096);
    let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 0, 0, 1, 0][..], &[0; 1 << 16]].concat();
    for piece in [empty, skippable] {
        let said = Bounded::new(&home)
            .fed(endless(Vec::new(), piece))
            .scan(&["-"]);
        refused(&said, &["packed bytes unpack to nothing"]);
    }
}

#[test]
fn a_silent_engine_is_an_error() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let socket = home.path().join("engine");
    let _silent = UnixListener::bind(&socket).unwrap();
    let host = format!("unix://{}", socket.display());
    for target in ["docker:debian:12", "podman:debian:12"] {
        let said = Bounded::new(&home)
            .with("DOCKER_HOST", &host)
            .with("CONTAINER_HOST", &host)
            .scan(&[target]);
        refused(&said, &[target, socket.to_str().unwrap()]);
    }
    fs::remove_file(&socket).unwrap();
}
