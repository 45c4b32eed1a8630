//! Updates over HTTP, from a server of our own on the loopback that answers as
//! OSV's bucket does, or as badly as can be.

use std::{
    error::Error as _,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use seawall_advisories::{
    FactKind, From, PUBLIC_BUCKET, Store as _, UpdateError, UpdateRequest, update,
};

use crate::support::{Counted, Place, bring, ids, names, record, zip};

/// What is sent, and whether the line then stays open without a word.
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hangs: bool,
}

/// Serves until it is dropped; keeps the paths that were asked for.
pub(crate) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn new(answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
            is_over: Arc::default(),
        };
        let (asked, is_over) = (Arc::clone(&server.asked), Arc::clone(&server.is_over));
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (asked, is_over) = (Arc::clone(&asked), Arc::clone(&is_over));
                let answer = Arc::clone(&answer);
                thread::spawn(move || talk(stream, &*answer, &asked, &is_over));
            }
        });
        server
    }

    pub(crate) fn from(&self) -> From {
        From::Url(format!("http://{}", self.address))
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn talk(
    mut stream: TcpStream,
    answer: &dyn Fn(&str, &str) -> Answer,
    asked: &Mutex<Vec<String>>,
    is_over: &AtomicBool,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let Some(path) = head.split(' ').nth(1) else {
        return;
    };
    asked.lock().unwrap().push(path.to_owned());
    let Answer { bytes, hangs } = answer(path, &head.to_lowercase());
    let _ = stream.write_all(&bytes);
    while hangs && !is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
    }
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 16]);
}

pub(crate) fn say(status: &str, headers: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Answer {
        bytes,
        hangs: false,
    }
}

pub(crate) fn nothing() -> Answer {
    say("404 Not Found", "", b"")
}

fn dump(ecosystem: &str) -> Vec<u8> {
    zip(&[("1.json", record("A-1", &[(ecosystem, "one")]).as_bytes())])
}

/// What an error says, with its causes.
fn told(error: &UpdateError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(": {inner}");
        cause = inner.source();
    }
    text
}

#[test]
fn what_a_bucket_has_is_fetched_once_and_what_it_lacks_is_named() {
    let kev = b"{\"vulnerabilities\":[{\"cveID\":\"CVE-2021-1234\",\"dateAdded\":\"2021-12-10\"}]}";
    let server = Server::new(move |path, head| {
        let tagged = |tag: &str, body: &[u8]| match head.contains(&format!("if-none-match: {tag}"))
        {
            true => say("304 Not Modified", "", b""),
            false => say("200 OK", &format!("ETag: {tag}\r\n"), body),
        };
        match path {
            "/PyPI/all.zip" => tagged("\"a\"", &dump("PyPI")),
            "/Rocky%20Linux/all.zip" => tagged("\"b\"", &dump("Rocky Linux")),
            "/kev.json" => tagged("\"c\"", kev),
            _ => nothing(),
        }
    });
    let place = Place::new();
    let counted = Counted::default();
    let ask = |ecosystems: &[&str]| {
        update(&UpdateRequest {
            from: server.from(),
            dir: &place.database(),
            ecosystems: ecosystems.iter().map(|one| (*one).to_owned()).collect(),
            feeds: Vec::new(),
            key: None,
            now: 1_800_000_000,

            patience: Duration::from_secs(5),
            progress: &counted,
        })
    };
    let updated = ask(&["PyPI", "Rocky Linux:9"]).unwrap();
    assert_eq!(updated.built, ["PyPI", "Rocky Linux"]);
    assert_eq!(
        updated.missing,
        [FactKind::Epss, FactKind::Cvss, FactKind::EndOfLife]
    );
    assert!(place.open().kev("CVE-2021-1234").unwrap().is_some());
    let sent = dump("PyPI").len() + dump("Rocky Linux").len() + kev.len();
    assert_eq!(counted.0.load(Ordering::Relaxed), sent as u64);
    // Nothing but what was named, and what may lie beside it.
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .filter(|path| path.ends_with("all.zip"))
            .count()
            == 2,
        "{asked:?}"
    );
    // What is unchanged is not sent again, and what was known stays.
    let updated = ask(&[]).unwrap();
    assert_eq!((updated.built.len(), updated.unchanged.len()), (0, 2));
    assert_eq!(counted.0.load(Ordering::Relaxed), sent as u64);
    let database = place.open();
    assert!(database.kev("CVE-2021-1234").unwrap().is_some());
    assert_eq!(ids(&database, "Rocky Linux", "one"), ["A-1"]);
    assert!(
        database
            .info()
            .iter()
            .all(|info| info.checked == 1_800_000_000)
    );
}

