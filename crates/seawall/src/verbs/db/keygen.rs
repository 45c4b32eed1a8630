//! `seawall db keygen`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use seawall_advisories::SecretKey;

use crate::{Outcome, keys, printer::Printer};

/// What can be typed behind `db keygen`.
#[derive(Debug, Args)]
#[command(after_help = "\
The keys are minisign's: `minisign -G` makes the same. The password is asked for, or taken from
SEAWALL_KEY_PASSWORD; an empty one leaves the secret key open to whoever has the file.

Examples:
  seawall db keygen --secret seawall.key --public seawall.pub
  SEAWALL_KEY_PASSWORD= seawall db keygen --secret ci.key --public ci.pub")]
pub(crate) struct Keygen {
    /// File for the key that signs; it is not replaced.
    #[arg(long, value_name = "FILE", default_value = "seawall.key")]
    secret: PathBuf,
    /// File for the key that checks signatures; it is not replaced.
    #[arg(long, value_name = "FILE", default_value = "seawall.pub")]
    public: PathBuf,
}

pub(super) fn run(arguments: &Keygen, printer: &Printer) -> Result<Outcome> {
    let password = keys::new_password()?;
    let made = || "cannot make a key";
    let key = SecretKey::generate().with_context(made)?;
    let secret = key.to_file(&password).with_context(made)?;
    keys::write_new(&arguments.secret, &secret, 0o600)?;
    let public = key.public();
    keys::write_new(&arguments.public, &public.to_file(), 0o644)?;
    printer.note(&format!(
        "`{}` signs (keep it to yourself), `{}` checks; in seawall.toml:",
        arguments.secret.display(),
        arguments.public.display()
    ));
    printer.text(&format!("[database]\nkey = \"{}\"\n", public.to_line()))?;
    Ok(Outcome::Done)
}
