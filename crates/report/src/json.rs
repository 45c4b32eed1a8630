//! `seawall.report/v1`. The schema is docs/report.schema.json.

mod wire;

use std::io;

use self::wire::{
    Cvss, Database, Edit, Epss, Kev, Layer, Opinion, Os, Owner, PackageReference, Requirement,
    Source, Tool, WireBase, WireBaseline, WireClaim, WireFinding, WireFix, WireGap, WireKept,
    WireLicense, WireLocation, WirePackage, WireReport, WireSummary, WireSuppressed,
    WireSuppressor, WireTarget, WireVulnerability,
};
use crate::{Error, Options};
use seawall_model::{
    Baseline, Brought, EarlierFinding, Finding, Location, Package, Remedy, Report, Severity,
    Suppressor, Target, TargetKind, TextRange, Vulnerability, vex::Claim,
};

/// The version of the format. Additions keep it; anything else raises it.
pub(crate) const SCHEMA: &str = "seawall.report/v1";

pub(crate) fn write(
    report: &Report,
    options: &Options<'_>,
    out: &mut dyn io::Write,
) -> Result<(), Error> {
    let graph = match options.packages {
        true => report.graph(),
        false => Vec::new(),
    };
    let all = report.packages.iter().zip(&report.package_targets);
    let all = all.zip(&graph);
    let wire = WireReport {
        schema: SCHEMA,
        tool: Tool {
            name: "seawall",
            version: options.version,
        },
        targets: report.targets.iter().map(target).collect(),
        database: report.database.as_ref().map(|database| Database {
            kind: database.kind.as_str(),
            digest: &database.digest,
            built: &database.built,
            ecosystems: &database.ecosystems,
        }),
        baseline: report.baseline.as_ref().map(baseline),
        findings: report
            .findings
            .iter()
            .map(|one| finding(one, report))
            .collect(),
        suppressed: report
            .suppressed
            .iter()
            .map(|one| WireSuppressed {
                finding: finding(&one.finding, report),
                suppressions: one.by.iter().map(suppressor).collect(),
            })
            .collect(),
        packages: options
            .packages
            .then(|| all.map(|((one, at), to)| package(one, *at, to)).collect()),
        licenses: report.licenses.as_ref().map(|all| {
            let wire = all.iter().map(|one| WireLicense {
                license: one.license.as_deref(),
                category: one.category,
                packages: one.packages,
            });
            wire.collect()
        }),
        gaps: report
            .gaps
            .iter()
            .map(|gap| WireGap {
                target: gap.target,
                kind: gap.kind.as_str(),
                subject: &gap.subject,
                reason: &gap.reason,
            })
            .collect(),
        summary: summary(report),
    };
    out.write_all(seawall_formats::text::json(&wire)?.as_bytes())?;
    Ok(())
}

fn baseline(baseline: &Baseline) -> WireBaseline<'_> {
    WireBaseline {
        digest: &baseline.digest,
        findings: baseline.findings,
        known: baseline.known.iter().map(kept).collect(),
        worse: baseline.worse.iter().map(kept).collect(),
        gone: baseline.gone.iter().map(kept).collect(),
        unseen: baseline.unseen,
        gaps: baseline.gaps,
    }
}

fn kept(one: &EarlierFinding) -> WireKept<'_> {
    WireKept {
        target: one.target,
        rule: &one.rule,
        severity: one.severity.as_str(),
        message: &one.message,
        fingerprint: one.fingerprint.to_string(),
        fixable: one.fixable,
        exploited: one.exploited,
        epss: one.epss,
        path: one.path.as_deref(),
        package: one.package.as_deref(),
    }
}

fn target(target: &Target) -> WireTarget<'_> {
    WireTarget {
        kind: target.kind.as_str(),
        describes: target.describes.map(TargetKind::as_str),
        name: &target.name,
        tags: &target.tags,
        scheme: &target.scheme,
        digest: target.digest.as_deref(),
        manifest: target.manifest.as_deref(),
        platform: target.platform.as_deref(),
        os: target.os.as_ref().map(|os| Os {
            id: &os.id,
            version: &os.version,
            name: &os.name,
            codename: os.codename.as_deref(),
        }),
        end_of_life: target.end_of_life.as_deref(),
        layers: target
            .layers
            .iter()
            .map(|layer| Layer {
                diff_id: &layer.diff_id,
                digest: layer.digest.as_deref(),
                created_by: layer.created_by.as_deref(),
                line: layer.line,
            })
            .collect(),
        base: target.base.as_ref().map(|base| WireBase {
            name: base.name.as_deref(),
            digest: base.digest.as_deref(),
            layers: base.layers,
            evidence: base.evidence.as_str(),
        }),
        dockerfile: target.dockerfile.as_deref(),
    }
}

fn place<'a>(path: &'a str, layer: Option<usize>, range: Option<&TextRange>) -> WireLocation<'a> {
    WireLocation {
        path,
        line: range.map(|range| range.start.line),
        column: range.map(|range| range.start.column),
        end_line: range.map(|range| range.end.line),
        end_column: range.map(|range| range.end.column),
        layer,
    }
}

fn location(location: &Location) -> Option<WireLocation<'_>> {
    match location {
        Location::File { path, layer, range } => Some(place(path, *layer, range.as_ref())),
        Location::Target => None,
    }
}

