//! One report with every kind of finding.

use seawall_model::{
    Base, BaseEvidence, Baseline, Confidence, Cvss, DatabaseInfo, DatabaseKind, EarlierFinding,
    Epss, Finding, Fingerprint, Fix, Gap, GapKind, Hash, ImageLayer, Kev, LineColumn, Location,
    Origin, Os, Package, Remedy, Report, Rule, Severity, SeverityOpinion, Source, Span, Status,
    Suppressed, Suppressor, Target, TargetKind, TextRange, Vulnerability,
    vex::{Claim, VexStatus},
};

static FLAW: Rule = Rule {
    id: "package/known-vulnerability",
    summary: "package with a known flaw",
    doc: "## What it finds\nA package with a known flaw.\n\n## What to do\nUpgrade.\n",
    severity: Severity::Unknown,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://osv.dev/"],
};
static MALICIOUS: Rule = Rule {
    id: "package/malicious",
    summary: "package that was made to do harm",
    doc: "## What it finds\nA package that was made to do harm.\n",
    severity: Severity::Critical,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://github.com/ossf/malicious-packages"],
};
static END: Rule = Rule {
    id: "os/end-of-life",
    summary: "distribution release without security support",
    doc: "## What it finds\nA release that gets no more security fixes.\n",
    severity: Severity::High,
    confidence: Confidence::High,
    aliases: &[],
    references: &["https://endoflife.date/"],
};

/// Text that means harm in some format or other.
pub(crate) const HOSTILE: [&str; 13] = [
    "esc\u{1b}[31m\u{1b}]0;title\u{7}\u{9b}2J",
    "nul\0tab\tline\nfeed\r\nback\u{8}del\u{7f}",
    "bidi\u{202e}gpj.exe\u{2066}\u{200f}\u{2028}",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\"onmouseover=\"alert(3)' &amp; &#60;",
    "]]><!-- --> <!DOCTYPE x [<!ENTITY e \"x\">]>&e;",
    "a|b`c``d|` **bold** _em_ [link](http://evil.example) ![i](x) \\",
    "@torvalds #1 www.evil.example http://evil.example",
    "{0} {{1}} [text](http://evil.example)",
    "\u{fffe}\u{ffff}\u{feff}\u{e0041}",
    "- # = > 1. ~~~ ``` --- <details>",
    "{% raw %} {{ version }}",
    "::add-mask::a##[add-mask]b",
];

pub(crate) fn target(kind: TargetKind, name: &str) -> Target {
    Target::new(kind, name, "archive")
}

fn image() -> Target {
    let layer = |name: &str| ImageLayer {
        diff_id: format!("sha256:{name:0>64}"),
        digest: None,
        size: 1,
        created_by: None,
        line: None,
    };
    Target {
        digest: Some(format!("sha256:{:0>64}", "c")),
        platform: Some("linux/amd64".to_owned()),
        os: Some(Os {
            id: "debian".to_owned(),
            version: "10".to_owned(),
            name: "Debian GNU/Linux 10 (buster)".to_owned(),
            codename: Some("buster".to_owned()),
            like: Vec::new(),
        }),
        layers: vec![
            layer("a"),
            ImageLayer {
                line: Some(7),
                ..layer("b")
            },
        ],
        base: Some(Base {
            name: Some("debian:10".to_owned()),
            digest: None,
            layers: 1,
            evidence: BaseEvidence::History,
        }),
        dockerfile: Some("Dockerfile".to_owned()),
        ..target(TargetKind::Image, "shop:1.4")
    }
}

fn range(line: u32, start: u32, end: u32) -> TextRange {
    TextRange {
        span: Span::new(0, 0),
        start: LineColumn {
            line,
            column: start,
        },
        end: LineColumn { line, column: end },
    }
}

pub(crate) fn package(kind: &'static str, name: &str, version: &str, origin: Origin) -> Package {
    let purl = format!("pkg:{kind}/{name}@{version}");
    Package::new(kind, name, version, purl, origin)
}

pub(crate) fn locked(path: &str, line: u32) -> Origin {
    Origin {
        path: path.to_owned(),
        range: Some(range(line, 5, 12)),
        ..Origin::default()
    }
}

fn installed(layer: usize) -> Origin {
    Origin {
        path: "var/lib/dpkg/status".to_owned(),
        layer: Some(layer),
        ..Origin::default()
    }
}

