//! Alpine's package manager: the `installed` database (apk-tools,
//! apk-package(5)).

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};

use crate::{
    Context, Ecosystem, Inventory,
    os_package::{DATABASE_LIMIT, Found, packages},
    record::{Reader, Writer},
    text::lossy,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "apk",
    contexts: &[Context::Installed],
    analysers: &[&Installed],
    read,
};

/// `lib/apk/db/installed`, or below `usr` since Alpine merged it.
struct Installed;

const PATHS: [&str; 2] = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

impl Analyser for Installed {
    fn name(&self) -> &'static str {
        "apk"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Path(PATHS[0]), Interest::Path(PATHS[1])]
    }

    fn need(&self) -> Need {
        Need::Whole(DATABASE_LIMIT)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(parse(&lossy(&body)?))
    }
}

fn parse(body: &str) -> Option<Vec<u8>> {
    let mut out = Writer::default();
    for package in body.split("\n\n") {
        let mut found = Found::default();
        let mut dir = "";
        for line in package.lines() {
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            match field {
                "P" => found.name = value,
                "V" => found.version = value.to_owned(),
                "A" => found.arch = value,
                "o" => found.source = value,
                "L" => found.licenses = value.to_owned(),
                "F" => dir = value,
                "R" => {
                    if !dir.is_empty() {
                        found.files += dir;
                        found.files.push('/');
                    }
                    found.files += value;
                    found.files.push('\n');
                }
                _ => {}
            }
        }
        if !found.name.is_empty() && !found.version.is_empty() {
            if found.source.is_empty() {
                found.source = found.name;
            }
            found.write(&mut out);
        }
    }
    out.finish()
}

fn read(view: &View, inventory: &mut Inventory) {
    let os = inventory.os.clone();
    for evidence in PATHS.iter().filter_map(|path| view.at("apk", path)) {
        inventory
            .packages
            .extend(packages("apk", view, evidence, os.as_ref()));
    }
}

/// Parses an `installed` database: for tests with hostile input. The number of
/// packages.
pub fn count_packages(installed: &[u8]) -> usize {
    Reader::new(&parse(&String::from_utf8_lossy(installed)).unwrap_or_default()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_below_their_folder() {
        let body = "C:Q1x\nP:musl\nV:1.1.22-r3\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:libc.so\n\
            a:0:0:777\nF:\nR:x\n\nP:b\nV:1\n";
        let evidence = parse(body).unwrap();
        let records: Vec<_> = Reader::new(&evidence).collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].get(7), "lib/libc.so\nx\n");
        assert_eq!(records[1].get(3), "b");
    }
}
