//! gradle.lockfile and its kin (Gradle, "Locking versions").

use crate::declared::{Declarations, Declared, lock_file, span_of};

lock_file!(
    "gradle-lockfile",
    "maven",
    [
        Interest::Name("gradle.lockfile"),
        Interest::Name("buildscript-gradle.lockfile"),
        Interest::Name("settings-gradle.lockfile"),
    ],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let mut has_end = false;
    let mut has_any = false;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let start = span_of(text, line).unwrap_or_default().start;
        // Gradle writes it last: the configurations that nothing is in.
        if line.starts_with("empty=") {
            has_end = true;
            continue;
        }
        let (module, configurations) = line.split_once('=').unwrap_or((line, ""));
        let parts: Vec<&str> = module.split(':').collect();
        let [group, artifact, version] = parts.as_slice() else {
            out.problem(start, "a line is no module with its version");
            continue;
        };
        if [group, artifact, version]
            .iter()
            .any(|part| part.is_empty())
        {
            out.problem(start, "a line is no module with its version");
            continue;
        }
        has_any = true;
        let mut all = configurations
            .split(',')
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .peekable();
        let is_development = all.peek().is_some() && all.all(is_for_development);
        out.push(&Declared {
            name: &format!("{group}:{artifact}"),
            version,
            development: is_development,
            span: span_of(text, module).unwrap_or_default(),
            ..Declared::default()
        });
    }
    if !has_any && !has_end && !out.has_problem() {
        return Err("it is no lock file of Gradle: it has no module".to_owned());
    }
    if !has_end && !out.has_problem() {
        let reason = "it has no `empty=` at its end: it may have been cut off";
        out.gap(seawall_model::GapKind::Damaged, reason);
    }
    Ok(())
}

/// Whether a configuration is of tests or of the build itself: `classpath` is
/// that of build scripts.
fn is_for_development(configuration: &str) -> bool {
    configuration == "classpath"
        || configuration.starts_with("test")
        || configuration.contains("Test")
}
