//! Programs that keep credentials: `docker-credential-NAME` on the path
//! (docker/docker-credential-helpers). `get` takes the registry on standard
//! input and answers `{"ServerURL": …, "Username": …, "Secret": …}`.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Credential, entries, keys};
use crate::{Machine, Secret, address::plain};

/// How long a program may take: it may ask a cloud, or the user.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer. Tokens of clouds have some KiB.
const ANSWER_LIMIT: u64 = 256 << 10;
/// Longest name.
const LONGEST_NAME: usize = 64;
/// What a program says, with exit code 1, when it has nothing
/// (credentials/error.go, `errCredentialsNotFoundMessage`).
const NOT_FOUND: &str = "credentials not found in native keychain";

/// Whether a name in a file can be part of a program's name and of nothing
/// else.
pub(super) fn is_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_inner)
}

/// The program's name.
pub(super) fn program(name: &str) -> String {
    format!("docker-credential-{name}")
}

/// What a program has for a registry. An error goes on a sentence that begins
/// with the program.
pub(super) fn get(name: &str, host: &str, machine: &Machine) -> Result<Option<Credential>, String> {
    // As `docker login` and `podman login` hand it over.
    let servers = match keys::same_host(host, "docker.io") {
        true => [
            "https://index.docker.io/v1/".to_owned(),
            "docker.io".to_owned(),
        ],
        false => [host.to_owned(), format!("https://{host}")],
    };
    for server in servers {
        if let Some(credential) = ask(name, &server, machine)? {
            return Ok(Some(credential));
        }
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: Zeroizing<String>,
}

fn ask(name: &str, server: &str, machine: &Machine) -> Result<Option<Credential>, String> {
    let child = Command::new(program(name))
        .arg("get")
        .env_clear()
        .envs(machine.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Helpers write their errors to standard output; what else they say
        // may hold anything.
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| format!("cannot be run: {error}"))?;
    let said = talk(&mut child, server);
    if said.is_err() {
        // It is gone already when this fails.
        let _ = child.kill();
    }
    let status = child.wait();
    let said = said?;
    let status = status.map_err(|error| format!("cannot be waited for: {error}"))?;
    if status.success() {
        // An error of serde_json could show what stands there.
        let answer: Answer =
            serde_json::from_slice(&said).map_err(|_| "does not answer as it should".to_owned())?;
        let is_empty = answer.username.is_empty() && answer.secret.is_empty();
        let secret = Secret::new(answer.secret.as_str());
        return Ok((!is_empty).then(|| entries::password_or_token(answer.username, secret)));
    }
    let text = String::from_utf8_lossy(&said);
    let text = text.trim();
    if text.eq_ignore_ascii_case(NOT_FOUND) {
        return Ok(None);
    }
    // Half an answer may hold a secret.
    let said = match text.is_empty() || text.contains('{') {
        true => String::new(),
        false => format!(": {}", plain(text, 200)),
    };
    Err(format!("fails{said}"))
}

/// Hands the registry over and takes the answer, in bounded time: a thread
/// reads, so that a program that says nothing can be left.
fn talk(child: &mut Child, server: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let end = Instant::now() + PATIENCE;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not want to know has its answer ready.
        let _ = input.write_all(server.as_bytes());
    }
    let output = child.stdout.take().ok_or("has no output")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut said = Zeroizing::new(Vec::new());
        let read = output.take(ANSWER_LIMIT + 1).read_to_end(&mut said);
        // Nobody waits any more when this fails.
        let _ = sender.send(read.map(|_| said));
    });
    let silent = || format!("did not answer within {} s", PATIENCE.as_secs());
    let said = receiver.recv_timeout(PATIENCE).map_err(|_| silent())?;
    let said = said.map_err(|error| format!("cannot be read: {error}"))?;
    if said.len() as u64 > ANSWER_LIMIT {
        return Err(format!("answers with more than {ANSWER_LIMIT} bytes"));
    }
    // Its output is closed, and it may still be there.
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() >= end {
            return Err(silent());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(said)
}
