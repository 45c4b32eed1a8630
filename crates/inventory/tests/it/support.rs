//! What the tests share: outside tools, and a way from files to packages.

use std::{path::Path, process::Command};

use seawall_image::{Limits, NoProgress, Options, Source};
use seawall_inventory::{Context, Inventory};
pub(crate) use seawall_testkit::{have, have_modules, shared};

/// Runs a command to its end and gives back what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of an image or a tree.
pub(crate) fn installed(source: Source) -> Inventory {
    inventory(source, Context::Installed)
}

/// The packages of a project's folder.
pub(crate) fn project(root: &Path) -> Inventory {
    inventory(Source::Directory(root.to_owned()), Context::Project)
}

fn inventory(source: Source, context: Context) -> Inventory {
    let analysers = seawall_inventory::analysers(context);
    let options = Options {
        analysers: &analysers,
        platform: None,
        cache: None,
        limits: Limits::default(),
        progress: &NoProgress,
    };
    let view = seawall_image::open(source, &options).unwrap().view;
    let mut inventory = seawall_inventory::read(&view, context);
    inventory.gaps.extend(view.gaps);
    inventory.gaps.sort();
    inventory
}

/// The packages of a tree.
pub(crate) fn tree(root: &Path) -> Inventory {
    installed(Source::RootFs(root.to_owned()))
}

/// The package URLs that Syft finds in a tree, as it reads an image, of one of
/// its types, sorted. It writes the colon of an epoch as `%3A`; the specification (ECMA-427, 5.4)
/// leaves colons as they are.
pub(crate) fn syft(root: &Path, kind: &str) -> Vec<String> {
    let script = "SYFT_CHECK_FOR_APP_UPDATE=false syft scan -q -o json \
        --override-default-catalogers image \
        --select-catalogers +erlang-otp-application-cataloger,+opam-cataloger \"dir:$1\" |
        jq -r --arg kind \"$2\" '.artifacts[] | select(.type == $kind) | .purl'";
    let mut command = Command::new("sh");
    let said = run(command.args(["-c", script, "sh"]).arg(root).arg(kind));
    let mut purls: Vec<String> = said.lines().map(|line| line.replace("%3A", ":")).collect();
    purls.sort();
    purls
}

/// Our package URLs, sorted.
pub(crate) fn purls(inventory: &Inventory) -> Vec<String> {
    let purls = inventory
        .packages
        .iter()
        .map(|package| package.purl.clone());
    let mut purls: Vec<String> = purls.collect();
    purls.sort();
    purls
}

/// Writes a file and the folders above it.
pub(crate) fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Reasons of all gaps, with their subjects.
pub(crate) fn gaps(inventory: &Inventory) -> Vec<String> {
    inventory
        .gaps
        .iter()
        .map(|gap| format!("{} {}: {}", gap.kind.as_str(), gap.subject, gap.reason))
        .collect()
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}
