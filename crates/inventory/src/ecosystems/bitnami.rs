//! Bitnami's list of the components that an image was made of, which older
//! images have in place of a bill of materials.

use std::collections::BTreeMap;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use serde::Deserialize;

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Finds, Found},
    text::lossy,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "bitnami",
    contexts: &[Context::Installed],
    analysers: &[&Components],
    read,
};

/// `.bitnami_components.json`.
struct Components;

const BITNAMI: &str = "bitnami";

impl Analyser for Components {
    fn name(&self) -> &'static str {
        BITNAMI
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Path("opt/bitnami/.bitnami_components.json")]
    }

    fn need(&self) -> Need {
        Need::Whole(16 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let components: BTreeMap<String, Component> = serde_json::from_str(&lossy(&body)?)
            .map_err(|error| format!("the list of components is damaged: {error}"))?;
        let mut out = Finds::default();
        for (name, one) in components {
            out.push(&Found {
                kind: BITNAMI,
                name,
                version: one.version,
                qualifiers: vec![("arch", one.arch.clone()), ("distro", one.distro)],
                arch: Some(one.arch).filter(|arch| !arch.is_empty()),
                ..Found::default()
            });
        }
        Ok(out.finish())
    }
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    arch: String,
    #[serde(default)]
    distro: String,
    #[serde(default)]
    version: String,
}

fn read(view: &View, inventory: &mut Inventory) {
    found::read(BITNAMI, view, inventory);
}
