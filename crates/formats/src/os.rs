//! Which distribution a document is about.

use seawall_model::Os;

/// A distribution of which no more is known.
pub(crate) fn plain(id: &str, version: &str) -> Os {
    Os {
        id: id.to_lowercase(),
        version: version.to_owned(),
        name: format!("{id} {version}").trim().to_owned(),
        codename: None,
        like: Vec::new(),
    }
}

/// What a `distro` qualifier says: `debian-12`, `alpine-3.18.4`,
/// `opensuse-leap-15.5`, and a bare `bookworm` or `3.18`.
pub(crate) fn of_qualifier(distro: &str, namespace: &str) -> Os {
    let (id, version) = distro_parts(distro, namespace);
    plain(id, version)
}

fn distro_parts<'a>(distro: &'a str, namespace: &'a str) -> (&'a str, &'a str) {
    match distro.rsplit_once('-') {
        Some((id, version)) if version.starts_with(|first: char| first.is_ascii_digit()) => {
            (id, version)
        }
        _ if distro.starts_with(|first: char| first.is_ascii_digit()) => (namespace, distro),
        _ if distro == namespace => (namespace, ""),
        _ => match CODENAMES
            .iter()
            .find(|(codename, _, _)| *codename == distro)
        {
            Some((_, id, version)) => (id, version),
            None => (distro, ""),
        },
    }
}

/// Codenames that tools write in the place of a version.
const CODENAMES: [(&str, &str, &str); 11] = [
    ("stretch", "debian", "9"),
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("xenial", "ubuntu", "16.04"),
    ("bionic", "ubuntu", "18.04"),
    ("focal", "ubuntu", "20.04"),
    ("jammy", "ubuntu", "22.04"),
    ("noble", "ubuntu", "24.04"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_with_dashes() {
        assert_eq!(
            distro_parts("opensuse-leap-15.5", "opensuse"),
            ("opensuse-leap", "15.5")
        );
        assert_eq!(distro_parts("3.18.4", "alpine"), ("alpine", "3.18.4"));
        assert_eq!(distro_parts("bookworm", "debian"), ("debian", "12"));
        assert_eq!(
            distro_parts("wolfi-20230201", "wolfi"),
            ("wolfi", "20230201")
        );
    }
}
