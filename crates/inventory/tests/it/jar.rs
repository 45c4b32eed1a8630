//! Java archives: those of Maven Central, whose address says what each is, and
//! archives made to do harm.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Compression, Crc, write::DeflateEncoder};
use seawall_inventory::{Inventory, hostile};
use seawall_model::Technique;

use crate::support::{Random, gaps, have, project, run, syft, tree, write};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/jars")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(data().join(name)).unwrap()
}

/// Name, version and place of each package, sorted.
fn named(inventory: &Inventory) -> Vec<String> {
    let one = |inside: &Option<String>| inside.clone().map(|inside| format!(" in {inside}"));
    let mut all: Vec<String> = inventory
        .packages
        .iter()
        .map(|package| {
            let inside = one(&package.origin.inside).unwrap_or_default();
            format!("{} {}{inside}", package.name, package.version)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn archives_of_maven_central_are_what_their_address_says() {
    let inventory = tree(&data());
    let of_files: Vec<String> = named(&inventory)
        .into_iter()
        .filter(|one| !one.contains(" in "))
        .collect();
    assert_eq!(
        of_files,
        [
            "com.fasterxml.jackson.core:jackson-databind 2.13.0",
            "hadoop-client-runtime 3.3.1",
            "org.apache.logging.log4j:log4j-1.2-api 2.14.1",
            "org.apache.logging.log4j:log4j-core 2.14.1",
            "org.apache.tomcat.embed:tomcat-embed-core 9.0.50",
            "org.springframework:spring-core 5.3.20",
            "xpp3_min 1.1.4c",
        ]
    );
    // What no group is known of is not guessed.
    let xpp3 = inventory
        .packages
        .iter()
        .find(|one| one.name == "xpp3_min")
        .unwrap();
    assert_eq!(xpp3.purl, "pkg:maven/xpp3_min@1.1.4c");
    assert_eq!(xpp3.technique, Technique::FileName);
    assert_eq!(
        gaps(&inventory),
        [
            "missing jars: 2 of the Java archives do not say which group they are of, and no \
             advisory can be looked up for them: `hadoop-client-runtime 3.3.1`, `xpp3_min 1.1.4c`"
        ]
    );
    let of_file = |path: &str| {
        let mut all = inventory.packages.iter();
        all.find(|one| one.origin.path == path && one.origin.inside.is_none())
            .unwrap()
    };
    // `unzip -p … META-INF/maven/…/pom.xml | grep -A1 '<license>'`
    assert_eq!(
        of_file("jackson-databind-2.13.0.jar").licenses,
        ["The Apache Software License, Version 2.0"]
    );
    // The same in a project's folder.
    assert_eq!(named(&project(&data())), named(&inventory));
}

#[test]
fn every_name_and_version_that_syft_finds_is_found() {
    if !have(&["syft", "jq"]) {
        return;
    }
    let last = |purl: &String| purl.rsplit('/').next().unwrap_or_default().to_owned();
    let mut theirs: Vec<String> = syft(&data(), "java-archive").iter().map(last).collect();
    let inventory = tree(&data());
    let mut ours: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| last(&one.purl))
        .collect();
    theirs.sort();
    ours.sort();
    assert!(theirs.len() > 40, "{theirs:?}");
    assert_eq!(ours, theirs);
}

#[test]
fn the_hash_is_that_of_the_archive() {
    if !have(&["sha1sum"]) {
        return;
    }
    let file = data().join("log4j-core-2.14.1.jar");
    let said = run(Command::new("sha1sum").arg(&file));
    let inventory = tree(&data());
    let found = inventory
        .packages
        .iter()
        .find(|one| one.name.ends_with(":log4j-core"))
        .unwrap();
    let hashes: Vec<String> = found.hashes.iter().map(ToString::to_string).collect();
    let sum = said.split(' ').next().unwrap();
    assert_eq!(hashes, [format!("sha1:{sum}")]);
}

/// One entry of a zip that is made here.
#[derive(Clone, Copy)]
struct Made<'a> {
    name: &'a str,
    content: &'a [u8],
    deflate: bool,
    flags: u16,
    /// The size that the directory tells, if not the true one.
    size: Option<u32>,
    /// The name in the local header, if not the same.
    local: Option<&'a str>,
}

fn made<'a>(name: &'a str, content: &'a [u8]) -> Made<'a> {
    Made {
        name,
        content,
        deflate: false,
        flags: 0,
        size: None,
        local: None,
    }
}

fn zip(entries: &[Made<'_>]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for one in entries {
        let mut crc = Crc::new();
        crc.update(one.content);
        let packed = if one.deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(one.content).unwrap();
            encoder.finish().unwrap()
        } else {
            one.content.to_vec()
        };
        let at = u32::try_from(out.len()).unwrap();
        let size = one
            .size
            .unwrap_or(u32::try_from(one.content.len()).unwrap());
        let method = if one.deflate { 8_u16 } else { 0 };
        let middle = |name: &str| {
            let mut fields = Vec::new();
            fields.extend(one.flags.to_le_bytes());
            fields.extend(method.to_le_bytes());
            fields.extend([0; 4]);
            fields.extend(crc.sum().to_le_bytes());
            fields.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
            fields.extend(size.to_le_bytes());
            fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
            fields.extend([0; 2]);
            fields
        };
        let local = one.local.unwrap_or(one.name);
        out.extend(b"PK\x03\x04\x14\0");
        out.extend(middle(local));
        out.extend(local.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(middle(one.name));
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(one.name.as_bytes());
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// What the archive at `x/NAME` holds, and what is said of it.
fn found(name: &str, archive: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &format!("x/{name}"), archive);
    let inventory = tree(root.path());
    (named(&inventory), gaps(&inventory))
}

/// The layouts of Spring Boot (stored) and of a web application (packed), with
/// an archive in an archive, behind a script that runs it.
#[test]
fn archives_in_archives_are_read() {
    let core = bytes("log4j-core-2.14.1.jar");
    let spring = bytes("spring-core-5.3.20.jar");
    let war = zip(&[Made {
        deflate: true,
        ..made("WEB-INF/lib/log4j-core-2.14.1.jar", &core)
    }]);
    let mut boot = b"#!/bin/sh\nexec java -jar \"$0\"\n".to_vec();
    boot.extend(zip(&[
        made("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\nImplementation-Title: demo\r\nImplementation-Version: 0.1\r\n"),
        made("BOOT-INF/lib/spring-core-5.3.20.jar", &spring),
        made("BOOT-INF/lib/inner.war", &war),
    ]));
    let (packages, gaps) = found("demo.jar", boot);
    assert_eq!(
        packages,
        [
            "demo 0.1",
            "inner  in BOOT-INF/lib/inner.war",
            "org.apache.logging.log4j:log4j-core 2.14.1 in \
             BOOT-INF/lib/inner.war!/WEB-INF/lib/log4j-core-2.14.1.jar",
            "org.springframework:spring-core 5.3.20 in BOOT-INF/lib/spring-core-5.3.20.jar",
        ]
    );
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].ends_with(": `demo 0.1`"), "{gaps:?}");
}

