//! A hundred changed records on their way into a full set of shards: what
//! `seawall db update` takes and fetches from a static server on the loopback.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    row,
    run::{Measured, Runner},
    say,
};

/// Records that are changed, spread over all of them.
const CHANGED: usize = 100;
const ROUNDS: usize = 5;

/// Publishes the dumps of `advisories`, then the same with changes, and takes
/// both.
pub(crate) fn run(seawall: &Path, advisories: &Path, scratch: &Path) -> Result<()> {
    let scratch = scratch.join("delta");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch)?;
    let at = |name: &str| scratch.join(name);
    let command = |words: &[&str]| -> Result<()> {
        let mut command = Command::new(seawall);
        command.args(words).current_dir(&scratch);
        let output = command.env("SEAWALL_KEY_PASSWORD", "").output()?;
        if !output.status.success() {
            bail!("{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    };
    command(&["db", "keygen"])?;
    let dumps = at("dumps");
    let total = copy(advisories, &dumps, usize::MAX)?;
    let from = dumps.display().to_string();
    let build = [
        "db",
        "build",
        "--from",
        &from,
        "--out",
        "out",
        "--key",
        "seawall.key",
    ];
    command(&build)?;
    let server = Server::start(at("out"))?;
    let take = |db: &str| -> Vec<String> {
        let words = [
            "db",
            "update",
            "--quiet",
            "--from",
            &server.address,
            "--pubkey",
            "seawall.pub",
        ];
        let words = words.iter().map(|word| (*word).to_owned());
        words
            .chain(["--db".to_owned(), at(db).display().to_string()])
            .collect()
    };
    // The first time every ecosystem has to be named.
    let names = ecosystems(advisories)?;
    let mut first = take("full");
    first.extend(names);
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let (_, cold) = server.counted(|| command(&first))?;
    let shards = fs::read_dir(at("full"))?.count() - 2;
    copy(advisories, &dumps, total / CHANGED)?;
    command(&build)?;
    let pubkey = at("seawall.pub").display().to_string();
    let mut all = Vec::new();
    for round in 0..=ROUNDS {
        let db = at(&format!("db{round}"));
        copy_files(&at("full"), &db)?;
        let (program, db_text) = (seawall.display().to_string(), db.display().to_string());
        let words = [
            program.as_str(),
            "db",
            "update",
            "--quiet",
            "--from",
            &server.address,
            "--pubkey",
            &pubkey,
            "--db",
            &db_text,
        ];
        let (measured, counted) = server.counted(|| Runner { rounds: 1 }.run(&words))?;
        all.push((measured, counted));
        let _ = fs::remove_dir_all(&db);
    }
    // The first round warms the page cache.
    all.remove(0);
    all.sort_by(|a, b| a.0.wall.total_cmp(&b.0.wall));
    let (own, (bytes, requests)): (Measured, (usize, usize)) =
        all.get(ROUNDS / 2).copied().context("no round was run")?;
    say("| what | Seawall | beside | ratio | to reach |\n|---|---|---|---|---|");
    row(
        &format!("a delta of {CHANGED} of {total} records into {shards} shards, over HTTP"),
        &own,
        &format!("the first time {} KB in {} requests", cold.0 / 1000, cold.1),
        &format!("{} KB in {requests} requests", bytes.div_ceil(1000)),
        "under 200 ms and 200 KB",
    );
    let _ = fs::remove_dir_all(&scratch);
    Ok(())
}

fn ecosystems(advisories: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(advisories)? {
        let entry = entry?;
        if entry.path().join("all.zip").is_file() {
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort();
    Ok(names)
}

/// Copies dumps and facts; of the records every so many is changed. How many
/// records there are.
fn copy(advisories: &Path, to: &Path, every: usize) -> Result<usize> {
    let mut total = 0;
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(advisories)? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().context("a file has a name")?;
            fs::copy(&path, to.join(name))?;
        }
    }
    for ecosystem in ecosystems(advisories)? {
        let mut from = ZipArchive::new(File::open(advisories.join(&ecosystem).join("all.zip"))?)?;
        fs::create_dir_all(to.join(&ecosystem))?;
        let file = File::create(to.join(&ecosystem).join("all.zip"))?;
        let mut zip = ZipWriter::new(file);
        for index in 0..from.len() {
            let mut entry = from.by_index(index)?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            total += 1;
            if total % every == 0 {
                let mut record: Value = serde_json::from_slice(&bytes)?;
                record["modified"] = Value::from("2026-11-25T12:00:00Z");
                record["summary"] = Value::from(format!("changed: {}", record["summary"]));
                bytes = serde_json::to_vec(&record)?;
            }
            let name = entry.name()?.into_owned();
            zip.start_file(name, SimpleFileOptions::default())?;
            zip.write_all(&bytes)?;
        }
        zip.finish()?;
    }
    Ok(total)
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// A static server that keeps its connections, and counts.
struct Server {
    address: String,
    bytes: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn start(dir: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Server {
            address: format!("http://{}", listener.local_addr()?),
            bytes: Arc::default(),
            requests: Arc::default(),
        };
        let (bytes, requests) = (Arc::clone(&server.bytes), Arc::clone(&server.requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (dir, bytes, requests) =
                    (dir.clone(), Arc::clone(&bytes), Arc::clone(&requests));
                thread::spawn(move || {
                    // A connection ends as its client likes.
                    let _ = talk(&stream, &dir, &bytes, &requests);
                });
            }
        });
        Ok(server)
    }

    /// What a run gives, and the bytes and requests that it took.
    fn counted<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<(T, (usize, usize))> {
        self.bytes.store(0, Ordering::Relaxed);
        self.requests.store(0, Ordering::Relaxed);
        let done = run()?;
        let counts = (
            self.bytes.load(Ordering::Relaxed),
            self.requests.load(Ordering::Relaxed),
        );
        Ok((done, counts))
    }
}

fn talk(stream: &TcpStream, dir: &Path, bytes: &AtomicUsize, requests: &AtomicUsize) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        loop {
            let before = head.len();
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
            if head.len() - before <= 2 {
                break;
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        let body = fs::read(dir.join(path.trim_start_matches('/')));
        let (status, body) = match body {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        };
        let length = body.len();
        let mut answer =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        answer.extend(body);
        bytes.fetch_add(answer.len(), Ordering::Relaxed);
        requests.fetch_add(1, Ordering::Relaxed);
        (&mut &*stream).write_all(&answer)?;
    }
}
