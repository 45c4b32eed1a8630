//! OpenWrt's and Yocto's package manager: a `status` file and file lists in
//! dpkg's form (opkg, `opkg_conf.c`).

use std::collections::HashMap;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::FileList;

use crate::{
    Context, Ecosystem, Inventory,
    ecosystems::dpkg::{file_list, parse_status},
    os_package::{DATABASE_LIMIT, Databases, histories},
    text::{lossy, text},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "opkg",
    contexts: &[Context::Installed],
    analysers: &[&Status, &Lists],
    read,
};

/// `status`.
struct Status;
/// `info/*.list`.
struct Lists;

const STATUS: &str = "opkg-status";
const LISTS: &str = "opkg-list";

impl Analyser for Status {
    fn name(&self) -> &'static str {
        STATUS
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path("usr/lib/opkg/status"),
            Interest::Path("var/lib/opkg/status"),
            Interest::Path("opt/lib/opkg/status"),
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(DATABASE_LIMIT)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(parse_status(&lossy(&body)?, true))
    }
}

impl Analyser for Lists {
    fn name(&self) -> &'static str {
        LISTS
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::In {
                dir: "usr/lib/opkg/info",
                suffix: ".list",
            },
            Interest::In {
                dir: "var/lib/opkg/info",
                suffix: ".list",
            },
            Interest::In {
                dir: "opt/lib/opkg/info",
                suffix: ".list",
            },
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let body = lossy(&body)?;
        // A tab may be followed by the file's mode or the target of a link.
        let paths = body.lines().filter_map(|line| line.split('\t').next());
        Ok(Some(file_list(paths)))
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut databases = Databases::new("opkg", view, inventory.os.as_ref());
    for states in histories(view, STATUS).values() {
        databases.read(states);
    }
    let (mut packages, gaps) = databases.finish();
    let lists: HashMap<&str, &str> = view
        .of(LISTS)
        .map(|evidence| (evidence.path.as_str(), text(&evidence.data)))
        .collect();
    for package in &mut packages {
        let folder = package.origin.path.strip_suffix("status");
        let list = folder.map(|folder| format!("{folder}info/{}.list", package.name));
        if let Some(list) = list.and_then(|list| lists.get(list.as_str()).copied()) {
            package.files = FileList::from_lines(list);
        }
    }
    inventory.packages.extend(packages);
    inventory.gaps.extend(gaps);
}