fn reference(package: &Package) -> PackageReference<'_> {
    PackageReference {
        name: &package.name,
        version: &package.version,
        purl: &package.purl,
        kind: &package.kind,
        source: package.source.as_ref().map(|source| Source {
            name: &source.name,
            version: &source.version,
        }),
    }
}

fn package<'a>(package: &'a Package, target: usize, wanted: &'a [usize]) -> WirePackage<'a> {
    let origin = &package.origin;
    let requires = package.requires.iter().map(|one| Requirement {
        name: &one.name,
        version: one.version.as_deref(),
    });
    WirePackage {
        target,
        reference: reference(package),
        arch: package.arch.as_deref(),
        module: package.module.as_deref(),
        licenses: &package.licenses,
        hashes: package.hashes.iter().map(ToString::to_string).collect(),
        direct: package.relation.direct,
        development: package.relation.development,
        requires: requires.collect(),
        depends_on: wanted,
        technique: package.technique.as_str(),
        owner: package.owner.as_ref().map(|owner| Owner {
            name: &owner.name,
            answers: owner.answers,
        }),
        location: place(&origin.path, origin.layer, origin.range.as_ref()),
        inside: origin.inside.as_deref(),
        files: package.files.iter().collect(),
    }
}

fn finding<'a>(finding: &'a Finding, report: &'a Report) -> WireFinding<'a> {
    let packages = &report.packages;
    WireFinding {
        target: finding.target,
        rule: finding.rule,
        aliases: &finding.aliases,
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        message: &finding.message,
        fingerprint: finding.fingerprint.to_string(),
        location: location(&finding.location),
        related: finding.related.iter().filter_map(location).collect(),
        brought_by: report.brought_by(finding).map(|brought| match brought {
            Brought::Base(_) => "base",
            Brought::Step(_) => "own",
        }),
        package: finding
            .package
            .and_then(|index| packages.get(index))
            .map(reference),
        vulnerability: finding.vulnerability.as_deref().map(vulnerability),
        fix: finding.fix.as_ref().map(|fix| WireFix {
            applicability: fix.applicability.as_str(),
            title: &fix.title,
            edits: match &fix.remedy {
                Remedy::Edits(edits) => edits
                    .iter()
                    .map(|edit| Edit {
                        start: edit.span.start,
                        end: edit.span.end,
                        text: &edit.text,
                    })
                    .collect(),
                _ => Vec::new(),
            },
            version: match &fix.remedy {
                Remedy::Upgrade { version } => Some(version),
                _ => None,
            },
            command: match &fix.remedy {
                Remedy::Command(words) => Some(words),
                _ => None,
            },
        }),
    }
}

fn vulnerability(flaw: &Vulnerability) -> WireVulnerability<'_> {
    WireVulnerability {
        id: &flaw.id,
        advisory: &flaw.advisory,
        aliases: &flaw.aliases,
        fixed: &flaw.fixed,
        status: flaw.status.as_str(),
        cvss: flaw
            .cvss
            .iter()
            .map(|one| Cvss {
                vector: &one.vector,
                score: one.score,
                source: &one.source,
            })
            .collect(),
        severities: flaw
            .severities
            .iter()
            .map(|one| Opinion {
                source: &one.source,
                severity: one.severity.as_str(),
            })
            .collect(),
        kev: flaw.kev.as_ref().map(|kev| Kev {
            added: &kev.added,
            due: kev.due.as_deref(),
            ransomware: kev.ransomware,
        }),
        epss: flaw.epss.map(|epss| Epss {
            score: epss.score,
            percentile: epss.percentile,
        }),
        in_use: flaw.in_use,
        summary: flaw.summary.as_deref(),
        published: flaw.published.as_deref(),
        modified: flaw.modified.as_deref(),
        vex: flaw.claim.as_deref().map(claim),
    }
}

fn suppressor(by: &Suppressor) -> WireSuppressor<'_> {
    match by {
        Suppressor::Setting {
            place,
            reason,
            justification,
            expires,
        } => WireSuppressor::Setting {
            place,
            reason,
            justification: justification.as_deref(),
            expires: expires.as_deref(),
        },
        Suppressor::Vex(own) => WireSuppressor::Vex(claim(own)),
    }
}

fn claim(claim: &Claim) -> WireClaim<'_> {
    WireClaim {
        document: &claim.document,
        place: &claim.place,
        statement: claim.number,
        author: claim.author.as_deref(),
        status: claim.status.as_str(),
        justification: claim.justification.as_deref(),
        impact: claim.impact.as_deref(),
        action: claim.action.as_deref(),
        timestamp: claim.time.as_deref(),
    }
}

fn summary(report: &Report) -> WireSummary {
    let summary = report.summary();
    WireSummary {
        findings: report.findings.len(),
        by_severity: Severity::ALL
            .into_iter()
            .map(|one| {
                (
                    one.as_str(),
                    summary.by_severity.get(&one).copied().unwrap_or(0),
                )
            })
            .collect(),
        fixable: summary.fixable,
        exploited: summary.exploited,
        packages: summary.packages,
        gaps: summary.gaps,
        suppressed: summary.suppressed,
    }
}
