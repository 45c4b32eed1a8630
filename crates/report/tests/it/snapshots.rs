//! What each format looks like, word for word.

use seawall_report::{Format, Options};

use crate::{
    sample,
    support::{OPTIONS, render},
};

fn snapshot(name: &str, format: Format, options: &Options<'_>) {
    insta::assert_snapshot!(name, render(&sample::report(), format, options));
}

#[test]
fn a_wide_table() {
    snapshot("table", Format::Table, &OPTIONS);
}

#[test]
fn a_narrow_table_with_packages() {
    let options = Options {
        width: 60,
        packages: true,
        ..OPTIONS
    };
    snapshot("table-narrow", Format::Table, &options);
}

#[test]
fn what_was_suppressed_is_listed_when_asked_for() {
    let options = Options {
        suppressed: true,
        ..OPTIONS
    };
    snapshot("table-suppressed", Format::Table, &options);
    snapshot("markdown-suppressed", Format::Markdown, &options);
}

#[test]
fn colour_adds_nothing_but_colour() {
    for width in [60, 100, 140] {
        let plain = Options { width, ..OPTIONS };
        let colored = Options {
            color: true,
            ..plain.clone()
        };
        let plain = render(&sample::report(), Format::Table, &plain);
        let colored = render(&sample::report(), Format::Table, &colored);
        assert_ne!(plain, colored);
        let mut bare = String::new();
        let mut rest = colored.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            bare += before;
            rest = after.split_once('m').unwrap().1;
        }
        bare += rest;
        assert_eq!(bare, plain);
        // Only what cannot be broken is longer than a line.
        for line in plain.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn markdown() {
    snapshot("markdown", Format::Markdown, &OPTIONS);
}

#[test]
fn junit() {
    snapshot("junit", Format::Junit, &OPTIONS);
}

#[test]
fn sarif() {
    snapshot("sarif", Format::Sarif, &OPTIONS);
}

#[test]
fn what_is_new_against_an_earlier_report() {
    for format in [Format::Table, Format::Markdown, Format::Junit, Format::Json] {
        let name = format!("{}-compared", format.as_str());
        insta::assert_snapshot!(name, render(&sample::compared(), format, &OPTIONS));
    }
    let page = render(&sample::compared(), Format::Html, &OPTIONS);
    assert!(page.contains("<summary>Gone since the baseline: 2</summary>"));
    assert!(page.contains("<li>high: <code>lodash</code> 4.17.20 is affected by"));
    assert!(page.contains("No new findings."), "{page}");
    let page = render(&sample::report(), Format::Html, &OPTIONS);
    assert!(!page.contains("baseline") && page.contains("No findings."));
}

#[test]
fn annotations() {
    snapshot("annotations", Format::GithubAnnotations, &OPTIONS);
}

#[test]
fn gitlab() {
    let formats = [
        Format::GitlabContainerScanning,
        Format::GitlabDependencyScanning,
        Format::GitlabCodeQuality,
    ];
    for format in formats {
        snapshot(format.as_str(), format, &OPTIONS);
    }
}

#[test]
fn json() {
    let options = Options {
        packages: true,
        ..OPTIONS
    };
    snapshot("json", Format::Json, &options);
}
