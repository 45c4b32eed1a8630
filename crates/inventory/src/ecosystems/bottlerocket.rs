//! Bottlerocket, which has no package manager: the inventory that its build
//! leaves (Bottlerocket, `application-inventory.json`).

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::GapKind;
use serde::Deserialize;

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{Databases, Found, Gathered, histories},
    text::lossy,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "bottlerocket",
    contexts: &[Context::Installed],
    analysers: &[&Applications],
    read,
};

/// `application-inventory.json`.
struct Applications;

const INVENTORY: &str = "bottlerocket";

impl Analyser for Applications {
    fn name(&self) -> &'static str {
        INVENTORY
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("usr/share/bottlerocket/application-inventory.json"),
            Interest::Path(
                "x86_64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
            ),
            Interest::Path(
                "aarch64-bottlerocket-linux-gnu/sys-root/usr/share/bottlerocket/application-inventory.json",
            ),
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let whole: Document = serde_json::from_str(&lossy(&body)?)
            .map_err(|error| format!("the inventory is not what it should be: {error}"))?;
        let mut out = Gathered::default();
        for one in &whole.content {
            if one.name.is_empty() || one.version.is_empty() {
                out.gap(GapKind::Damaged, "an application has no name or no version");
                continue;
            }
            let version = match (one.epoch.as_str(), one.release.as_str()) {
                ("" | "0", "") => one.version.clone(),
                ("" | "0", release) => format!("{}-{release}", one.version),
                (epoch, release) => format!("{epoch}:{}-{release}", one.version),
            };
            out.push(&Found {
                name: one.name.strip_prefix("bottlerocket-").unwrap_or(&one.name),
                version: &version,
                arch: &one.architecture,
                ..Found::default()
            });
        }
        Ok(out.finish())
    }
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Content")]
    content: Vec<Application>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Application {
    name: String,
    version: String,
    release: String,
    epoch: String,
    architecture: String,
}

/// They are built as rpm's packages are, and their versions are compared so.
fn read(view: &View, inventory: &mut Inventory) {
    let mut databases = Databases::new("rpm", view, inventory.os.as_ref());
    for states in histories(view, INVENTORY).values() {
        databases.read(states);
    }
    let (packages, gaps) = databases.finish();
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}
