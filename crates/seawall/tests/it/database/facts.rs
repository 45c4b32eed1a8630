//! Files of facts beside the dumps: wrong ones, and chances of exploitation.

use std::{fs, io::Write as _, process::Command};

use super::{Bench, findings, gaps, lock_file, need};
use crate::support::said;

#[test]
fn wrong_facts_are_named_by_file_and_line_and_the_rest_is_used() {
    let Some(bench) = Bench::new() else { return };
    bench.fresh("facts");
    fs::write(
        bench.at("two/kev.json"),
        "{\"vulnerabilities\": [\n{\"cveID\": 7}]}",
    )
    .unwrap();
    fs::write(
        bench.at("two/cvss.csv"),
        "cve,container,vector\nCVE-2020-8203,cna,nonsense\n",
    )
    .unwrap();
    fs::write(bench.at("two/endoflife.json"), "<!DOCTYPE html>").unwrap();
    let mut scores = fs::OpenOptions::new()
        .append(true)
        .open(bench.at("two/epss.csv"))
        .unwrap();
    scores.write_all(b"CVE-2020-1234,high,0.1\n").unwrap();
    let update = said(&bench.update("two", "facts").output().unwrap());
    assert_eq!(update.code, 2, "{}", update.err);
    let line = fs::read_to_string(bench.at("two/epss.csv"))
        .unwrap()
        .lines()
        .count();
    for want in [
        "kev.json: invalid type: integer `7`, expected a string at line 2 column 12",
        "cvss.csv:2: `nonsense` is no CVSS vector",
        "endoflife.json: expected value at line 1 column 1",
        &format!("epss.csv:{line}: `high` is no number from 0 to 1"),
    ] {
        assert!(
            update.err.contains(&format!("cannot be read: {want}")),
            "{want}: {}",
            update.err
        );
    }
    let report = bench.scan("facts").out;
    assert!(
        findings(&report).iter().any(|(_, epss)| epss.is_some()),
        "{report}"
    );
}

#[test]
fn chances_of_exploitation_are_shown_sort_and_fail() {
    let Some(bench) = Bench::new() else { return };
    if !need("gzip") {
        return;
    }
    let run = |arguments: &[&str]| {
        let mut all = vec!["--db", "epss", "--format", "json"];
        all.extend(arguments);
        let lock = lock_file();
        all.push(&lock);
        bench.home.scan(&all)
    };
    bench.fresh("epss");
    // Without any, a condition on them is a question without an answer.
    for (flags, want) in [
        (
            &["--fail-on-epss", "0.9"][..],
            "chances of exploitation (EPSS)",
        ),
        (&["--fail-on-kev"], "known exploited vulnerabilities (KEV)"),
    ] {
        let unknown = run(flags);
        assert_eq!(unknown.code, 2, "{}", unknown.err);
        assert!(gaps(&unknown.out).contains(want), "{}", gaps(&unknown.out));
        assert_eq!(run(&[flags, &["--allow-gaps"]].concat()).code, 0);
    }
    // As published: packed, under a day's name, with a comment before the header.
    let ids: Vec<String> = findings(&bench.reports[0])
        .into_iter()
        .map(|(id, _)| id)
        .filter(|id| id.starts_with("CVE-"))
        .collect();
    let (first, last) = (ids.first().unwrap(), ids.last().unwrap());
    assert_ne!(first, last);
    let text = format!(
        "#model_version:v2025.03.14,score_date:2026-05-18T00:00:00Z\ncve,epss,percentile\n\
         {first},0.0046,0.7385\n{last},0.94469,0.99999\nCVE-1999-0001,0.0046,0.7385\n"
    );
    let name = bench.at("one/epss_scores-2026-05-18.csv");
    fs::write(&name, text).unwrap();
    assert!(Command::new("gzip").arg(&name).status().unwrap().success());
    // An older one beside it is not what counts.
    fs::write(
        bench.at("one/epss_scores-2025-01-01.csv"),
        format!("cve,epss,percentile\n{last},0.1,0.1\n"),
    )
    .unwrap();
    let update = said(&bench.update("one", "epss").output().unwrap());
    assert_eq!(update.code, 0, "{}", update.err);
    let info = bench.home.run(&["db", "info", "--db", "epss"]);
    assert!(
        info.out
            .lines()
            .any(|line| line.starts_with("facts:epss") && line.contains("2026-05-18")),
        "{}",
        info.out
    );
    let sorted = findings(&run(&["--sort", "epss"]).out);
    assert_eq!(sorted[0], (last.clone(), Some(0.94469)));
    assert_eq!(run(&["--fail-on-epss", "0.9"]).code, 1);
    let more = ["--fail-on-epss", "0.95", "--allow-gaps"];
    assert_eq!(run(&more).code, 0);
    let table = bench.home.scan(&["--db", "epss", &lock_file()]);
    assert!(
        table.out.contains("EPSS") || table.out.contains("94"),
        "{}",
        table.out
    );
}
