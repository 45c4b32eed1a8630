//! A target and packages that have everything that a document can say.

use seawall_model::{
    Confidence, Cvss, Finding, Fingerprint, Fix, Hash, HashAlgorithm, ImageLayer, LineColumn,
    Location, Origin, Os, Owner, Package, Relation, Remedy, Requirement, Severity, SeverityOpinion,
    Source, Span, Target, TargetKind, Technique, TextRange, Vulnerability,
};

pub(crate) const CREATED: &str = "2026-01-02T03:04:05Z";

fn layer(name: &str) -> ImageLayer {
    ImageLayer {
        diff_id: format!("sha256:{name:0>64}"),
        digest: Some(format!("sha256:{name:f>64}")),
        size: 0,
        created_by: Some(format!("COPY \"{name}\" <here> && run")),
        line: None,
    }
}

pub(crate) fn image() -> Target {
    Target {
        digest: Some(format!("sha256:{:0>64}", "c")),
        manifest: Some(format!("sha256:{:0>64}", "d")),
        platform: Some("linux/arm64/v8".to_owned()),
        os: Some(Os {
            id: "almalinux".to_owned(),
            version: "9.3".to_owned(),
            name: "AlmaLinux 9.3 (Shamrock Pampas Cat)".to_owned(),
            codename: Some("shamrock".to_owned()),
            like: vec!["rhel".to_owned(), "centos".to_owned()],
        }),
        layers: vec![layer("a"), layer("b")],
        ..Target::new(TargetKind::Image, "ghcr.io/Acme/shop:1.4", "docker")
    }
}

pub(crate) fn project() -> Target {
    Target::new(TargetKind::Directory, "./shop", "dir")
}

fn at(path: &str, layer: Option<usize>) -> Origin {
    Origin {
        path: path.to_owned(),
        layer,
        ..Origin::default()
    }
}

fn hash(algorithm: HashAlgorithm) -> Hash {
    Hash::new(algorithm, &"0f".repeat(algorithm.bytes())).unwrap()
}

fn needs(name: &str, version: Option<&str>) -> Requirement {
    Requirement {
        name: name.to_owned(),
        version: version.map(str::to_owned),
    }
}

