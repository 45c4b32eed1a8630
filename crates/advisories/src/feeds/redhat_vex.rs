//! Red Hat's VEX documents: one for each flaw that Red Hat looked at, with all
//! products and their states (`security.access.redhat.com/data/csaf/v2/vex`,
//! the page "Red Hat's CSAF/VEX files").
//!
//! ```text
//! archive_latest.txt            the name of the newest archive
//! csaf_vex_YYYY-MM-DD.tar.zst   all documents of that day
//! changes.csv                   "YEAR/cve-….json","time", newest first
//! deletions.csv                 the same of those that are no more
//! YEAR/cve-YEAR-….json          each document
//! ```
//!
//! A product with a CPE name is a stream of a release: `enterprise_linux:9` with
//! its repositories (`::appstream`, `::baseos`), or an extended one
//! (`rhel_eus:9.2`), whose fixes are none of the main stream's. The repositories
//! of a stream become one shard, since what is not mended is said of all of them.
//! What is mended is named by its binary packages, what is not by its source
//! package.

use seawall_model::purl;

use crate::feed::{
    Collector, Feed, Input, Layout,
    csaf::{self, Dialect, Leaf, Package, Place, Release},
};

pub(crate) static FEED: Feed = Feed {
    name: "redhat-vex",
    ecosystems: &["Red Hat"],
    beside_osv: true,
    address: "https://security.access.redhat.com/data/csaf/v2/vex",
    leaves_out: &[
        "OpenShift, JBoss and all other products beyond Red Hat Enterprise Linux",
        "container images and Flatpaks as such",
    ],
    files,
    read,
};

const DIALECT: Dialect = Dialect {
    release,
    package,
    advisory,
    state,
};

/// Bytes of a list of documents; that of all changes has 3 MB.
const LIST_LIMIT: u64 = 64 << 20;
const DELETIONS: &str = "deletions.csv";
/// Documents that may have changed after the day of the newest archive, which is
/// made daily.
const MOST_CHANGES: usize = 20_000;

/// Of documents about one flaw the newest counts. Those that changed come first,
/// so that what is older need not be taken back.
fn files(layout: &Layout<'_>) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    if layout.may_have(DELETIONS) {
        files.push(DELETIONS.to_owned());
    }
    if let Some(all) = layout.list("")? {
        let newest = all.iter().filter(|name| is_archive(name)).max();
        files.extend(all.iter().filter(|name| csaf::is_document(name)).cloned());
        files.extend(newest.cloned());
        // That nothing but deletions is there means that nothing is there.
        return Ok(if files == [DELETIONS] {
            Vec::new()
        } else {
            files
        });
    }
    let latest = layout.index("archive_latest.txt", LIST_LIMIT)?;
    let latest = latest.ok_or("there is no `archive_latest.txt`")?;
    let archive = String::from_utf8_lossy(&latest).trim().to_owned();
    if !is_archive(&archive) {
        return Err(format!(
            "`archive_latest.txt` names no archive, but `{}`",
            archive.chars().take(100).collect::<String>()
        ));
    }
    let day = archive.get("csaf_vex_".len()..).unwrap_or_default();
    let day = day.strip_suffix(ARCHIVE).unwrap_or_default();
    let changes = layout.index("changes.csv", LIST_LIMIT)?;
    let changes = String::from_utf8_lossy(changes.as_deref().unwrap_or_default()).into_owned();
    let since = pairs(&changes).filter(|(name, date)| csaf::is_document(name) && *date >= day);
    let changed: Vec<String> = since.map(|(name, _)| name.to_owned()).collect();
    if changed.len() > MOST_CHANGES {
        return Err(format!(
            "more than {MOST_CHANGES} documents changed since the archive `{archive}`"
        ));
    }
    if let Some(bad) = changed.iter().find(|name| name.contains("..")) {
        return Err(format!("`changes.csv` names `{bad}`"));
    }
    files.extend(changed);
    files.push(archive);
    Ok(files)
}

const ARCHIVE: &str = ".tar.zst";

fn is_archive(name: &str) -> bool {
    name.starts_with("csaf_vex_") && name.ends_with(ARCHIVE) && !name.contains('/')
}

/// Names and times of a list of documents.
fn pairs(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.lines().filter_map(|line| {
        let (name, date) = line.trim().split_once(',')?;
        Some((name.trim_matches('"'), date.trim_matches('"')))
    })
}

fn read(input: Input, collector: &mut Collector) -> Result<(), String> {
    if input.name == DELETIONS {
        let list = input.bytes(LIST_LIMIT)?;
        for (name, date) in pairs(&String::from_utf8_lossy(&list)) {
            csaf::remove(name, date, collector);
        }
        return Ok(());
    }
    if is_archive(&input.name) {
        return csaf::read_archive(input.unpacked()?, &DIALECT, collector);
    }
    csaf::read(input, &DIALECT, collector)
}

