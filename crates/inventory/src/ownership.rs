//! Which packages of languages were brought by packages of the distribution.
//!
//! A distribution's package lists its files; a language's package whose own
//! record (`METADATA`, `package.json`, a jar) is among them belongs to it. The
//! one that a user installed beside it, or in its place, does not.

use std::collections::HashMap;

use seawall_image::{Evidence, View};
use seawall_model::{Owner, Package, Technique};

/// purl types of packages that a distribution's manager installs.
pub(crate) const SYSTEM: [&str; 7] = ["deb", "apk", "rpm", "alpm", "ebuild", "opkg", "xbps"];

/// Tells the owner of each language's package. A program that was told by its
/// bytes and belongs to a package of the distribution is that package: it is
/// not listed a second time.
pub(crate) fn tell(packages: &mut Vec<Package>, view: &View) {
    let is_system = |one: &Package| SYSTEM.contains(&one.kind.as_ref());
    let mut wanted: HashMap<String, Option<(String, Option<usize>)>> = packages
        .iter()
        .filter(|one| !is_system(one))
        .map(|one| (one.origin.path.clone(), None))
        .collect();
    if wanted.is_empty() {
        return;
    }
    for system in packages.iter().filter(|one| is_system(one)) {
        let owner = || Some((system.name.clone(), system.origin.layer));
        for path in system.files.iter() {
            if let Some(slot) = wanted.get_mut(path) {
                *slot = owner();
            } else if is_merged(path)
                && let Some(slot) = wanted.get_mut(&format!("usr/{path}"))
            {
                *slot = owner();
            }
        }
    }
    for one in packages.iter_mut().filter(|one| !is_system(one)) {
        let Some(Some((name, layer))) = wanted.get(&one.origin.path) else {
            continue;
        };
        if !is_replaced(one, *layer, view) {
            one.owner = Some(Owner {
                name: name.clone(),
                answers: false,
            });
        }
    }
    packages.retain(|one| one.technique != Technique::Fingerprint || one.owner.is_none());
}

/// Managers list files as they were packed; where `/bin` and its like are links
/// into `/usr`, the files lie there.
fn is_merged(path: &str) -> bool {
    ["bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/"]
        .iter()
        .any(|dir| path.starts_with(dir))
}

/// Whether a later layer than the owner's put another file in the place of the
/// owner's. A layer that only touches files (`chown -R`) has the same bytes.
fn is_replaced(one: &Package, owner: Option<usize>, view: &View) -> bool {
    let (Some(layer), Some(owner)) = (one.origin.layer, owner) else {
        return false;
    };
    if layer <= owner {
        return false;
    }
    let path = one.origin.path.as_str();
    let was = |analyser: &str| {
        of_path(&view.hidden, path)
            .filter(|evidence| evidence.layer <= owner && evidence.analyser == analyser)
            .max_by_key(|evidence| evidence.layer)
    };
    of_path(&view.files, path).any(|now| was(now.analyser).is_none_or(|was| was.data != now.data))
}

/// The evidence of one path, of a list that is sorted by path.
fn of_path<'a>(sorted: &'a [Evidence], path: &'a str) -> impl Iterator<Item = &'a Evidence> {
    let from = sorted.partition_point(|one| one.path.as_str() < path);
    let rest = sorted.get(from..).unwrap_or_default();
    rest.iter().take_while(move |one| one.path == path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seawall_model::{FileList, Origin};

    use super::*;

    fn evidence(layer: usize, data: &[u8]) -> Evidence {
        Evidence {
            path: "usr/bin/tool".into(),
            analyser: "go-binary",
            layer,
            hidden_by: None,
            size: 1,
            mode: 0o755,
            uid: 0,
            gid: 0,
            capability: None,
            data: Arc::from(data),
        }
    }

    /// The owner's name of a program in `layer`, whose package is of layer 1.
    fn owner(layer: usize, hidden: Vec<Evidence>) -> Option<String> {
        let at = |path: &str, layer| Origin {
            path: path.to_owned(),
            layer: Some(layer),
            ..Origin::default()
        };
        let program = |path: &str| Package {
            technique: Technique::Fingerprint,
            ..Package::new("generic", "tool", "1", "", at(path, layer))
        };
        let mut packages = vec![
            Package {
                files: FileList::from_iter(["bin/tool", "usr/share/doc"]),
                ..Package::new("deb", "tool", "1", "", at("var/lib/dpkg/status", 1))
            },
            Package::new("golang", "stdlib", "1", "", at("usr/bin/tool", layer)),
            Package::new("golang", "stdlib", "1", "", at("usr/local/bin/tool", layer)),
            program("usr/bin/tool"),
            program("usr/local/bin/tool"),
        ];
        let view = View {
            files: vec![evidence(layer, b"now")],
            hidden,
            ..View::default()
        };
        tell(&mut packages, &view);
        assert_eq!(packages[2].owner, None);
        let owner = packages[1].owner.clone();
        assert_eq!(packages.len(), if owner.is_some() { 4 } else { 5 });
        owner.map(|owner| owner.name)
    }

    #[test]
    fn what_a_user_put_in_its_place_is_not_the_owners() {
        assert_eq!(owner(1, Vec::new()).as_deref(), Some("tool"));
        assert_eq!(owner(2, vec![evidence(1, b"then")]), None);
        assert_eq!(owner(2, Vec::new()), None);
        let touched = vec![evidence(1, b"now")];
        assert_eq!(owner(2, touched).as_deref(), Some("tool"));
    }
}
