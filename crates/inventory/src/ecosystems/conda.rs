//! Conda environments: `conda-meta/*.json`, one record a package (conda,
//! `PrefixRecord`).

use std::borrow::Cow;

use seawall_model::{Hash, HashAlgorithm, Relation};

use crate::{
    found::{self, Finds, Found, records},
    json,
    requires::folder,
};

records!(
    "conda",
    // Records have names of their own.
    [Interest::Suffix(".json")],
    |path: &str| folder(path).rsplit('/').next() == Some("conda-meta"),
    64 << 20,
    parse,
    folder
);

fn parse(path: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let [
        name,
        version,
        build,
        channel,
        subdir,
        license,
        file,
        md5,
        sha256,
        depends,
        files,
        requested,
        requested_all,
    ] = json::fields(
        text,
        [
            "name",
            "version",
            "build",
            "channel",
            "subdir",
            "license",
            "fn",
            "md5",
            "sha256",
            "depends",
            "files",
            "requested_spec",
            "requested_specs",
        ],
    )?;
    let of = |value| json::string(value).map(Cow::into_owned).unwrap_or_default();
    let (name, version) = (of(name), of(version));
    if name.is_empty() || version.is_empty() {
        return Err("it names no package or no version".to_owned());
    }
    let subdir = of(subdir);
    let file = of(file);
    let kind = [".tar.bz2", ".conda"]
        .iter()
        .find(|end| file.ends_with(*end));
    let hashes = [(HashAlgorithm::Sha256, sha256), (HashAlgorithm::Md5, md5)];
    let prefix = folder(folder(path));
    let depends = json::strings(depends);
    let names = depends
        .iter()
        .filter_map(|one| one.split_whitespace().next());
    // What the user named; Conda writes `None` for none.
    let requested = json::strings(requested_all)
        .into_iter()
        .chain(json::string(requested));
    let is_requested = requested
        .into_iter()
        .any(|spec| !matches!(&*spec, "" | "None"));
    out.push(&Found {
        kind: "conda",
        relation: Relation {
            direct: is_requested.then_some(true),
            development: false,
        },
        qualifiers: vec![
            ("build", of(build)),
            ("channel", channel_name(&of(channel), &subdir).to_owned()),
            (
                "type",
                kind.map_or("", |kind| kind.trim_start_matches('.'))
                    .to_owned(),
            ),
            ("subdir", subdir),
        ],
        name,
        version,
        licenses: json::string(license)
            .map(Cow::into_owned)
            .into_iter()
            .collect(),
        hashes: hashes
            .into_iter()
            .filter_map(|(algorithm, value)| Hash::new(algorithm, &json::string(value)?))
            .collect(),
        requires: found::names(names),
        files: json::strings(files)
            .into_iter()
            .map(|file| match prefix {
                "" => file.into_owned(),
                _ => format!("{prefix}/{file}"),
            })
            .collect(),
        ..Found::default()
    });
    Ok(())
}

/// The name of a channel that is given as an address, with or without the
/// subfolder of the platform: `https://conda.anaconda.org/conda-forge/linux-64`.
fn channel_name<'a>(channel: &'a str, subdir: &str) -> &'a str {
    let channel = channel.trim_end_matches('/');
    let channel = match channel.strip_suffix(subdir) {
        Some(base) if !subdir.is_empty() => base.trim_end_matches('/'),
        _ => channel,
    };
    channel.rsplit('/').next().unwrap_or(channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_names() {
        for (channel, expected) in [
            ("https://conda.anaconda.org/conda-forge/", "conda-forge"),
            ("https://repo.anaconda.com/pkgs/main/linux-64", "main"),
            ("conda-forge", "conda-forge"),
            ("", ""),
        ] {
            assert_eq!(channel_name(channel, "linux-64"), expected, "{channel}");
        }
    }
}