/// The stream of a product, by its CPE name (NIST IR 7695), whose edition is
/// Red Hat's repository.
fn release(product: &Leaf<'_>) -> Option<Release> {
    const EXTENDED: &[&str] = &[
        "rhel_aus",
        "rhel_e4s",
        "rhel_els",
        "rhel_eus",
        "rhel_eus_long_life",
        "rhel_tus",
    ];
    let [vendor, product, version, update, _] = csaf::cpe_parts(product.cpe)?;
    // A beta is said in the place of the update.
    if vendor != "redhat" || version.is_empty() || !update.is_empty() {
        return None;
    }
    let name = match product.as_str() {
        // From 10 on the main stream names its minor release.
        "enterprise_linux" => {
            let major = version.split('.').next().unwrap_or_default();
            format!("Red Hat:enterprise_linux:{major}")
        }
        "enterprise_linux_eus" => format!("Red Hat:rhel_eus:{version}"),
        extended if EXTENDED.contains(&extended) => format!("Red Hat:{extended}:{version}"),
        _ => return None,
    };
    Some(Release {
        name,
        is_extended: false,
    })
}

/// The package of a component. What is mended has a package URL with a version;
/// what is not may have one without, or none.
fn package(place: &Place<'_>) -> Option<Package> {
    let component = &place.component;
    let module = place.within.first();
    let parsed = purl::parse(component.purl);
    let named = parsed.as_ref().filter(|purl| purl.kind == "rpm");
    let of_module = module.map(|module| stream(module)).transpose();
    // A module that cannot be understood must not pass for none.
    let module = of_module.ok()?;
    let Some(purl) = named else {
        let is_other = parsed.is_some_and(|purl| purl.kind != "rpmmod");
        return (!is_other).then(|| by_name(component, module)).flatten();
    };
    let own = match purl.qualifier("rpmmod").map(stream_of) {
        None => module,
        Some(Some(own)) => Some(own),
        Some(None) => return None,
    };
    let arch = purl.qualifier("arch").unwrap_or_default();
    if is_debug(&purl.name) {
        return None;
    }
    if purl.version.is_empty() {
        return match own {
            Some(_) => Some(Package {
                name: purl.name.clone(),
                module: own.unwrap_or_default(),
                ..Package::default()
            }),
            None => by_name(component, None),
        };
    }
    let epoch = purl.qualifier("epoch").unwrap_or_default();
    Some(build(&purl.name, own, epoch, &purl.version, arch))
}

/// A package of one version.
fn build(name: &str, module: Option<String>, epoch: &str, version: &str, arch: &str) -> Package {
    let is_source = arch == "src";
    Package {
        name: name.to_owned(),
        module: module.unwrap_or_default(),
        version: match epoch {
            "" | "0" => version.to_owned(),
            epoch => format!("{epoch}:{version}"),
        },
        source: if is_source {
            name.to_owned()
        } else {
            String::new()
        },
        is_source,
    }
}

/// Whether a package has nothing but symbols for debuggers.
fn is_debug(name: &str) -> bool {
    name.ends_with("-debuginfo")
        || name.ends_with("-debugsource")
        || name.contains("-debuginfo-common")
}

/// `bash`, `0`, `4.4.20-5.el8` and `x86_64` of `bash-0:4.4.20-5.el8.x86_64`.
fn nevra(text: &str) -> Option<(&str, &str, String, &str)> {
    let (rest, arch) = text.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let (epoch, version) = version.split_once(':')?;
    let is_number = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !name.contains(['/', ':', ' ']))
        .then(|| (name, epoch, format!("{version}-{release}"), arch))
}

/// A component by its name alone: `httpd`, in a module `nodejs:18/nodejs`, with
/// its version `httpd-0:2.4.37-65.el8.x86_64`.
fn by_name(component: &Leaf<'_>, module: Option<String>) -> Option<Package> {
    let name = if component.name.is_empty() {
        component.id
    } else {
        component.name
    };
    if let Some((name, epoch, version, arch)) = nevra(name) {
        return (!is_debug(name)).then(|| build(name, module, epoch, &version, arch));
    }
    let (module, name) = match name.split_once('/') {
        Some((module, name)) => (Some(stream_of(module)?), name),
        None => (module, name),
    };
    let is_name = !name.is_empty() && !name.contains(['/', ':', ' ']);
    is_name.then(|| Package {
        name: name.to_owned(),
        module: module.unwrap_or_default(),
        ..Package::default()
    })
}

/// `postgresql:12` of a module's component, `postgresql:12:8100020240814102525:489197e6`.
fn stream(module: &Leaf<'_>) -> Result<String, ()> {
    let name = if module.name.is_empty() {
        module.id
    } else {
        module.name
    };
    stream_of(name).ok_or(())
}

fn stream_of(module: &str) -> Option<String> {
    let mut parts = module.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

/// `RHSA-2024:5999` of `https://access.redhat.com/errata/RHSA-2024:5999`.
fn advisory(url: &str) -> Option<&str> {
    let name = url.rsplit('/').next()?;
    name.starts_with("RH").then_some(name)
}

/// The words stand in the details; the categories are CSAF's.
fn state(category: &str, details: &str) -> &'static str {
    match details.trim() {
        "Will not fix" => "will-not-fix",
        "Fix deferred" => "fix-deferred",
        "Out of support scope" => "end-of-life",
        "Under investigation" => "under-investigation",
        _ if category == "no_fix_planned" => "will-not-fix",
        _ => "",
    }
}
