//! Annotations against the toolkit of those who made the runner that reads them.

use seawall_model::{LineColumn, Location, Severity, Span, TargetKind, TextRange};
use seawall_report::{Checkout, Format, Options};

use crate::{
    sample,
    support::{OPTIONS, render, told},
};

/// Name, properties and message of a command.
type Command = (String, Vec<(String, String)>, String);

/// What the runner makes of a line (its `ActionCommand.TryParseV2`, and the
/// `##[` that `TryParse` looks for anywhere).
fn command(line: &str) -> Option<Command> {
    assert!(!line.contains("##["), "{line}");
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, data) = rest.split_once("::").unwrap();
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let plain = |text: &str| {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    };
    let properties = properties.split(',').filter(|one| !one.is_empty());
    let properties = properties.map(|one| {
        let (key, value) = one.split_once('=').unwrap();
        (key.to_owned(), plain(value))
    });
    Some((name.to_owned(), properties.collect(), plain(data)))
}

fn commands(text: &str) -> Vec<Command> {
    text.lines().filter_map(command).collect()
}

#[test]
fn the_makers_toolkit_writes_the_same() {
    const SCRIPT: &str = "
const core = require(require('child_process').execSync('npm root -g').toString().trim() + '/@actions/core')
for (const [level, properties, message] of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
  const names = {title: 'title', file: 'file', line: 'startLine', endLine: 'endLine', col: 'startColumn', endColumn: 'endColumn'}
  const given = {}
  for (const [key, value] of properties) given[names[key]] = /^\\d+$/.test(value) && key !== 'title' && key !== 'file' ? Number(value) : value
  core[level](message, given)
}";
    for report in [sample::report(), sample::hostile()] {
        let text = render(&report, Format::GithubAnnotations, &OPTIONS);
        let all = commands(&text);
        let is_remark = |name: &str| matches!(name, "error" | "warning" | "notice");
        let remarks: Vec<_> = all.iter().filter(|one| is_remark(&one.0)).collect();
        assert!(remarks.len() > 5, "{text}");
        let input = serde_json::to_string(&remarks).unwrap();
        if let Some(said) = told("node", &["-e", SCRIPT], &input) {
            let ours = text.lines().filter(|line| {
                line.starts_with("::") && !line.starts_with("::group") && *line != "::endgroup::"
            });
            let ours: Vec<&str> = ours.collect();
            assert_eq!(said.lines().collect::<Vec<_>>(), ours);
        }
    }
}

#[test]
fn no_name_becomes_a_command() {
    let names = [
        "x\n::set-output name=a::b",
        "::add-mask::secret",
        "##[add-path]/tmp",
        "  ::stop-commands::x",
        "a%0A::error::b",
        "a::b,file=c",
        "\r\n##[set-env name=X]y",
    ];
    let mut sample = sample::Sample::new(vec![sample::target(TargetKind::Directory, ".")]);
    for (at, name) in names.iter().cycle().take(70).enumerate() {
        let severity = Severity::ALL[at % 5];
        let origin = sample::locked(name, 3);
        sample.package(0, sample::package("npm", name, name, origin));
        sample.flaw(severity, &format!("CVE-{at}{name}"), &[name]);
        sample.0.findings[at].rule = "package/malicious";
    }
    let gaps = names.map(|name| {
        seawall_model::Gap::new(seawall_model::GapKind::Damaged, name, format!("\n{name}"))
    });
    sample.0.gaps = gaps.to_vec();
    let known = ["error", "warning", "notice", "group", "endgroup"];
    for (format, own) in [(Format::GithubAnnotations, 32), (Format::Table, 0)] {
        for color in [false, true] {
            let options = Options {
                color: color && format == Format::Table,
                packages: true,
                width: 60,
                ..OPTIONS
            };
            let text = render(&sample.0, format, &options);
            let all = commands(&text);
            assert_eq!(all.len(), own, "{format:?}: {text}");
            for (name, properties, _) in all {
                assert!(known.contains(&name.as_str()), "{name}");
                let keys = ["title", "file", "line", "endLine", "col", "endColumn"];
                for (key, _) in properties {
                    assert!(keys.contains(&key.as_str()), "{key}");
                }
            }
        }
    }
    let lines = seawall_report::plain_lines("a\n::error::b\n\t##[debug]c\nd::e");
    assert_eq!(lines, "a\n\u{fffd}:error::b\n\t#\u{fffd}[debug]c\nd::e");
}

