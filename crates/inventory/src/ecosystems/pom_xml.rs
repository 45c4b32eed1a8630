//! pom.xml (Maven, "POM Reference", 4.0.0) and .mvn/maven.config (Maven,
//! "Configuring Maven"): what each file says, for [`crate::pom`], which puts the
//! files of a project together.

use seawall_model::Span;

use crate::{
    declared::{Declarations, lock_file, range_fields, span_of},
    pom,
    xml::{Element, Text, Tree},
};

lock_file!(
    "pom-xml",
    "maven",
    [Interest::Name("pom.xml"), Interest::Name("maven.config")],
    parse,
    |view, inventory| pom::read("pom-xml", view, inventory)
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    // XML starts with a bracket, and options with a dash.
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    if first.is_some_and(|line| line.starts_with('-')) {
        out.record(&["options"]);
        for word in text.split_whitespace() {
            let property = word
                .strip_prefix("-D")
                .and_then(|word| word.split_once('='));
            if let Some((name, value)) = property {
                let span = span_of(text, value).unwrap_or_default();
                push(out, &["option", name, value], span);
            }
        }
        return Ok(());
    }
    let tree = Tree::read(text, "project", out)?;
    let Some(project) = tree.root() else {
        return Ok(());
    };
    out.record(&["model"]);
    part(project, "", out);
    Ok(())
}

/// A record with a place at its end.
fn push(out: &mut Declarations<'_>, fields: &[&str], span: Span) {
    let range = range_fields(out.range(span));
    let fields: Vec<&str> = fields
        .iter()
        .copied()
        .chain(range.iter().map(String::as_str))
        .collect();
    out.record(&fields);
}

/// What stands in the project itself or in one of its profiles. All is taken
/// in the order of the file, since places are found fastest so.
fn part(element: Element<'_, '_>, profile: &str, out: &mut Declarations<'_>) {
    let mut profiles = 0;
    for child in element.children() {
        match child.name() {
            name @ ("groupId" | "artifactId" | "version" | "packaging") if profile.is_empty() => {
                let text = child.text();
                push(out, &["coordinate", name, text.value], text.span);
            }
            "parent" if profile.is_empty() => parent(child, out),
            "properties" => {
                for one in child.children() {
                    let text = one.text();
                    let span = if text.value.is_empty() {
                        at(one)
                    } else {
                        text.span
                    };
                    push(out, &["property", profile, one.name(), text.value], span);
                }
            }
            "modules" => {
                for one in child.children().filter(|one| one.name() == "module") {
                    let text = one.text();
                    push(out, &["module", profile, text.value], text.span);
                }
            }
            "dependencies" => dependencies(child, profile, "declared", out),
            "dependencyManagement" => {
                for list in child.children().filter(|it| it.name() == "dependencies") {
                    dependencies(list, profile, "managed", out);
                }
            }
            "profiles" if profile.is_empty() => {
                for one in child.children().filter(|one| one.name() == "profile") {
                    profiles += 1;
                    let number = profiles.to_string();
                    out.record(&["profile", &number, activation(one)]);
                    part(one, &number, out);
                }
            }
            _ => {}
        }
    }
}

fn parent(element: Element<'_, '_>, out: &mut Declarations<'_>) {
    let text = |name| element.text_of(name);
    let path = match element.child("relativePath") {
        Some(path) => path.text().value,
        None => "../pom.xml",
    };
    let version = text("version");
    let fields = [
        "parent",
        text("groupId").value,
        text("artifactId").value,
        version.value,
        path,
    ];
    push(out, &fields, version.span);
}

/// When a profile is active: `default` when no other is, `unset` when a
/// property is not set, which nobody sets without saying so, and otherwise only
/// when somebody or the machine says so.
fn activation(profile: Element<'_, '_>) -> &'static str {
    let Some(activation) = profile.child("activation") else {
        return "";
    };
    if activation.text_of("activeByDefault").value == "true" {
        return "default";
    }
    let has_other = ["jdk", "os", "file"]
        .iter()
        .any(|name| activation.child(name).is_some());
    let property = activation.child("property").filter(|_| !has_other);
    let is_unset = property.is_some_and(|property| {
        let value = property.text_of("value").value;
        let name = property.text_of("name").value;
        name.starts_with('!') && value.is_empty() || !name.is_empty() && value.starts_with('!')
    });
    if is_unset { "unset" } else { "" }
}

fn dependencies(list: Element<'_, '_>, profile: &str, section: &str, out: &mut Declarations<'_>) {
    for one in list.children().filter(|one| one.name() == "dependency") {
        let text = |name| one.text_of(name);
        let (group, artifact, version) = (text("groupId"), text("artifactId"), text("version"));
        if group.value.is_empty() || artifact.value.is_empty() {
            out.problem(one.start(), "a dependency has no group or no artifact");
            continue;
        }
        let span = if version.value.is_empty() {
            artifact.span
        } else {
            version.span
        };
        let fields = [
            "dependency",
            profile,
            section,
            group.value,
            artifact.value,
            version.value,
            text("type").value,
            text("classifier").value,
            text("scope").value,
        ];
        push(out, &fields, span);
    }
}

/// Where the tag of an element is.
fn at(element: Element<'_, '_>) -> Span {
    let Text { span, .. } = element.text();
    let start = element.start();
    Span::new(start, span.end.max(start + 1 + element.name().len()))
}
