//! `seawall vex create`: OpenVEX statements from decisions.

use std::{fs, io, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use seawall_formats::vex::{Draft, Header, append, create};
use seawall_model::vex::{JUSTIFICATIONS, VexStatus};
use seawall_report::Decision;
use seawall_scan::{Inspected, LooksFor};

use crate::{
    Outcome,
    errors::hinted,
    printer::Printer,
    product::{Product, is_iri, of_inspected, of_report},
    save::save,
    settings,
    verbs::scan::{Looked, look},
};

/// Verbs of `vex`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Write a statement, or those of the decisions in a report or in seawall.toml.
    Create(Box<Arguments>),
}

/// What can be typed behind `vex create`.
#[derive(Debug, Args)]
#[command(after_help = "\
A document that is there is added to: its version is raised, what it says already is kept as it is.

Examples:
  seawall vex create shop.tar --vuln CVE-2020-28928 --status not_affected \\
    --justification vulnerable_code_not_present --package musl --output shop.openvex.json
  seawall vex create pkg:oci/shop@sha256%3A… --vuln CVE-2024-1 --status affected --action 'move to 2.1'
  seawall scan --format json shop.tar | seawall vex create --from-report - --author 'Acme Security'
  seawall vex create shop.tar --from-settings")]
pub(crate) struct Arguments {
    /// What the statement is about: a package URL or another address, or a target, which is looked
    /// at for its digest and its packages.
    #[arg(value_name = "TARGET", required_unless_present = "from_report")]
    target: Option<String>,
    /// The flaw: a CVE's id or that of an advisory.
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        required_unless_present_any = ["from_report", "from_settings"]
    )]
    vuln: Vec<String>,
    /// Whether TARGET is affected: not_affected, affected, fixed or under_investigation.
    #[arg(long, value_name = "STATUS", value_parser = status, required_unless_present_any = ["from_report", "from_settings"])]
    status: Option<VexStatus>,
    /// Why it is not affected.
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(JUSTIFICATIONS))]
    justification: Option<String>,
    /// Why it is not affected, in prose.
    #[arg(long, value_name = "TEXT")]
    impact: Option<String>,
    /// What to do about it.
    #[arg(long, value_name = "TEXT")]
    action: Option<String>,
    /// The packages in TARGET that are meant, by package URL or by name.
    #[arg(long, value_name = "PURL", value_delimiter = ',')]
    package: Vec<String>,
    /// Write what was suppressed in this report (JSON; `-` is standard input), where a reason or a
    /// justification was given.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vuln", "package", "from_settings"])]
    from_report: Option<PathBuf>,
    /// Write the `[[ignore]]` entries of seawall.toml that bear a reason or a justification.
    #[arg(long, conflicts_with_all = ["vuln", "package"])]
    from_settings: bool,
    /// Who says so.
    #[arg(
        long,
        value_name = "NAME",
        env = "SEAWALL_VEX_AUTHOR",
        default_value = "Unknown Author"
    )]
    author: String,
    /// What the author is, as in `Security Team`.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// The new document's address; made from its content without.
    #[arg(long, value_name = "IRI")]
    id: Option<String>,
    /// Write to this file, or add to the document that it holds.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    looked: Looked,
}

fn status(text: &str) -> Result<VexStatus, String> {
    VexStatus::parse(text).ok_or_else(|| {
        let known = VexStatus::ALL.map(VexStatus::as_str).join(", ");
        format!("`{text}` is no status: use one of {known}")
    })
}

pub(crate) fn run(verb: Verb, printer: &Printer) -> Result<Outcome> {
    let Verb::Create(arguments) = verb;
    let file = settings::read(arguments.looked.config.as_deref())?;
    let (today, now) = settings::today();
    let drafts = if let Some(path) = &arguments.from_report {
        of_decisions(&arguments, path)?
    } else {
        let about = About::new(&arguments, &file, printer)?;
        if arguments.from_settings {
            of_settings(&arguments, &about, &file, &today, printer)?
        } else {
            of_arguments(&arguments, &about)?
        }
    };
    if drafts.is_empty() {
        return Err(hinted(
            "there is no decision to write",
            "a decision is an `[[ignore]]` entry with a `reason` or a `justification`",
        ));
    }
    let time = timestamp(now)?;
    write(&arguments, &time, &drafts, printer)?;
    Ok(Outcome::Done)
}

