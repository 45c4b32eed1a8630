//! Keys and passwords that the user names.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use anyhow::{Context, Result};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use seawall_advisories::{PublicKey, SecretKey};

use crate::errors::{explained, hinted};

/// The password of a secret key, for machines.
pub(crate) const PASSWORD: &str = "SEAWALL_KEY_PASSWORD";

/// Bytes of a file with a key.
const FILE_LIMIT: u64 = 64 << 10;

/// A public key: the line that minisign shows, or a file with one.
pub(crate) fn public(named: &str) -> Result<PublicKey> {
    // A key first: a file that happens to bear its name is another's.
    let line = PublicKey::parse(named);
    let path = Path::new(named);
    let found = match line.is_err() && path.is_file() {
        true => PublicKey::parse(&read(path)?),
        false => line,
    };
    found.map_err(|error| {
        let hint = "give the line that begins with `RW`, or the file that holds it";
        explained(error, format!("`{named}` is no public key"), hint)
    })
}

/// A secret key from its file; its password from the environment or the
/// terminal.
pub(crate) fn secret(path: &Path) -> Result<SecretKey> {
    let name = path.display();
    let text = read(path)?;
    let refused = || format!("cannot use the secret key `{name}`");
    let password = match SecretKey::needs_password(&text).with_context(refused)? {
        true => Some(password(&format!("password of `{name}`: "))?),
        false => None,
    };
    SecretKey::parse(&text, password.as_deref()).with_context(refused)
}

/// The password that the environment holds, or that is typed.
pub(crate) fn password(prompt: &str) -> Result<String> {
    match env::var(PASSWORD) {
        Ok(password) => Ok(password),
        Err(env::VarError::NotPresent) => ask(prompt).map_err(|error| {
            let hint = format!("put it into `{PASSWORD}` where nobody can type it");
            explained(error, "cannot ask for the password", hint)
        }),
        Err(error) => Err(error).context(PASSWORD),
    }
}

/// A new password, typed twice; empty for none.
pub(crate) fn new_password() -> Result<String> {
    let password = password("password of the new key (none: press return): ")?;
    if env::var_os(PASSWORD).is_none() && self::password("once more: ")? != password {
        return Err(hinted("the two are not the same", "try it again"));
    }
    Ok(password)
}

fn read(path: &Path) -> Result<String> {
    let reading = || format!("cannot read `{}`", path.display());
    let file = File::open(path).with_context(reading)?;
    let mut text = String::new();
    file.take(FILE_LIMIT)
        .read_to_string(&mut text)
        .with_context(reading)?;
    Ok(text)
}

/// Asks at the terminal itself, since stdin and stdout may be pipes.
fn ask(prompt: &str) -> io::Result<String> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let shown = tcgetattr(&terminal)?;
    let mut hidden: Termios = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    terminal.write_all(prompt.as_bytes())?;
    tcsetattr(&terminal, OptionalActions::Flush, &hidden)?;
    let mut line = String::new();
    let read = BufReader::new(terminal.try_clone()?).read_line(&mut line);
    tcsetattr(&terminal, OptionalActions::Flush, &shown)?;
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Writes a file that only its owner may read, and that is not there yet.
pub(crate) fn write_new(path: &Path, text: &str, mode: u32) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let writing = || format!("cannot write `{}`", path.display());
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs::create_dir_all(dir).with_context(writing)?;
    }
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let hint = "a key that is replaced cannot be had back: remove it yourself, or name another file";
            return Err(explained(error, writing(), hint));
        }
        opened => opened.with_context(writing)?,
    };
    file.write_all(text.as_bytes()).with_context(writing)?;
    file.sync_all().with_context(writing)
}