impl Sample {
    /// A finding of the package that was added last.
    pub(crate) fn flaw(&mut self, severity: Severity, id: &str, fixed: &[&str]) -> &mut Finding {
        let index = self.0.packages.len() - 1;
        let package = &self.0.packages[index];
        let origin = &package.origin;
        let mends = fixed.first().map(|version| Fix {
            title: format!("upgrade `{}` to {version}", package.name),
            applicability: seawall_model::Applicability::DisplayOnly,
            remedy: Remedy::Upgrade {
                version: (*version).to_owned(),
            },
        });
        let finding = Finding {
            target: self.0.package_targets[index],
            rule: FLAW.id,
            aliases: Vec::new(),
            severity,
            confidence: Confidence::High,
            message: format!("`{}` {} is affected by {id}", package.name, package.version),
            fingerprint: Fingerprint::of(&[FLAW.id, &origin.path, &package.name, id]),
            location: Location::File {
                path: origin.path.clone(),
                layer: origin.layer,
                range: origin.range,
            },
            related: Vec::new(),
            package: Some(index),
            vulnerability: Some(Box::new(Vulnerability {
                id: id.to_owned(),
                advisory: id.to_owned(),
                fixed: fixed.iter().map(|one| (*one).to_owned()).collect(),
                ..Vulnerability::default()
            })),
            fix: mends,
        };
        self.0.findings.push(finding);
        self.0.findings.last_mut().unwrap()
    }

    fn suppress_last_two(&mut self) {
        for by in [
            vec![Suppressor::Vex(claim(VexStatus::NotAffected))],
            vec![
                Suppressor::Setting {
                    place: "seawall.toml:7".to_owned(),
                    reason: "only | in `tests`".to_owned(),
                    justification: Some("vulnerable_code_not_in_execute_path".to_owned()),
                    expires: Some("2027-01-31".to_owned()),
                },
                Suppressor::Vex(claim(VexStatus::Fixed)),
            ],
        ] {
            // The first of the last two, then the one that is left.
            let at = self.0.findings.len() - 2 + self.0.suppressed.len();
            let finding = self.0.findings.remove(at);
            self.0.suppressed.push(Suppressed { finding, by });
        }
    }

    pub(crate) fn package(&mut self, target: usize, package: Package) {
        self.0.packages.push(package);
        self.0.package_targets.push(target);
    }
}

/// A report that grows.
pub(crate) struct Sample(pub(crate) Report);

impl Sample {
    pub(crate) fn new(targets: Vec<Target>) -> Self {
        Sample(Report {
            targets,
            database: Some(DatabaseInfo {
                kind: DatabaseKind::Installed,
                digest: format!("sha256:{:0>64}", "d"),
                built: "2026-05-01T10:00:00Z".to_owned(),
                ecosystems: vec!["Debian:10".to_owned(), "npm".to_owned()],
            }),
            rules: vec![&END, &FLAW, &MALICIOUS],
            ..Report::default()
        })
    }
}

fn claim(status: VexStatus) -> Claim {
    Claim {
        document: "https://example.com/vex/1".to_owned(),
        place: "vex/shop.json".to_owned(),
        number: 2,
        author: Some("Acme".to_owned()),
        status,
        justification: (status == VexStatus::NotAffected)
            .then(|| "vulnerable_code_not_present".to_owned()),
        impact: None,
        action: (status == VexStatus::Affected).then(|| "turn off <b>reload</b>".to_owned()),
        time: Some("2026-01-02T03:04:05Z".to_owned()),
        order: 0,
    }
}

pub(crate) fn flaw(finding: &mut Finding) -> &mut Vulnerability {
    finding.vulnerability.as_mut().unwrap()
}

