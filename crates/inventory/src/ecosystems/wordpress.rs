//! WordPress: the core (`wp-includes/version.php`), plugins and themes, which
//! say in a comment what they are (WordPress, "Header Requirements" of the
//! Plugin Handbook, "Main Stylesheet" of the Theme Handbook, `get_file_data`).

use seawall_model::Requirement;

use crate::{
    found::{Finds, Found, records},
    literal::literal,
};

records!(
    "wordpress",
    [Interest::Suffix(".php"), Interest::Name("style.css")],
    |path: &str| Part::of(path).is_some(),
    16 << 20,
    parse,
    |path| path.split_once("wp-content/").map_or("", |(root, _)| root)
);

/// What a file tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Core,
    /// By the name of its folder, or of its file where it has none: what
    /// wordpress.org knows it by.
    Plugin(&'a str),
    Theme(&'a str),
}

impl<'a> Part<'a> {
    fn of(path: &'a str) -> Option<Self> {
        if path == "wp-includes/version.php" || path.ends_with("/wp-includes/version.php") {
            return Some(Part::Core);
        }
        let (above, rest) = path.split_once("wp-content/")?;
        (above.is_empty() || above.ends_with('/')).then_some(())?;
        let mut parts = rest.split('/');
        match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
            ("plugins" | "mu-plugins", folder, Some(file), None) => {
                file.ends_with(".php").then_some(Part::Plugin(folder))
            }
            ("plugins" | "mu-plugins", file, None, None) => {
                file.strip_suffix(".php").map(Part::Plugin)
            }
            ("themes", folder, Some("style.css"), None) => Some(Part::Theme(folder)),
            _ => None,
        }
    }
}

fn parse(path: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let part = Part::of(path).ok_or("it is no part of WordPress")?;
    let mut found = Found {
        kind: "wordpress",
        ..Found::default()
    };
    match part {
        Part::Core => {
            found.name = "wordpress".to_owned();
            found.version = core_version(text).ok_or("it names no version of WordPress")?;
            found.licenses.push("GPL-2.0-or-later".to_owned());
        }
        Part::Plugin(slug) | Part::Theme(slug) => {
            let (kind, title) = match part {
                Part::Theme(_) => ("theme", "Theme Name"),
                _ => ("plugin", "Plugin Name"),
            };
            // Of a plugin's files one has it.
            if field(text, title).is_none() {
                return Ok(());
            }
            found.name = format!("{kind}/{slug}");
            found.version = field(text, "Version").unwrap_or_default().to_owned();
            found
                .licenses
                .extend(field(text, "License").map(str::to_owned));
            let theme = field(text, "Template").map(|name| format!("theme/{name}"));
            let plugins = field(text, "Requires Plugins").unwrap_or_default();
            let plugins = plugins
                .split(',')
                .map(|name| format!("plugin/{}", name.trim()));
            found.requires = theme
                .into_iter()
                .chain(plugins)
                .map(|name| Requirement {
                    name,
                    version: None,
                })
                .collect();
        }
    }
    out.push(&found);
    Ok(())
}

/// `$wp_version = '6.4.2';`
fn core_version(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let value = line.trim_start().strip_prefix("$wp_version")?;
        let (version, _) = literal(value.trim_start().strip_prefix('=')?)?;
        (!version.is_empty()).then_some(version)
    })
}

/// A field of the comment that a file starts with: WordPress looks at its first
/// 8 KiB, whatever stands before the name in a line of a comment.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    const HEAD: usize = 8 << 10;
    let mut start = 0;
    for line in text.split(['\n', '\r']) {
        if start > HEAD {
            break;
        }
        start += line.len() + 1;
        let line = line.trim_start().strip_prefix("<?php").unwrap_or(line);
        let line = line.trim_start_matches([' ', '\t', '/', '*', '#', '@']);
        let Some((key, rest)) = line.split_at_checked(name.len()) else {
            continue;
        };
        if let Some(value) = rest.strip_prefix(':')
            && key.eq_ignore_ascii_case(name)
        {
            let value = value.split("*/").next().unwrap_or(value);
            let value = value.split("?>").next().unwrap_or(value).trim();
            return (!value.is_empty()).then_some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_their_place() {
        for (path, expected) in [
            ("var/www/wp-includes/version.php", Some(Part::Core)),
            ("wp-content/plugins/hello.php", Some(Part::Plugin("hello"))),
            ("x/wp-content/plugins/a/b.php", Some(Part::Plugin("a"))),
            ("x/wp-content/plugins/a/inc/b.php", None),
            ("x/wp-content/themes/t/style.css", Some(Part::Theme("t"))),
            ("x/wp-content/themes/t/index.php", None),
            ("x/style.css", None),
        ] {
            assert_eq!(Part::of(path), expected, "{path}");
        }
    }
}
