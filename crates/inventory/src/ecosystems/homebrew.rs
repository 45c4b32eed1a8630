//! Homebrew: the receipt that it leaves with each version of a formula in its
//! cellar (Homebrew, `tab.rb`).

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::Requirement;
use serde::Deserialize;

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Finds, Found},
    text::lossy,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "homebrew",
    contexts: &[Context::Installed],
    analysers: &[&Receipt],
    read,
};

/// `Cellar/NAME/VERSION/INSTALL_RECEIPT.json`.
struct Receipt;

const RECEIPT: &str = "homebrew";

impl Analyser for Receipt {
    fn name(&self) -> &'static str {
        RECEIPT
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("INSTALL_RECEIPT.json")]
    }

    fn wants(&self, path: &str) -> bool {
        keg(path).is_some()
    }

    fn need(&self) -> Need {
        Need::Whole(4 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let Some((name, version)) = keg(entry.path) else {
            return Ok(None);
        };
        let receipt: Tab = serde_json::from_str(&lossy(&body)?)
            .map_err(|error| format!("the receipt is not what it should be: {error}"))?;
        let needed = receipt.runtime_dependencies.unwrap_or_default();
        let mut out = Finds::default();
        out.push(&Found {
            kind: "brew",
            name: name.to_owned(),
            version: version.to_owned(),
            requires: needed
                .into_iter()
                .map(|one| Requirement {
                    // `TAP/NAME` of formulae from elsewhere.
                    name: one
                        .full_name
                        .rsplit('/')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    version: None,
                })
                .collect(),
            ..Found::default()
        });
        Ok(out.finish())
    }
}

/// Name and version of a formula's folder.
fn keg(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/').skip(1);
    let (version, name) = (parts.next()?, parts.next()?);
    (parts.next()? == "Cellar").then_some((name, version))
}

#[derive(Deserialize)]
struct Tab {
    runtime_dependencies: Option<Vec<Dependency>>,
}

#[derive(Deserialize)]
struct Dependency {
    #[serde(default)]
    full_name: String,
}

fn read(view: &View, inventory: &mut Inventory) {
    found::read(RECEIPT, view, inventory);
}