/// Every kind of finding, in text that means no harm.
pub(crate) fn report() -> Report {
    let mut sample = Sample::new(vec![
        image(),
        target(TargetKind::Directory, "./shop/"),
        target(TargetKind::Directory, "/srv/a b"),
        target(TargetKind::Sbom, "bom.json"),
    ]);
    let mut openssl = package("deb", "libssl1.1", "1.1.1d-0+deb10u1", installed(0));
    openssl.source = Some(Source {
        name: "openssl".to_owned(),
        version: "1.1.1d-0+deb10u1".to_owned(),
    });
    openssl.licenses = vec!["OpenSSL".to_owned()];
    openssl.hashes = Hash::parse(&format!("md5:{}", "0f".repeat(16)))
        .into_iter()
        .collect();
    sample.package(0, openssl);
    let kev = sample.flaw(Severity::Critical, "CVE-2022-0001", &["1.1.1n-0+deb10u2"]);
    *flaw(kev) = Vulnerability {
        advisory: "DSA-1-1".to_owned(),
        aliases: vec!["DSA-1-1".to_owned()],
        cvss: vec![Cvss {
            vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned(),
            score: 9.8,
            source: "nvd".to_owned(),
        }],
        severities: vec![SeverityOpinion {
            source: "cvss:nvd".to_owned(),
            severity: Severity::Critical,
        }],
        kev: Some(Kev {
            added: "2023-04-07".to_owned(),
            due: Some("2023-04-28".to_owned()),
            ransomware: true,
        }),
        epss: Some(Epss {
            score: 0.9421,
            percentile: 0.999,
        }),
        summary: Some("infinite loop when reading certificates".to_owned()),
        published: Some("2022-03-15T00:00:00Z".to_owned()),
        ..flaw(kev).clone()
    };
    sample.flaw(Severity::Unknown, "CVE-2022-0002", &["1.1.1k-1", "3.0.2"]);
    flaw(sample.flaw(Severity::Low, "CVE-2007-6755", &[])).status = Status::WillNotFix;

    sample.package(
        1,
        package(
            "npm",
            "@babel/core",
            "7.0.0",
            locked("web/package-lock.json", 12),
        ),
    );
    sample.flaw(Severity::Medium, "GHSA-aaaa-bbbb-cccc", &["7.0.1", "8.0.0"]);
    sample.flaw(Severity::Medium, "CVE-2024-0003", &[]);
    sample.package(
        1,
        package(
            "npm",
            "evil-left-pad",
            "1.0.0",
            locked("web/package-lock.json", 40),
        ),
    );
    let evil = sample.flaw(Severity::Critical, "MAL-2024-1", &[]);
    evil.rule = MALICIOUS.id;
    evil.message = "`evil-left-pad` 1.0.0 was made to do harm (MAL-2024-1)".to_owned();
    sample.package(
        2,
        package("pypi", "django", "3.2.0", locked("requirements.txt", 2)),
    );
    sample.flaw(Severity::High, "CVE-2023-36053", &["3.2.20"]);
    sample.package(
        1,
        package("cargo", "clean", "1.0.0", locked("Cargo.lock", 3)),
    );

    // Taken out again below, one for each way.
    sample.flaw(Severity::High, "CVE-2025-0004", &["1.0.1"]);
    sample.flaw(Severity::Low, "CVE-2025-0005", &[]);
    sample.suppress_last_two();

    let end = Finding {
        target: 0,
        rule: END.id,
        aliases: Vec::new(),
        severity: Severity::High,
        confidence: Confidence::High,
        message: "`Debian 10` gets no more security fixes since 2024-06-30".to_owned(),
        fingerprint: Fingerprint::of(&[END.id, "debian", "10"]),
        location: Location::Target,
        related: Vec::new(),
        package: None,
        vulnerability: None,
        fix: None,
    };
    sample.0.findings.push(end);
    let worst_first = |one: &Finding| std::cmp::Reverse(one.severity);
    sample.0.findings.sort_by_key(worst_first);
    let claimed = sample.0.findings.iter_mut();
    let mut claimed = claimed.filter(|one| one.vulnerability.is_some());
    if let Some(last) = claimed.next_back() {
        flaw(last).claim = Some(Box::new(claim(VexStatus::Affected)));
    }
    sample.0.gaps = vec![
        Gap::new(
            GapKind::StaleAdvisories,
            "Debian:10",
            "the newest advisory is of 2024-06-30; today is 2026-05-02",
        ),
        Gap {
            target: 1,
            ..Gap::new(
                GapKind::Damaged,
                "web/yarn.lock",
                "line 3 is no entry of a lock file",
            )
        },
    ];
    sample.0
}

pub(crate) fn earlier(target: usize, message: &str, severity: Severity) -> EarlierFinding {
    EarlierFinding {
        target,
        fingerprint: Fingerprint::of(&[message]),
        rule: FLAW.id.to_owned(),
        severity,
        message: message.to_owned(),
        fixable: true,
        exploited: false,
        epss: None,
        path: None,
        package: Some("pypi".to_owned()),
    }
}

