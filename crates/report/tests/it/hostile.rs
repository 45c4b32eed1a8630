//! Text from outside stays text, in every format.

use seawall_report::{Format, Options};

use crate::{
    sample::{self, HOSTILE},
    support::{OPTIONS, render, told},
};

/// Letters that move a cursor, start an escape sequence or turn text around.
fn harmful(text: &str) -> Vec<char> {
    let is_harmful = |letter: &char| {
        (letter.is_control() && *letter != '\n')
            || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200F}' | '\u{2028}')
    };
    text.chars().filter(is_harmful).collect()
}

fn all_values(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => into.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| all_values(one, into)),
        serde_json::Value::Object(all) => all.values().for_each(|one| all_values(one, into)),
        _ => {}
    }
}

#[test]
fn nothing_harmful_reaches_a_terminal_in_any_format() {
    for format in Format::ALL {
        for packages in [false, true] {
            let options = Options {
                packages,
                ..OPTIONS
            };
            // A bill of materials is about one target.
            let reports = match format {
                Format::CycloneDx | Format::Spdx => sample::each_target(&sample::hostile()),
                _ => vec![sample::hostile()],
            };
            for report in reports {
                let text = render(&report, format, &options);
                let found = harmful(&text);
                // The page's own style and script hold no tab either.
                assert!(found.is_empty(), "{format:?}: {found:?}");
                // Nor the runner of a workflow, which reads what a step prints.
                assert!(!text.contains("##["), "{format:?}");
                let is_command = |line: &str| line.trim_start().starts_with("::");
                if format != Format::GithubAnnotations {
                    assert!(!text.lines().any(is_command), "{format:?}");
                }
            }
        }
    }
}

#[test]
fn colour_is_the_only_escape_sequence_of_a_table() {
    let options = Options {
        color: true,
        packages: true,
        ..OPTIONS
    };
    let text = render(&sample::hostile(), Format::Table, &options);
    assert!(text.contains('\u{1b}'));
    for after in text.split('\u{1b}').skip(1) {
        let (inside, _) = after.split_once('m').unwrap();
        let inside = inside.strip_prefix('[').unwrap();
        let is_style = |byte: u8| byte.is_ascii_digit() || byte == b';';
        assert!(inside.bytes().all(is_style), "{inside:?}");
    }
    assert!(harmful(&text.replace('\u{1b}', "")).is_empty());
}

#[test]
fn a_name_as_long_as_a_book_fills_no_screen() {
    for width in [60, 100, 140] {
        let options = Options {
            width,
            packages: true,
            ..OPTIONS
        };
        let text = render(&sample::hostile(), Format::Table, &options);
        assert!(text.len() < 40_000, "{}", text.len());
        assert!(text.contains("more letters)"), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn json_and_sarif_hold_the_very_text() {
    for format in [Format::Json, Format::Sarif] {
        let text = render(&sample::hostile(), format, &OPTIONS);
        let value = serde_json::from_str(&text).unwrap();
        let mut values = Vec::new();
        all_values(&value, &mut values);
        for name in HOSTILE {
            assert!(
                values.iter().any(|value| value == name),
                "{format:?} {name:?}"
            );
        }
    }
}

#[test]
fn sarif_makes_neither_links_nor_placeholders_of_names() {
    let text = render(&sample::hostile(), Format::Sarif, &OPTIONS);
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let runs = log["runs"].as_array().unwrap().iter();
    let messages: Vec<&str> = runs
        .flat_map(|run| run["results"].as_array().unwrap())
        .map(|result| result["message"]["text"].as_str().unwrap())
        .collect();
    assert!(
        messages
            .iter()
            .any(|text| text.contains("{{0}}") && text.contains("\\[text\\](http://evil.example)")),
        "{messages:#?}"
    );
}

#[test]
fn xml_stays_well_formed_and_keeps_its_cases() {
    let text = render(&sample::hostile(), Format::Junit, &OPTIONS);
    let query = "count(//testcase)";
    if let Some(count) = told("xmllint", &["--xpath", query, "-"], &text) {
        // For each target one package with findings, one gap and one finding
        // that was suppressed.
        assert_eq!(count.trim(), ((HOSTILE.len() + 1) * 3).to_string());
    }
    if let Some(names) = told("xmllint", &["--xpath", "//testcase/@name", "-"], &text) {
        assert!(
            names.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{names}"
        );
    }
}

#[test]
fn markdown_has_no_markup_but_its_own() {
    let text = render(&sample::hostile(), Format::Markdown, &OPTIONS);
    let extensions = ["table", "autolink", "strikethrough", "tasklist"];
    let mut arguments = vec!["--unsafe"];
    for extension in extensions {
        arguments.extend(["-e", extension]);
    }
    let Some(html) = told("cmark-gfm", &arguments, &text) else {
        return;
    };
    let targets = HOSTILE.len() + 1;
    for (tag, number) in [
        ("<h1>", 1),
        ("<h2>", targets + 2),
        ("<table>", targets),
        ("<tr>", targets * 3),
        ("<td>", targets * 2 * 6),
        // Gaps, and what is gone.
        ("<li>", targets + HOSTILE.len()),
        ("<a ", 0),
        ("<img", 0),
        ("<script", 0),
        ("<details", 0),
        ("<strong", 0),
        ("<em>", 0),
        ("<pre", 0),
        ("<del", 0),
        ("<!--", 0),
    ] {
        assert_eq!(html.matches(tag).count(), number, "{tag}\n{html}");
    }
    // Names stand there as they are, as code.
    assert!(html.contains("<code>@torvalds #1 www.evil.example http://evil.example</code>"));
    assert!(html.contains("<code>a|b`c``d|` **bold**"), "{html}");
    // Outside of code nobody is called by name.
    let mut prose = html.as_str();
    while let Some((before, after)) = prose.split_once("<code>") {
        assert!(!before.contains("@torvalds"), "{before}");
        prose = after.split_once("</code>").unwrap().1;
    }
}

#[test]
fn html_has_no_markup_but_its_own() {
    let tags = |text: &str| {
        let mut names: Vec<String> = text
            .split('<')
            .skip(1)
            .map(|rest| rest.split(['>', ' ']).next().unwrap().to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let body = |text: &str| {
        let (_, body) = text.split_once("<body>").unwrap();
        body.rsplit_once("<script>").unwrap().0.to_owned()
    };
    let mut tame = tags(&body(&render(&sample::report(), Format::Html, &OPTIONS)));
    // A long list of gaps and one of next steps unfold.
    tame.extend(["details", "/details", "summary", "/summary"].map(str::to_owned));
    let page = render(&sample::hostile(), Format::Html, &OPTIONS);
    for tag in tags(&body(&page)) {
        assert!(tame.contains(&tag), "{tag} is not one of {tame:?}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    // Of gaps, next steps, what is gone and what was suppressed.
    assert_eq!(page.matches("<details").count(), 4);
    // A quote in a value ends no attribute.
    assert!(!page.contains("\"onmouseover="), "{page}");
    // No address is made of text that is no id.
    assert!(!page.contains("href=\"http://evil"));
}