fn licenses(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

/// What lies in an image.
pub(crate) fn installed() -> Vec<Package> {
    let rpms = "var/lib/rpm/rpmdb.sqlite";
    let openssl = Source {
        name: "openssl".to_owned(),
        version: "3.0.7-25.el9_3".to_owned(),
    };
    vec![
        Package {
            arch: Some("aarch64".to_owned()),
            source: Some(openssl.clone()),
            licenses: licenses(&["ASL 2.0"]),
            requires: vec![needs("glibc", Some("2.34-83.el9_3.7"))],
            technique: Technique::Manifest,
            ..Package::new(
                "rpm",
                "openssl-libs",
                "1:3.0.7-25.el9_3",
                "pkg:rpm/almalinux/openssl-libs@3.0.7-25.el9_3?arch=aarch64&distro=almalinux-9.3&epoch=1&upstream=openssl-3.0.7-25.el9_3.src.rpm",
                at(rpms, Some(0)),
            )
        },
        Package {
            module: Some("nodejs:18:9030020231211:rhel9:aarch64".to_owned()),
            requires: vec![needs("openssl-libs", None)],
            ..Package::new(
                "rpm",
                "glibc",
                "2.34-83.el9_3.7",
                "pkg:rpm/almalinux/glibc@2.34-83.el9_3.7",
                at(rpms, Some(1)),
            )
        },
        Package {
            licenses: licenses(&["MIT OR Apache-2.0", "Zlib"]),
            hashes: HashAlgorithm::ALL.map(hash).to_vec(),
            technique: Technique::FileName,
            origin: Origin {
                inside: Some("BOOT-INF/lib/core.jar!/META-INF/x.jar".to_owned()),
                ..at("app/shop.jar", Some(1))
            },
            ..Package::new(
                "maven",
                "org.apache.logging.log4j:log4j-core",
                "2.14.1",
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
                Origin::default(),
            )
        },
        Package {
            licenses: licenses(&["MIT"]),
            requires: vec![needs("left-pad", Some("1.0.0"))],
            owner: Some(Owner {
                name: "npm".to_owned(),
                answers: false,
            }),
            ..Package::new(
                "npm",
                "@acme/ui",
                "1.0.0-beta.1",
                "pkg:npm/%40acme/ui@1.0.0-beta.1",
                at("usr/lib/node_modules/@acme/ui/package.json", Some(1)),
            )
        },
        Package {
            licenses: licenses(&["BSD 3-Clause", "GPL-2.0+"]),
            ..Package::new(
                "npm",
                "left-pad",
                "1.0.0",
                "pkg:npm/left-pad@1.0.0",
                at("usr/lib/node_modules/left-pad/package.json", Some(1)),
            )
        },
        Package {
            licenses: licenses(&["LicenseRef-scancode-public-domain"]),
            ..Package::new(
                "npm",
                "left-pad",
                "1.0.0",
                "pkg:npm/left-pad@1.0.0",
                at("srv/node_modules/left-pad/package.json", Some(0)),
            )
        },
        Package::new(
            "pypi",
            "Django_Package",
            "4.2",
            "pkg:pypi/django-package@4.2",
            at(
                "usr/lib/python3/site-packages/Django_Package-4.2.dist-info/METADATA",
                None,
            ),
        ),
        Package {
            technique: Technique::Binary,
            ..Package::new(
                "golang",
                "stdlib",
                "go1.21.0",
                "pkg:golang/stdlib@1.21.0",
                at("usr/bin/caddy", Some(1)),
            )
        },
        Package {
            technique: Technique::Fingerprint,
            ..Package::new(
                "generic",
                "redis",
                "7.0.1",
                "pkg:generic/redis@7.0.1",
                at("usr/bin/redis", Some(0)),
            )
        },
        Package {
            technique: Technique::Sbom,
            ..Package::new(
                "bitnami",
                "wordpress",
                "6.1",
                "pkg:bitnami/wordpress@6.1?arch=arm64",
                Origin::default(),
            )
        },
    ]
}

/// What a project declares.
pub(crate) fn declared() -> Vec<Package> {
    let range = |line: u32| TextRange {
        span: Span::new(0, 0),
        start: LineColumn { line, column: 5 },
        end: LineColumn { line, column: 12 },
    };
    let origin = |line: u32| Origin {
        range: Some(range(line)),
        ..at("web/package-lock.json", None)
    };
    let relation = |direct, development| Relation {
        direct,
        development,
    };
    vec![
        Package {
            relation: relation(Some(true), false),
            requires: vec![needs("b", Some("2.0.0")), needs("c", None)],
            ..Package::new("npm", "a", "1.0.0", "pkg:npm/a@1.0.0", origin(3))
        },
        Package {
            relation: relation(Some(false), true),
            requires: vec![needs("a", Some("1.0.0"))],
            ..Package::new("npm", "b", "2.0.0", "pkg:npm/b@2.0.0", origin(7))
        },
        // Named twice, as by two lines of one file.
        Package::new("npm", "c", "3.0.0", "pkg:npm/c@3.0.0", origin(9)),
        Package::new("npm", "c", "3.0.0", "pkg:npm/c@3.0.0", origin(11)),
        Package::new("npm", "d", "", "pkg:npm/d", origin(12)),
    ]
}

/// Text that means harm in some format or other.
pub(crate) const HOSTILE: [&str; 9] = [
    "esc\u{1b}[31m\u{9b}2J",
    "nul\0tab\tline\nPackageName: other\r\nSPDXID: x",
    "bidi\u{202e}gpj.exe\u{2028}",
    "<script>alert(1)</script>]]><!-- --> &e; &#60;",
    "</text>\nRelationship: a DESCRIBES b",
    "\u{fffe}\u{ffff}\u{feff}\u{e0041}",
    "a b: c",
    "\"quoted\" \\ 'and'",
    "日本語 é 😀",
];

/// The same with hostile text wherever text comes from outside.
pub(crate) fn hostile() -> (Target, Vec<Package>) {
    let mut target = image();
    let mut packages = Vec::new();
    for (index, text) in HOSTILE.iter().enumerate() {
        let text = (*text).to_owned();
        packages.push(Package {
            arch: Some(text.clone()),
            source: Some(Source {
                name: text.clone(),
                version: text.clone(),
            }),
            module: Some(text.clone()),
            licenses: vec![text.clone()],
            owner: Some(Owner {
                name: text.clone(),
                answers: false,
            }),
            requires: vec![needs(&text, Some(&text))],
            origin: Origin {
                inside: Some(text.clone()),
                ..at(&text, Some(0))
            },
            ..Package::new(
                "npm",
                text.clone(),
                text.clone(),
                format!("pkg:npm/x{index}@1"),
                Origin::default(),
            )
        });
        target.name = format!("{}{text}", target.name);
        target.layers[0].created_by = Some(text.clone());
        if let Some(os) = &mut target.os {
            os.name = text;
        }
    }
    (target, packages)
}

/// Flaws of the packages of [`installed`].
pub(crate) fn findings() -> Vec<Finding> {
    let finding = |package: usize, flaw: Vulnerability| Finding {
        target: 0,
        rule: "package/known-vulnerability",
        aliases: Vec::new(),
        severity: Severity::High,
        confidence: Confidence::High,
        message: format!("affected by {}", flaw.id),
        fingerprint: Fingerprint::of(&[&flaw.id]),
        location: Location::Target,
        related: Vec::new(),
        package: Some(package),
        fix: flaw.fixed.first().map(|version| Fix {
            title: format!("upgrade to {version}"),
            applicability: seawall_model::Applicability::DisplayOnly,
            remedy: Remedy::Upgrade {
                version: version.clone(),
            },
        }),
        vulnerability: Some(Box::new(flaw)),
    };
    let cvss = |vector: &str, score: f64| Cvss {
        vector: vector.to_owned(),
        score,
        source: "nvd".to_owned(),
    };
    let log4shell = Vulnerability {
        id: "CVE-2021-44228".to_owned(),
        advisory: "GHSA-jfh8-c2jp-5v3q".to_owned(),
        aliases: vec!["GHSA-jfh8-c2jp-5v3q".to_owned()],
        fixed: vec!["2.15.0".to_owned()],
        cvss: vec![
            cvss("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            cvss("AV:N/AC:M/Au:N/C:C/I:C/A:C", 9.3),
        ],
        severities: vec![SeverityOpinion {
            source: "github".to_owned(),
            severity: Severity::Critical,
        }],
        summary: Some("remote code execution <in> lookups".to_owned()),
        published: Some("2021-12-10T00:00:40Z".to_owned()),
        modified: Some("2025-01-01".to_owned()),
        ..Vulnerability::default()
    };
    let other = Vulnerability {
        id: "CVE-2020-1 <x>".to_owned(),
        fixed: vec!["1.3.0".to_owned()],
        ..Vulnerability::default()
    };
    vec![
        finding(2, log4shell),
        finding(4, other.clone()),
        finding(5, other.clone()),
        finding(5, other),
    ]
}
