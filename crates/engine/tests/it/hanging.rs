//! An engine that hangs: every wait has an end, and its error says whose fault
//! it is.

use std::{
    io::{self, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    thread,
    time::{Duration, Instant},
};

use seawall_engine::{Client, Error, Waits};

/// Long enough for a busy machine to answer in, short enough to wait for.
const WAIT: Duration = Duration::from_millis(400);
/// A wait that is over well before this was kept.
const SOON: Duration = Duration::from_secs(20);

/// A client of an engine that answers each connection by `answer`.
fn engine(
    answer: impl Fn(&mut UnixStream) -> io::Result<()> + Send + 'static,
) -> (Client, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            // A client that has gone is what these tests are about.
            let _ = answer(&mut stream);
            kept.push(stream);
        }
    });
    let waits = Waits {
        answer: WAIT,
        first: WAIT,
        next: WAIT,
    };
    (Client::new(&socket, waits), dir)
}

/// Writes a byte at a time, each well within the wait.
fn drip(stream: &mut UnixStream, bytes: impl Iterator<Item = u8>) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[byte])?;
        thread::sleep(WAIT / 20);
    }
    Ok(())
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn one_that_says_nothing() {
    let (client, _dir) = engine(|_| Ok(()));
    let start = Instant::now();
    for error in [
        client.inspect("x").unwrap_err(),
        client.export("x").err().unwrap(),
    ] {
        assert!(matches!(error, Error::Silent { .. }), "{error}");
    }
    assert!(start.elapsed() < SOON);
}

#[test]
fn one_that_lets_an_answer_drip() {
    let endless = || {
        b"HTTP/1.1 200 OK\r\nX: "
            .iter()
            .copied()
            .chain(std::iter::repeat(b'x'))
    };
    let (head, _dir) = engine(move |stream| drip(stream, endless()));
    let (body, _dir2) = engine(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{")?;
        drip(stream, std::iter::repeat(b' '))
    });
    let (refusal, _dir3) = engine(|stream| {
        stream.write_all(b"HTTP/1.1 500 Oh\r\n\r\n")?;
        drip(stream, std::iter::repeat(b'!'))
    });
    let start = Instant::now();
    let error = head.inspect("x").unwrap_err();
    assert!(matches!(error, Error::Silent { .. }), "{error}");
    let error = body.inspect("x").unwrap_err();
    assert!(matches!(error, Error::Silent { .. }), "{error}");
    let error = refusal.inspect("x").unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 500, .. }),
        "{error}"
    );
    assert!(start.elapsed() < SOON);
}

#[test]
fn one_that_speaks_without_end() {
    let (heads, _dir) = engine(|stream| {
        loop {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
    });
    let (body, _dir2) = engine(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            stream.write_all(&[b' '; 65536])?;
        }
    });
    for client in [heads, body] {
        let error = client.inspect("x").unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
}

#[test]
fn one_that_stops_in_the_middle_of_an_image() {
    let read = |answer: &'static [u8], hangs_up: bool| {
        let (client, _dir) = engine(move |stream| {
            stream.write_all(HEAD)?;
            stream.write_all(answer)?;
            if hangs_up {
                stream.shutdown(std::net::Shutdown::Both)?;
            }
            Ok(())
        });
        let start = Instant::now();
        let mut image = Vec::new();
        let end = client.export("x").unwrap().read_to_end(&mut image);
        assert!(start.elapsed() < SOON);
        let error = end.unwrap_err();
        let inner = error.into_inner().unwrap();
        match *inner.downcast::<Error>().unwrap() {
            Error::Stalled { .. } => "stalled",
            Error::HungUp { .. } => "hung up",
            other => panic!("{other}"),
        }
    };
    assert_eq!(read(b"", false), "stalled");
    assert_eq!(read(b"3\r\nab", false), "stalled");
    assert_eq!(read(b"3\r\nab", true), "hung up");
    assert_eq!(read(b"3\r\nabc\r\n", true), "hung up");
}

#[test]
fn a_pause_is_no_stop() {
    let (client, _dir) = engine(|stream| {
        stream.write_all(HEAD)?;
        for _ in 0..5 {
            thread::sleep(WAIT / 3);
            stream.write_all(b"2\r\nab\r\n")?;
        }
        stream.write_all(b"0\r\n\r\n")
    });
    let mut image = String::new();
    client
        .export("x")
        .unwrap()
        .read_to_string(&mut image)
        .unwrap();
    assert_eq!(image, "ababababab");
}

#[test]
fn a_name_that_climbs_is_not_asked_for() {
    let (client, _dir) =
        engine(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
    for name in ["../../containers/json", "", "a//b", "/a", "a/./b", "a/"] {
        let error = client.inspect(name).unwrap_err();
        assert!(matches!(error, Error::NoImage { .. }), "{name}: {error}");
    }
    // This one is asked for, and the answer is no description.
    let error = client.inspect("a/b:1").unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}
