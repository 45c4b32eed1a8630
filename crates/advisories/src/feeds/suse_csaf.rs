//! SUSE's VEX documents: one for each flaw, with the releases and packages that
//! are mended, affected and not affected
//! (`ftp.suse.com/pub/projects/security/csaf-vex`).
//!
//! ```text
//! csaf-vex.tar.bz2              all documents
//! csaf-vex/cve-YEAR-….json      each document
//! ```
//!
//! SUSE has OVAL files too: they leave out what no fix is there for and what will
//! get none, and fold long-term support into the release. Its advisories in CSAF
//! have fixes alone.
//!
//! Products are told by their CPE names; those of modules are told by their
//! names, which are the same as OSV's. What long-term support (LTSS) mends counts
//! for the release where that has no fix of its own: the code is the same, and
//! container images of the release hold such builds.

use seawall_model::purl;

use crate::feed::{
    Collector, Feed, Input, Layout,
    csaf::{self, Dialect, Leaf, Package, Place, Release},
};

pub(crate) static FEED: Feed = Feed {
    name: "suse-csaf",
    ecosystems: &["SUSE", "openSUSE"],
    beside_osv: true,
    address: "https://ftp.suse.com/pub/projects/security",
    leaves_out: &[
        "products other than SUSE Linux Enterprise Server, Desktop, Micro, their modules and openSUSE",
        "which advisory brings a fix",
    ],
    files,
    read,
};

const DIALECT: Dialect = Dialect {
    release,
    package,
    advisory: |_| None,
    state,
};

const ARCHIVE: &str = "csaf-vex.tar.bz2";

/// Of documents with one name the newest counts, whatever the order.
fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    let Some(all) = layout.list("")? else {
        return Ok(vec![ARCHIVE.to_owned()]);
    };
    let is_one = |name: &String| name == ARCHIVE || csaf::is_document(name);
    Ok(all.into_iter().filter(is_one).collect())
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    if input.name.ends_with(".json") {
        return csaf::read(input, &DIALECT, collector);
    }
    csaf::read_archive(input.unpacked()?, &DIALECT, collector)
}

fn release(product: &Leaf<'_>) -> Option<Release> {
    let release = |name: String| {
        Some(Release {
            name,
            is_extended: false,
        })
    };
    if let Some(name) = product.id.strip_prefix("openSUSE ") {
        let is_one = name == "Tumbleweed" || name.strip_prefix("Leap ").is_some_and(is_number);
        return is_one
            .then(|| release(format!("openSUSE:{name}")))
            .flatten();
    }
    if let Some(name) = product.id.strip_prefix("SUSE ")
        && name.starts_with("Linux Enterprise Module for ")
    {
        return release(format!("SUSE:{name}"));
    }
    let [vendor, own, major, pack, edition] = csaf::cpe_parts(product.cpe)?;
    // Two kinds of servers bear the name of the plain one.
    let is_other = ["teradata", "raspberry"]
        .iter()
        .any(|name| product.id.to_ascii_lowercase().contains(name));
    if vendor != "suse" || major.is_empty() || is_other {
        return None;
    }
    let (line, is_extended) = match own.as_str() {
        "sles" | "suse_sles" => ("Linux Enterprise Server", false),
        "sles-ltss" | "suse_sles_ltss" => ("Linux Enterprise Server", true),
        "sled" | "suse_sled" => ("Linux Enterprise Desktop", false),
        "sle-micro" | "suse-microos" => ("Linux Enterprise Micro", false),
        "sl-micro" => ("Linux Micro", false),
        _ => return None,
    };
    let version = match pack.strip_prefix("sp") {
        Some(number) if is_number(number) && edition.is_empty() => format!("{major} SP{number}"),
        // From 16 on: `sles:16:16.0:server`.
        None if pack.starts_with(|first: char| first.is_ascii_digit()) => pack,
        None if pack.is_empty() && edition.is_empty() => major,
        // Images of clouds, and what else is added to a release.
        _ => return None,
    };
    Some(Release {
        name: format!("SUSE:{line} {version}"),
        is_extended,
    })
}

fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The package of a component, by its id: a package URL may take a part of the
/// name for the version (`libjavascriptcoregtk@4_0-18`).
fn package(place: &Place<'_>) -> Option<Package> {
    let id = place.component.id;
    let purl = purl::parse(place.component.purl).filter(|purl| purl.kind == "rpm");
    let (name, version, upstream) = match &purl {
        Some(purl) if purl.version.is_empty() => (id, "", ""),
        // Older documents have no package URLs.
        _ => {
            let (name, version) = split(id).unwrap_or((id, ""));
            let of = purl.as_ref().and_then(|purl| purl.qualifier("upstream"));
            (name, version, of.unwrap_or_default())
        }
    };
    let is_name = !name.is_empty() && !name.contains(['/', ':', ' ']);
    is_name.then(|| Package {
        name: name.to_owned(),
        version: version.to_owned(),
        source: source(upstream).to_owned(),
        ..Package::default()
    })
}

/// `NAME-VERSION-RELEASE`: a release of SUSE has a point (`150400.10.14.1`), and
/// a version begins with a digit.
fn split(id: &str) -> Option<(&str, &str)> {
    let (rest, release) = id.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let digit = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let at = name.len() + 1;
    (digit(version) && digit(release) && release.contains('.'))
        .then(|| Some((name, id.get(at..)?)))
        .flatten()
}

/// `python-aiohttp` of `python-aiohttp-3.9.3-150400.10.14.1.src.rpm`.
fn source(upstream: &str) -> &str {
    let stem = upstream.strip_suffix(".src.rpm").unwrap_or_default();
    split(stem).map_or(stem, |(name, _)| name)
}

fn state(category: &str, _: &str) -> &'static str {
    match category {
        "no_fix_planned" => "will-not-fix",
        _ => "",
    }
}