#[test]
fn the_worst_are_shown_and_the_rest_is_counted() {
    let mut sample = sample::Sample::new(vec![sample::target(TargetKind::Directory, ".")]);
    sample.package(
        0,
        sample::package("npm", "a", "1.0.0", sample::locked("package-lock.json", 3)),
    );
    for at in 0..12 {
        sample.flaw(Severity::High, &format!("CVE-2024-1{at:02}"), &[]);
    }
    sample.flaw(Severity::Critical, "CVE-2024-200", &[]);
    for at in 0..10 {
        sample.flaw(Severity::Low, &format!("CVE-2024-3{at:02}"), &[]);
    }
    let text = render(&sample.0, Format::GithubAnnotations, &OPTIONS);
    let all = commands(&text);
    let count = |level: &str| all.iter().filter(|one| one.0 == level).count();
    assert_eq!(
        (count("error"), count("warning"), count("notice")),
        (10, 0, 10)
    );
    assert_eq!(all[0].1[0].1, "CVE-2024-200 (critical)");
    let (_, _, last) = all.last().unwrap();
    assert!(
        last.starts_with("4 findings are not shown here, since"),
        "{last}"
    );
    // Each is in the log, once.
    for finding in &sample.0.findings {
        let id = &finding.vulnerability.as_ref().unwrap().id;
        let is_of =
            |line: &&str| line.contains(&format!("{id} (")) || line.contains(&format!("{id}: "));
        assert_eq!(text.lines().filter(is_of).count(), 1, "{id}: {text}");
    }
    // Ten of a level need no such notice; gaps take a warning's place.
    sample
        .0
        .findings
        .retain(|one| one.severity == Severity::Low);
    sample.0.gaps = vec![seawall_model::Gap::new(
        seawall_model::GapKind::Damaged,
        "yarn.lock",
        "line 3 is no entry",
    )];
    let text = render(&sample.0, Format::GithubAnnotations, &OPTIONS);
    let all = commands(&text);
    assert_eq!(all.len(), 11);
    assert_eq!(all[10].0, "warning");
    assert_eq!(all[10].2, "yarn.lock: line 3 is no entry");
}

#[test]
fn places_are_the_repositorys_own() {
    let checkout = Checkout {
        root: "/work/repo".to_owned(),
        started: "/work/repo/api".to_owned(),
    };
    let options = Options {
        checkout: Some(&checkout),
        ..OPTIONS
    };
    let text = render(&sample::report(), Format::GithubAnnotations, &options);
    let of = |id: &str| {
        let all = commands(&text);
        let found = all.into_iter().find(|one| one.1[0].1.starts_with(id));
        found.unwrap_or_else(|| unreachable!("{id}: {text}"))
    };
    let pairs = |own: &[(String, String)]| {
        let own = own
            .iter()
            .skip(1)
            .map(|(key, value)| format!("{key}={value}"));
        own.collect::<Vec<_>>().join(" ")
    };
    let (level, own, message) = of("GHSA-aaaa-bbbb-cccc");
    assert_eq!(level, "warning");
    assert_eq!(
        pairs(&own),
        "file=api/shop/web/package-lock.json line=12 endLine=12 col=5 endColumn=11"
    );
    assert!(
        message.contains("upgrade `@babel/core` to 7.0.1"),
        "{message}"
    );
    // Outside of the repository, and in an image of which no step is known.
    let (_, own, message) = of("CVE-2023-36053");
    assert_eq!(pairs(&own), "");
    assert!(
        message.contains("in /srv/a b, requirements.txt"),
        "{message}"
    );
    let (level, own, message) = of("CVE-2022-0001");
    assert_eq!((level.as_str(), pairs(&own).as_str()), ("error", ""));
    assert!(
        message.contains("in shop:1.4, var/lib/dpkg/status in layer 1"),
        "{message}"
    );

    // The step that made the layer, and a stretch over two lines.
    let mut report = sample::report();
    let at = |line, column| LineColumn { line, column };
    for finding in &mut report.findings {
        if let Location::File { layer, range, .. } = &mut finding.location {
            match layer {
                Some(layer) => *layer = 1,
                None => {
                    *range = Some(TextRange {
                        span: Span::new(0, 0),
                        start: at(4, 2),
                        end: at(6, 1),
                    });
                }
            }
        }
    }
    let text = render(&report, Format::GithubAnnotations, &options);
    let all = commands(&text);
    let of = |id: &str| all.iter().find(|one| one.1[0].1.starts_with(id)).unwrap();
    assert_eq!(pairs(&of("CVE-2022-0001").1), "file=api/Dockerfile line=7");
    assert_eq!(
        pairs(&of("GHSA-aaaa-bbbb-cccc").1),
        "file=api/shop/web/package-lock.json line=4 endLine=5"
    );
}