/// Archives that other tools write: `jar`, and `zip` with Zip64 (it writes a
/// stream's sizes so).
#[test]
fn archives_of_other_tools_are_read() {
    if !have(&["jar", "zip", "sh"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let lib = root.path().join("lib");
    std::fs::create_dir(&lib).unwrap();
    std::fs::copy(
        data().join("spring-core-5.3.20.jar"),
        lib.join("spring-core-5.3.20.jar"),
    )
    .unwrap();
    let out = root.path().join("out");
    std::fs::create_dir(&out).unwrap();
    for script in [
        "jar cf out/jar.war -C . lib",
        "jar cf0 out/jar0.war -C . lib",
        "cat lib/spring-core-5.3.20.jar | zip -q -fz out/stream.war - && \
         printf '@ -\\n@=spring-core-5.3.20.jar\\n' | zipnote -w out/stream.war",
    ] {
        run(Command::new("sh")
            .current_dir(root.path())
            .args(["-c", script]));
    }
    let inventory = tree(&out);
    let spring = inventory
        .packages
        .iter()
        .filter(|one| one.name == "org.springframework:spring-core");
    let paths: Vec<_> = spring.map(|one| one.origin.path.as_str()).collect();
    assert_eq!(paths, ["jar.war", "jar0.war", "stream.war"]);
}

#[test]
fn four_thousand_levels_are_refused_by_a_named_limit() {
    let mut archive = bytes("log4j-1.2-api-2.14.1.jar");
    for _ in 0..4000 {
        archive = zip(&[made("a.jar", &archive)]);
    }
    let (packages, gaps) = found("deep.jar", archive);
    // The one on top and eight below it.
    assert_eq!(packages.len(), 9);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(
        gaps[0].starts_with("limit x/deep.jar: `a.jar!/a.jar!/")
            && gaps[0].ends_with("lies more than 8 archives deep: it is not read"),
        "{gaps:?}"
    );
}

#[test]
fn each_lie_costs_its_own_entry() {
    let good = bytes("spring-core-5.3.20.jar");
    let bomb = vec![0; 3 << 20];
    let small = |size| Some(size);
    let archive = zip(&[
        Made {
            deflate: true,
            size: small(1000),
            ..made("lib/liar-1.jar", &bomb)
        },
        Made {
            deflate: true,
            size: small(u32::MAX - 1),
            ..made("lib/huge-1.jar", &good)
        },
        Made {
            flags: 1,
            ..made("lib/secret-1.jar", &good)
        },
        Made {
            local: Some("lib/other-1.jar"),
            ..made("lib/two-1.jar", &good)
        },
        made("lib/cut-1.jar", &good[..good.len() / 2]),
        made("lib/spring-core-5.3.20.jar", &good),
    ]);
    let (packages, gaps) = found("app.war", archive);
    assert_eq!(
        packages,
        [
            "app ",
            "org.springframework:spring-core 5.3.20 in lib/spring-core-5.3.20.jar"
        ]
    );
    assert_eq!(
        gaps,
        [
            "unsupported x/app.war: `lib/secret-1.jar` in it is encrypted",
            "damaged x/app.war: `lib/cut-1.jar` in it is no zip archive, or is cut off",
            "damaged x/app.war: `lib/liar-1.jar` in it unpacks to more bytes than the directory says",
            "damaged x/app.war: `lib/two-1.jar` in it is another one by its own header than by the \
             directory",
            "limit x/app.war: `lib/huge-1.jar` in it is not read: what was unpacked has more than \
             1073741824 bytes",
        ]
    );
}

/// Thousands of entries over the same bytes, as zip bombs have them.
#[test]
fn entries_that_share_bytes_are_refused() {
    let good = bytes("spring-core-5.3.20.jar");
    let one = zip(&[made("lib/spring-core-5.3.20.jar", &good)]);
    let end = one.len() - 22;
    let start = usize::try_from(u32::from_le_bytes(
        one[end + 16..end + 20].try_into().unwrap(),
    ));
    let entry = one[start.unwrap()..end].to_vec();
    let mut archive = one[..end].to_vec();
    for _ in 0..2999 {
        archive.extend(&entry);
    }
    let size = u32::try_from(entry.len() * 3000).unwrap();
    let mut last = one[end..].to_vec();
    last[8..10].copy_from_slice(&3000_u16.to_le_bytes());
    last[10..12].copy_from_slice(&3000_u16.to_le_bytes());
    last[12..16].copy_from_slice(&size.to_le_bytes());
    archive.extend(last);
    let (packages, gaps) = found("bomb.jar", archive);
    assert_eq!(packages.len(), 2, "{packages:?}");
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert_eq!(
        gaps[0],
        "damaged x/bomb.jar: 2949 more entries of it cannot be read"
    );
    assert_eq!(
        gaps[1],
        "damaged x/bomb.jar: `lib/spring-core-5.3.20.jar` in it shares bytes with another one"
    );
}

#[test]
fn what_is_no_archive_is_said() {
    let good = bytes("log4j-core-2.14.1.jar");
    let (packages, gaps) = found("cut.jar", &good[..good.len() - 30]);
    assert_eq!(packages, [""; 0]);
    assert_eq!(
        gaps,
        ["damaged x/cut.jar: the archive is no zip archive, or is cut off"]
    );
    // Other formats have these endings too, and nothing is in an empty file.
    assert_eq!(found("x.rar", b"Rar!\x1A\x07"), (vec![], vec![]));
    assert_eq!(found("empty.jar", b""), (vec![], vec![]));
}

#[test]
fn changed_archives_never_panic() {
    let good = bytes("log4j-1.2-api-2.14.1.jar");
    let archive = zip(&[
        Made {
            deflate: true,
            ..made("lib/a-1.jar", &good)
        },
        made(
            "META-INF/maven/g/a/pom.properties",
            b"groupId=g\nartifactId=a\nversion=1\n",
        ),
    ]);
    let mut random = Random(11);
    for _ in 0..3000 {
        let mut bytes = archive.clone();
        for _ in 0..=random.below(6) {
            // Most of what can lie stands at the end.
            let at = bytes.len() - 1 - random.below(bytes.len().min(300));
            bytes[at] = [0, 1, 0xFF, 0x7F, b'P', b'/'][random.below(6)];
        }
        if random.below(4) == 0 {
            bytes.truncate(random.below(bytes.len()) + 1);
        }
        drop(hostile::evidence("jar", "app.jar", &bytes));
    }
}