fn timestamp(now: u64) -> Result<String> {
    let seconds = i64::try_from(now).context("the clock is wrong")?;
    let time = jiff::Timestamp::from_second(seconds).context("the clock is wrong")?;
    Ok(time.to_string())
}

fn write(arguments: &Arguments, time: &str, drafts: &[Draft], printer: &Printer) -> Result<()> {
    let header = Header {
        id: arguments.id.as_deref(),
        author: &arguments.author,
        role: arguments.role.as_deref(),
        tooling: concat!("seawall/", env!("CARGO_PKG_VERSION")),
        time,
    };
    let Some(path) = &arguments.output else {
        printer.result(create(&header, drafts)?.as_bytes())?;
        return Ok(());
    };
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Some(create(&header, drafts)?),
        Ok(text) => append(&text, time, drafts)
            .with_context(|| format!("cannot add statements to `{shown}`"))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(create(&header, drafts)?),
        Err(error) => return Err(error).with_context(|| format!("cannot read `{shown}`")),
    };
    match text {
        None => printer.note(&format!("`{shown}` says so already")),
        Some(text) => {
            save(path, text.as_bytes()).with_context(|| format!("cannot write `{shown}`"))?;
            let all = drafts.len();
            printer.note(&format!("{all} statements written to `{shown}`"));
        }
    }
    Ok(())
}

/// What statements are about.
struct About {
    /// By what TARGET is named; `None` when only its packages can be.
    product: Option<Product>,
    inspected: Option<Inspected>,
}

impl About {
    fn new(arguments: &Arguments, file: &settings::File, printer: &Printer) -> Result<Self> {
        let target = arguments.target.clone().unwrap_or_default();
        if is_iri(&target) {
            return Ok(About {
                product: Some(Product {
                    id: target,
                    hash: None,
                }),
                inspected: None,
            });
        }
        let (mut inspected, _) = look(
            &[target],
            LooksFor::PACKAGES,
            &arguments.looked,
            file,
            printer,
        )?;
        let inspected = inspected.pop();
        Ok(About {
            product: inspected.as_ref().and_then(of_inspected),
            inspected,
        })
    }

    /// The package URLs that a package URL or a name stands for.
    fn purls(&self, text: &str) -> Vec<String> {
        if text.starts_with("pkg:") {
            return vec![text.to_owned()];
        }
        let packages = self.inspected.iter().flat_map(|one| &one.packages);
        let named = packages.filter(|one| one.name == text);
        let mut purls: Vec<String> = named.map(|one| one.purl.clone()).collect();
        purls.sort();
        purls.dedup();
        purls
    }

    /// A draft about the target, or the parts of it; where it has no name of
    /// its own, about the packages themselves.
    fn draft(&self, vulnerability: &str, parts: Vec<String>) -> Result<Draft> {
        let (products, parts) = match (&self.product, parts) {
            (Some(product), parts) => (vec![(product.id.clone(), product.hash.clone())], parts),
            (None, parts) if parts.is_empty() => {
                return Err(hinted(
                    "a folder or a file has no name that others could know it by",
                    "name the packages that are meant with `--package`, or a package URL as TARGET",
                ));
            }
            (None, parts) => (
                parts.into_iter().map(|part| (part, None)).collect(),
                Vec::new(),
            ),
        };
        Ok(Draft {
            vulnerability: vulnerability.to_owned(),
            aliases: Vec::new(),
            products,
            parts,
            status: VexStatus::Affected,
            justification: None,
            impact: None,
            action: None,
        })
    }
}

fn of_arguments(arguments: &Arguments, about: &About) -> Result<Vec<Draft>> {
    let mut parts = Vec::new();
    for text in &arguments.package {
        let purls = about.purls(text);
        if purls.is_empty() {
            return Err(hinted(
                format!("there is no package `{text}` in the target"),
                "`seawall scan --packages` lists its packages; a package URL is taken as it is",
            ));
        }
        parts.extend(purls);
    }
    let status = arguments.status.unwrap_or(VexStatus::Affected);
    let draft = |id: &String| {
        Ok(Draft {
            status,
            justification: arguments.justification.clone(),
            impact: arguments.impact.clone(),
            action: arguments.action.clone(),
            ..about.draft(id, parts.clone())?
        })
    };
    arguments.vuln.iter().map(draft).collect()
}

