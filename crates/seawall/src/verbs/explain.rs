//! `seawall explain RULE|CVE [TARGET]`

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;
use seawall_model::Rule;
use seawall_scan::{Judging, LooksFor};

use crate::{
    Outcome, database,
    errors::hinted,
    printer::Printer,
    settings,
    verbs::scan::{Looked, look},
};

/// What can be typed behind `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  seawall explain CVE-2020-28928 alpine.tar.gz
  seawall explain package/known-vulnerability")]
pub(crate) struct Arguments {
    /// A vulnerability's id (CVE, GHSA, DSA…) or a rule's.
    #[arg(value_name = "RULE|CVE")]
    what: String,
    /// What the vulnerability is held against.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    #[command(flatten)]
    looked: Looked,
}

pub(crate) fn run(arguments: Arguments, printer: &Printer) -> Result<Outcome> {
    let rules = seawall_scan::all_rules();
    if let Some(rule) = rules.iter().find(|rule| rule.id == arguments.what) {
        printer.result(page(rule).as_bytes())?;
        return Ok(Outcome::Done);
    }
    let Some(target) = arguments.target else {
        let is_flaw = arguments.what.contains('-') && !arguments.what.contains('/');
        let hint = if is_flaw {
            format!(
                "name an image too: `seawall explain {} IMAGE`",
                arguments.what
            )
        } else {
            near(&arguments.what, &rules)
        };
        return Err(hinted(
            format!("there is no rule `{}`", arguments.what),
            hint,
        ));
    };
    let file = settings::read(arguments.looked.config.as_deref())?;
    let (inspected, _) = look(
        &[target],
        LooksFor::PACKAGES,
        &arguments.looked,
        &file,
        printer,
    )?;
    let choice = database::Choice::new(arguments.looked.database(), &file)?;
    let needed = seawall_scan::shards_needed(&inspected);
    let database = database::open(&choice, &needed, printer)?;
    let (today, _) = settings::today();
    let judging = Judging {
        today: &today,
        starter: database.is_starter(),
        max_age: Some(arguments.looked.max_age(&file)),
        ignore_unfixed: false,
        order: seawall_scan::Order::default(),
    };
    let mut text = String::new();
    for one in &inspected {
        let decisions = seawall_scan::explain(one, &database, &arguments.what, &judging)?;
        let _ = writeln!(text, "{} in {}", arguments.what, one.target.name);
        for decision in &decisions {
            let verdict = if decision.affected {
                "affected"
            } else {
                "not affected"
            };
            let _ = match decision.package.and_then(|index| one.packages.get(index)) {
                Some(package) => {
                    let layer = package
                        .origin
                        .layer
                        .map(|layer| format!(", layer {}", layer + 1));
                    writeln!(
                        text,
                        "\n{} {} ({}{}): {verdict}",
                        package.name,
                        package.version,
                        package.origin.path,
                        layer.unwrap_or_default()
                    )
                }
                None => writeln!(text, "\n{verdict}"),
            };
            for (name, value) in [
                ("record", decision.record.as_str()),
                ("shard", &decision.shard),
                (
                    "looked up",
                    &format!("{} {}", decision.name, decision.version),
                ),
                ("range", &decision.range),
                ("because", &decision.reason),
            ] {
                if !value.trim().is_empty() {
                    let _ = writeln!(text, "  {name:10} {value}");
                }
            }
            let also: Vec<&str> = decision
                .also
                .iter()
                .filter_map(|index| one.packages.get(*index))
                .map(|package| package.name.as_str())
                .collect();
            if !also.is_empty() {
                let _ = writeln!(text, "  {:10} {}", "the same", also.join(", "));
            }
        }
    }
    printer.text(&text)?;
    Ok(Outcome::Done)
}

/// The rules that the user may have meant: those of the same surface that share
/// a word, else the surfaces.
fn near(what: &str, rules: &[&Rule]) -> String {
    const MOST: usize = 12;
    let (_, name) = what.split_once('/').unwrap_or(("", what));
    let words: Vec<&str> = name.split('-').filter(|word| word.len() > 2).collect();
    let shares = |rule: &Rule| {
        let (_, name) = rule.id.split_once('/').unwrap_or_default();
        name.split('-').any(|part| words.contains(&part))
    };
    let alike: Vec<&str> = rules
        .iter()
        .filter(|rule| shares(rule))
        .map(|rule| rule.id)
        .collect();
    if !alike.is_empty() {
        let shown: Vec<&str> = alike.iter().take(MOST).copied().collect();
        return format!("did you mean {}?", shown.join(", "));
    }
    let others: Vec<&str> = rules
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !id.starts_with("secret/"))
        .collect();
    let secrets = rules.len() - others.len();
    format!(
        "the rules are {}, and {secrets} of secrets such as secret/private-key",
        others.join(", ")
    )
}

fn page(rule: &Rule) -> String {
    let mut text = format!(
        "# {}\n\n{} ({}, confidence {})\n\n{}",
        rule.id,
        rule.summary,
        rule.severity,
        rule.confidence.as_str(),
        rule.doc
    );
    if !rule.references.is_empty() {
        text += "\n## References\n";
        for reference in rule.references {
            text += &format!("- {reference}\n");
        }
    }
    text
}
