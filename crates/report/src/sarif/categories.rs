//! By which name GitHub keeps the results of a run: a later run of the same
//! name takes the place of an earlier one (GitHub, "SARIF support for code
//! scanning", runAutomationDetails; SARIF, 3.17.3).

use std::collections::HashSet;

use seawall_model::{Report, Target, TargetKind};

use crate::{Options, files::in_checkout};

/// The name of a run about more targets than there may be runs.
pub(super) const ALL: &str = "seawall/";

/// Letters of a target's name that are part of it.
const LONGEST: usize = 160;

/// For each target a name that no other has: `seawall/image/shop/`. It stays the
/// same for the next tag of an image, and wherever a repository lies.
pub(super) fn of_targets(report: &Report, options: &Options<'_>) -> Vec<String> {
    let mut taken = HashSet::new();
    let names = report.targets.iter().map(|target| {
        let name = of_target(target, options);
        let others = (2..).map(|at| format!("{name}{at}/"));
        let mut all = std::iter::once(name.clone()).chain(others);
        let free = all.find(|one| !taken.contains(one)).unwrap_or(name);
        taken.insert(free.clone());
        free
    });
    names.collect()
}

fn of_target(target: &Target, options: &Options<'_>) -> String {
    let name = match target.kind {
        TargetKind::Image => target.kind.stem(&target.name).to_owned(),
        _ => in_checkout(&target.name, "", options.checkout)
            .unwrap_or_else(|| target.kind.stem(&target.name).to_owned()),
    };
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    let letters = |part: &str| {
        let plain = |letter: char| match letter {
            '-' | '_' | '.' | ':' => letter,
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '-',
        };
        part.chars().map(plain).collect::<String>()
    };
    let parts: Vec<String> = parts.map(letters).collect();
    let mut id = format!("seawall/{}/", target.kind.as_str());
    id.extend(parts.join("/").chars().take(LONGEST));
    match id.ends_with('/') {
        true => id,
        false => id + "/",
    }
}
