//! `seawall db build`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use seawall_advisories::{FeedChoice, From, PUBLIC_BUCKET, PublishRequest, UpdateRequest};

use super::update::{self, refused};
use crate::{
    Outcome,
    database::{Downloads, told},
    errors::hinted,
    keys,
    printer::Printer,
    settings,
};

/// What can be typed behind `db build`.
#[derive(Debug, Args)]
#[command(after_help = "\
DIR then holds the shards of the database, packed, what makes each of them of those that were
published before, and an index with its signature. Any web server that serves files will do. Run it
again, into the same folder, whenever advisories change; machines take what is new by
`seawall db update --from URL --pubkey KEY`. docs/database-service.md has the whole of it.

The password of the secret key is asked for, or taken from SEAWALL_KEY_PASSWORD.

Examples:
  seawall db build --out /srv/www/seawall --key seawall.key Debian Alpine PyPI npm
  seawall db build --from /srv/osv --out /srv/www/seawall --key seawall.key")]
pub(crate) struct Build {
    /// Ecosystems, as OSV writes them; without any, all that the source or the folder has.
    #[arg(value_name = "ECOSYSTEM")]
    ecosystems: Vec<String>,
    /// Where advisories come from: a folder or an address; OSV's public bucket without.
    #[arg(long, value_name = "DIR|URL", env = "SEAWALL_BUILD_FROM")]
    from: Option<String>,
    /// A distribution's own feed, from a folder, an address, or its publisher.
    #[arg(long = "feed", value_name = "NAME[=DIR|URL]")]
    feeds: Vec<String>,
    /// The folder to be served.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// File of the secret key that signs.
    #[arg(long, value_name = "SECRETKEY", env = "SEAWALL_BUILD_KEY")]
    key: PathBuf,
    /// File or line of the public key, where the source is itself a signed one.
    #[arg(long, value_name = "KEY|FILE")]
    pubkey: Option<String>,
}

pub(super) fn run(arguments: &Build, printer: &Printer) -> Result<Outcome> {
    let key = keys::secret(&arguments.key)?;
    let from = From::parse(arguments.from.as_deref().unwrap_or(PUBLIC_BUCKET));
    let (_, now) = settings::today();
    let bars = printer.bars();
    let progress = Downloads(bars.bytes("fetching advisories"));
    let own = PublishRequest::own_database(&arguments.out);
    let published = seawall_advisories::publish(&PublishRequest {
        update: UpdateRequest {
            from,
            dir: &own,
            ecosystems: arguments.ecosystems.clone(),
            key: arguments.pubkey.as_deref().map(keys::public).transpose()?,
            feeds: arguments
                .feeds
                .iter()
                .map(|one| FeedChoice::parse(one))
                .collect(),
            now,
            patience: seawall_advisories::PATIENCE,
            progress: &progress,
        },
        out: &arguments.out,
        key: &key,
        now,
    });
    drop(progress);
    let published = published.map_err(|error| match error {
        seawall_advisories::PublishError::Update(error) => {
            update::told(error, &own, !arguments.ecosystems.is_empty())
        }
        error @ seawall_advisories::PublishError::Ahead { .. } => hinted(
            error.to_string(),
            "set the clock; where it was wrong before, publish into a new folder",
        ),
        error => anyhow::Error::new(error),
    });
    let out = arguments.out.display();
    let published = published.with_context(|| format!("nothing was published in `{out}`"))?;
    if let Some(why) = &published.afresh {
        printer.warning(&format!("{why}, so that machines take every shard whole"));
    }
    told(&published.updated, printer);
    let outcome = refused(&published.updated, printer);
    let what = match (published.is_new, published.is_renewed) {
        (true, _) => "published",
        (false, true) => "nothing is new, signed anew at",
        (false, false) => "nothing is new since",
    };
    printer.note(&format!(
        "{what} {}: {} shards of {} KiB and {} overlays in `{out}`, signed by {}",
        published.made,
        published.shards,
        published.bytes.div_ceil(1024),
        published.overlays,
        key.public().id()
    ));
    Ok(outcome)
}