/// What is new against an earlier report, which is nothing in the last target.
pub(crate) fn compared() -> Report {
    let mut report = report();
    report.findings.retain(|one| one.target != 2);
    let known = "`django` 3.2.0 is affected by CVE-2023-36053";
    let gone = "`lodash` 4.17.20 is affected by CVE-2021-23337";
    report.baseline = Some(Baseline {
        digest: format!("sha256:{:0>64}", "e"),
        findings: 6,
        known: vec![earlier(2, known, Severity::High)],
        worse: vec![EarlierFinding {
            fingerprint: report.findings[0].fingerprint,
            ..earlier(report.findings[0].target, "as it was", Severity::Medium)
        }],
        gone: vec![
            earlier(1, gone, Severity::High),
            earlier(0, "`zlib` 1.2 is affected by CVE-2018-25032", Severity::Low),
        ],
        unseen: 2,
        gaps: 1,
    });
    report
}

/// Hostile text wherever text comes from outside, and a very long name.
pub(crate) fn hostile() -> Report {
    let mut targets: Vec<Target> = HOSTILE
        .iter()
        .map(|text| target(TargetKind::Directory, text))
        .collect();
    let long = "long".repeat(5000);
    targets.push(target(TargetKind::Image, &long));
    let mut sample = Sample::new(targets);
    for (index, text) in HOSTILE.iter().copied().chain([long.as_str()]).enumerate() {
        let one = &mut sample.0.targets[index];
        one.digest = Some(text.to_owned());
        one.platform = Some(text.to_owned());
        one.os = Some(Os {
            id: text.to_owned(),
            version: text.to_owned(),
            name: text.to_owned(),
            codename: Some(text.to_owned()),
            like: Vec::new(),
        });
        let mut origin = locked(text, 1);
        if index % 2 == 0 {
            origin.range = None;
        }
        let mut package = package("npm", text, text, origin);
        package.source = Some(Source {
            name: format!("{text} source"),
            version: text.to_owned(),
        });
        package.licenses = vec![text.to_owned()];
        sample.package(index, package);
        let finding = sample.flaw(Severity::High, text, &[text, text]);
        finding.aliases = vec![text.to_owned()];
        *flaw(finding) = Vulnerability {
            aliases: vec![text.to_owned()],
            summary: Some(text.to_owned()),
            kev: Some(Kev {
                added: text.to_owned(),
                due: None,
                ransomware: false,
            }),
            cvss: vec![Cvss {
                vector: text.to_owned(),
                score: 5.0,
                source: text.to_owned(),
            }],
            published: Some(text.to_owned()),
            ..flaw(finding).clone()
        };
        sample.flaw(Severity::Low, text, &[]).rule = MALICIOUS.id;
        let finding = sample.0.findings[sample.0.findings.len() - 1].clone();
        let by = Suppressor::Vex(Claim {
            document: text.to_owned(),
            place: text.to_owned(),
            author: Some(text.to_owned()),
            justification: Some(text.to_owned()),
            impact: Some(text.to_owned()),
            time: Some(text.to_owned()),
            ..claim(VexStatus::NotAffected)
        });
        sample.0.suppressed.push(Suppressed {
            finding,
            by: vec![by],
        });
        sample.0.gaps.push(Gap {
            target: index,
            ..Gap::new(GapKind::Limit, text, text)
        });
    }
    let told = HOSTILE.iter().enumerate();
    let told = told.map(|(target, text)| earlier(target, text, Severity::High));
    sample.0.baseline = Some(Baseline {
        digest: format!("sha256:{:0>64}", "e"),
        findings: 24,
        known: told.clone().collect(),
        worse: told.clone().collect(),
        gone: told.collect(),
        unseen: 0,
        gaps: 0,
    });
    if let Some(database) = &mut sample.0.database {
        database.built = HOSTILE[0].to_owned();
        database.ecosystems = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    }
    sample.0
}

/// A report for each target of one.
pub(crate) fn each_target(report: &Report) -> Vec<Report> {
    let of = |target: usize| {
        let kept: Vec<usize> = (0..report.packages.len())
            .filter(|at| report.package_targets[*at] == target)
            .collect();
        let findings = report.findings.iter().filter(|one| one.target == target);
        let findings = findings.cloned().map(|mut one| {
            one.target = 0;
            one.package = one
                .package
                .and_then(|at| kept.iter().position(|own| *own == at));
            one
        });
        Report {
            targets: vec![report.targets[target].clone()],
            findings: findings.collect(),
            packages: kept.iter().map(|at| report.packages[*at].clone()).collect(),
            package_targets: vec![0; kept.len()],
            ..Report::default()
        }
    };
    (0..report.targets.len()).map(of).collect()
}
