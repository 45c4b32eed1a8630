//! Advisories over HTTP, from a server of our own on the loopback.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::support::{Home, root, shared};

/// Serves a folder; counts the requests and the answers without a body.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) requests: Arc<AtomicUsize>,
    unchanged: Arc<AtomicUsize>,
}

pub(crate) fn serve(dir: PathBuf) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server {
        address: format!("http://{}", listener.local_addr().unwrap()),
        requests: Arc::default(),
        unchanged: Arc::default(),
    };
    let (requests, unchanged) = (Arc::clone(&server.requests), Arc::clone(&server.unchanged));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            requests.fetch_add(1, Ordering::Relaxed);
            answer(stream, &dir, &unchanged);
        }
    });
    server
}

fn answer(mut stream: TcpStream, dir: &std::path::Path, unchanged: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    while reader.read_line(&mut request).is_ok_and(|read| read > 2) {}
    let path = request
        .split(' ')
        .nth(1)
        .unwrap_or("/")
        .trim_start_matches('/');
    let body = fs::read(dir.join(path));
    let _ = match body {
        _ if request.to_lowercase().contains("if-none-match: \"one\"") => {
            unchanged.fetch_add(1, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")
        }
        Ok(body) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: \"one\"\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&body))
        }
        Err(_) => stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    };
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 16]);
}

#[test]
fn a_scan_fetches_the_ecosystems_that_it_needs_and_no_more() {
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let server = serve(advisories);
    let home = Home::new();
    let settings = format!("[database]\nfrom = \"{}\"\n", server.address);
    fs::write(home.path().join("seawall.toml"), settings).unwrap();
    let lock = root().join("examples/shop/worker/Cargo.lock");
    let said = home.run(&["scan", "--no-cache", "--db", "db", lock.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("CVE-2021-25900"), "{}", said.out);
    assert!(!said.err.contains("starter"), "{}", said.err);
    let shards: Vec<String> = fs::read_dir(home.path().join("db"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.ends_with(".shard"))
        .collect();
    assert!(
        shards
            .iter()
            .all(|name| name.starts_with("crates-io") || name.starts_with("facts"))
    );
    // Nothing is asked again on the same day.
    let before = server.requests.load(Ordering::Relaxed);
    assert_eq!(
        home.run(&["scan", "--no-cache", "--db", "db", lock.to_str().unwrap()])
            .code,
        0
    );
    assert_eq!(server.requests.load(Ordering::Relaxed), before);
    // What has not changed is not sent again.
    let update = home.run(&["db", "update", "--db", "db"]);
    assert_eq!(update.code, 0, "{}", update.err);
    assert!(
        update.err.contains("unchanged: crates.io"),
        "{}",
        update.err
    );
    // The dump, and three files of facts beside it.
    assert_eq!(server.unchanged.load(Ordering::Relaxed), 4);
}

#[test]
fn an_update_that_fails_leaves_the_old_database() {
    let Some(advisories) = shared("advisories") else {
        return;
    };
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    fs::create_dir_all(at("osv/crates.io")).unwrap();
    fs::copy(
        advisories.join("crates.io/all.zip"),
        at("osv/crates.io/all.zip"),
    )
    .unwrap();
    assert_eq!(
        home.run(&["db", "update", "--from", "osv", "--db", "db"])
            .code,
        0
    );
    let index = fs::read(at("db/index.json")).unwrap();
    // A zip that breaks off.
    let zip = fs::read(at("osv/crates.io/all.zip")).unwrap();
    fs::write(at("osv/crates.io/all.zip"), &zip[..zip.len() / 2]).unwrap();
    let broken = home.run(&["db", "update", "--from", "osv", "--db", "db"]);
    assert_eq!(broken.code, 2, "{}", broken.err);
    assert!(
        broken
            .err
            .contains("`crates.io/all.zip` of `osv` is damaged"),
        "{}",
        broken.err
    );
    // An ecosystem that is not there, a server that is not there.
    let server = serve(at("osv"));
    let missing = home.run(&[
        "db",
        "update",
        "--from",
        &server.address,
        "--db",
        "db",
        "PyPI",
    ]);
    assert!(
        missing.err.contains("there is no `PyPI/all.zip`"),
        "{}",
        missing.err
    );
    let nobody = home.run(&[
        "db",
        "update",
        "--from",
        "http://127.0.0.1:1",
        "--db",
        "db",
        "PyPI",
    ]);
    assert_eq!((missing.code, nobody.code), (2, 2));
    assert!(
        nobody
            .err
            .contains("cannot fetch `http://127.0.0.1:1/PyPI/all.zip`"),
        "{}",
        nobody.err
    );
    assert_eq!(fs::read(at("db/index.json")).unwrap(), index);
    let lock = root().join("examples/shop/worker/Cargo.lock");
    assert!(
        home.scan(&["--db", "db", lock.to_str().unwrap()])
            .out
            .contains("CVE-2021-25900")
    );
}