#[test]
fn a_bad_answer_is_an_error_that_names_the_address_and_the_old_database_stays() {
    let place = Place::new();
    place.dump(
        "PyPI",
        &[("1.json", record("A-1", &[("PyPI", "one")]).as_bytes())],
    );
    place.update().unwrap();
    let before = names(&place.database());
    let whole = dump("PyPI");
    let cut = |bytes: &[u8], length: usize| bytes[..length.min(bytes.len())].to_vec();
    let full = say("200 OK", "", &whole).bytes;
    let chunked = {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut bytes = format!("{head}{:x}\r\n", whole.len()).into_bytes();
        bytes.extend_from_slice(&whole[..20]);
        bytes
    };
    let short = {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            whole.len() - 30
        );
        [head.as_bytes(), &whole].concat()
    };
    let long = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n"
        .as_bytes()
        .to_vec();
    // It says that it closes, else the client may ask on a line that is closing.
    let endless = say("302 Found", "Location: /PyPI/all.zip\r\n", b"").bytes;
    let cases: Vec<(&str, Vec<u8>, bool, &str)> = vec![
        (
            "500",
            say("500 Internal Server Error", "", b"").bytes,
            false,
            "500",
        ),
        ("403", say("403 Forbidden", "", b"no").bytes, false, "403"),
        (
            "304 unasked",
            say("304 Not Modified", "", b"").bytes,
            false,
            "304",
        ),
        ("404", nothing().bytes, false, "there is no `PyPI/all.zip`"),
        ("cut", cut(&full, full.len() - 40), false, "to its end"),
        ("cut in the head", cut(&full, 30), false, "cannot fetch"),
        ("cut chunk", chunked, false, "to its end"),
        ("a wrong length", short, false, "is damaged"),
        ("a long length", long, false, "to its end"),
        (
            "a page",
            say("200 OK", "", b"<!DOCTYPE html>").bytes,
            false,
            "is damaged",
        ),
        ("empty", say("200 OK", "", b"").bytes, false, "is damaged"),
        (
            "no HTTP",
            b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
            false,
            "cannot fetch",
        ),
        ("a redirect loop", endless, false, "redirects"),
        ("nothing at all", Vec::new(), false, "cannot fetch"),
        ("silence", Vec::new(), true, "timeout"),
        ("silence in the head", cut(&full, 30), true, "timeout"),
        (
            "silence in the body",
            cut(&full, full.len() - 40),
            true,
            "nothing came for 1 seconds",
        ),
    ];
    for (name, bytes, hangs, want) in cases {
        let server = Server::new(move |_, _| Answer {
            bytes: bytes.clone(),
            hangs,
        });
        let start = Instant::now();
        let error = bring(server.from(), &place.database(), &["PyPI"]).unwrap_err();
        let text = told(&error);
        assert!(text.contains(want), "{name}: {text}");
        assert!(text.contains(&server.address.to_string()), "{name}: {text}");
        assert!(start.elapsed() < Duration::from_secs(20), "{name}");
        assert_eq!(names(&place.database()), before, "{name}");
        assert_eq!(ids(&place.open(), "PyPI", "one"), ["A-1"], "{name}");
    }
}

#[test]
fn facts_that_a_server_fails_to_give_do_not_keep_advisories_away() {
    let server = Server::new(|path, _| match path {
        "/PyPI/all.zip" => say("200 OK", "", &dump("PyPI")),
        "/kev.json" => say("500 Internal Server Error", "", b""),
        "/epss.csv" => say("200 OK", "", b"<html>"),
        "/cvss.csv" => Answer {
            bytes: b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncve,".to_vec(),
            hangs: true,
        },
        _ => nothing(),
    });
    let place = Place::new();
    let updated = bring(server.from(), &place.database(), &["PyPI"]).unwrap();
    assert_eq!(updated.built, ["PyPI"]);
    assert_eq!(updated.missing, [FactKind::EndOfLife]);
    let refused = updated.refused.join("\n");
    for want in [
        "kev.json: cannot fetch `http://",
        "epss.csv: line 1: the header has no column `cve`",
        "nothing came for 1 seconds",
    ] {
        assert!(refused.contains(want), "{refused}");
    }
    assert_eq!(ids(&place.open(), "PyPI", "one"), ["A-1"]);
}

#[test]
fn a_redirect_is_followed_and_a_packed_answer_unpacked() {
    let server = Server::new(|path, _| match path {
        "/PyPI/all.zip" => say("302 Found", "Location: /elsewhere\r\n", b""),
        "/elsewhere" => say("200 OK", "", &dump("PyPI")),
        "/epss.csv.gz" => {
            // As some servers do: unpacked on the way, by the client.
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(b"cve,epss,percentile\nCVE-2021-1234,0.25,0.5\n")
                .unwrap();
            say(
                "200 OK",
                "Content-Encoding: gzip\r\n",
                &gzip.finish().unwrap(),
            )
        }
        _ => nothing(),
    });
    let place = Place::new();
    bring(server.from(), &place.database(), &["PyPI"]).unwrap();
    let database = place.open();
    assert_eq!(ids(&database, "PyPI", "one"), ["A-1"]);
    assert_eq!(database.epss("CVE-2021-1234").unwrap().unwrap().score, 0.25);
}

#[test]
fn the_public_bucket_is_osvs() {
    // google.github.io/osv.dev/data, «Data dumps».
    assert_eq!(
        PUBLIC_BUCKET,
        "https://osv-vulnerabilities.storage.googleapis.com"
    );
}