/// What a decision says. Without a justification nobody claimed that the flaw
/// does no harm: what was accepted stays affected, unless `--status` says what
/// is meant.
fn decided(
    draft: Draft,
    arguments: &Arguments,
    justification: Option<String>,
    reason: &str,
) -> Draft {
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    let status = match (&justification, arguments.status) {
        (Some(_), _) => VexStatus::NotAffected,
        (None, given) => given.unwrap_or(VexStatus::Affected),
    };
    let is_not = status == VexStatus::NotAffected;
    let is_affected = status == VexStatus::Affected;
    Draft {
        status,
        justification,
        impact: reason.clone().filter(|_| is_not),
        action: reason.filter(|_| is_affected),
        ..draft
    }
}

fn of_decisions(arguments: &Arguments, path: &std::path::Path) -> Result<Vec<Draft>> {
    let shown = path.display();
    let bytes = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::copy(&mut io::stdin().lock(), &mut bytes)?;
        bytes
    } else {
        fs::read(path).with_context(|| format!("cannot read the report `{shown}`"))?
    };
    let decisions = seawall_report::decisions(&bytes)
        .with_context(|| format!("cannot use `{shown}` as a report"))?;
    let mut drafts: Vec<Draft> = Vec::new();
    for decision in decisions {
        let draft = of_decision(arguments, &decision)?;
        // One statement for all packages of which the same is said.
        let same = drafts.iter_mut().find(|one| {
            let as_one = Draft {
                parts: draft.parts.clone(),
                ..(*one).clone()
            };
            as_one == draft && !one.parts.is_empty()
        });
        match same {
            Some(one) => one.parts.extend(draft.parts),
            None => drafts.push(draft),
        }
    }
    for draft in &mut drafts {
        draft.parts.sort();
        draft.parts.dedup();
    }
    Ok(drafts)
}

fn of_decision(arguments: &Arguments, decision: &Decision) -> Result<Draft> {
    let about = About {
        product: match arguments.target.as_deref() {
            Some(target) if is_iri(target) => Some(Product {
                id: target.to_owned(),
                hash: None,
            }),
            Some(target) => {
                return Err(hinted(
                    format!("`{target}` is no package URL and no address"),
                    "beside `--from-report`, TARGET names the product as others know it",
                ));
            }
            None => of_report(&decision.target),
        },
        inspected: None,
    };
    let parts = decision.purl.iter().cloned().collect();
    let draft = Draft {
        aliases: decision.aliases.clone(),
        ..about.draft(&decision.id, parts)?
    };
    let justification = decision.justification.clone();
    Ok(decided(draft, arguments, justification, &decision.reason))
}

fn of_settings(
    arguments: &Arguments,
    about: &About,
    file: &settings::File,
    today: &str,
    printer: &Printer,
) -> Result<Vec<Draft>> {
    let mut drafts = Vec::new();
    for one in &file.ignores {
        let says_why = !one.reason.is_empty() || one.justification.is_some();
        // Rules of ours have a slash, flaws have none.
        let Some(id) = one.id.as_ref().filter(|id| says_why && !id.contains('/')) else {
            continue;
        };
        let left_out = |why: &str| printer.warning(&format!("{}: left out, {why}", one.place));
        if one.is_over(today) {
            left_out("since it is over");
            continue;
        }
        if one.is_of_paths() {
            left_out("since no statement can be about a path");
            continue;
        }
        let parts = one.package.iter().flat_map(|name| about.purls(name));
        let parts: Vec<String> = parts.collect();
        if one.package.is_some() && parts.is_empty() {
            left_out("since its package is not in the target");
            continue;
        }
        let draft = about.draft(id, parts)?;
        let justification = one.justification.clone();
        drafts.push(decided(draft, arguments, justification, &one.reason));
    }
    Ok(drafts)
}
