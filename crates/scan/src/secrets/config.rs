//! Secrets in an image's configuration: whoever can pull the image reads it.

use std::collections::BTreeMap;

use seawall_image::ImageConfig;
use seawall_model::Finding;
use seawall_secrets::Secret;

use super::{finding, severity, what};

/// How a build step is read: as a line of a Dockerfile.
pub(super) const STEP: &str = "Dockerfile";
/// How a variable is read: as a line of an environment's file.
const VARIABLE: &str = ".env";
/// How a label is read: as plain text.
const LABEL: &str = "labels";

/// One finding for each secret, whichever places of the configuration hold it.
pub(super) fn findings(config: &ImageConfig) -> Vec<Finding> {
    let mut found: BTreeMap<(&'static str, u16), (Secret, Vec<String>)> = BTreeMap::new();
    let mut look = |path: &str, text: &str, place: &dyn Fn() -> String| {
        for secret in seawall_secrets::scan(path, text.as_bytes()).secrets {
            let key = (secret.detector.id, secret.mark);
            let (_, places) = found.entry(key).or_insert_with(|| (secret, Vec::new()));
            let place = place();
            if !places.contains(&place) {
                places.push(place);
            }
        }
    };
    for variable in &config.env {
        let name = variable.split('=').next().unwrap_or_default();
        look(VARIABLE, variable, &|| {
            format!("the environment (`{name}`)")
        });
    }
    for (name, value) in &config.labels {
        look(LABEL, &format!("{name}={value}"), &|| {
            format!("the label `{name}`")
        });
    }
    for (what, words) in [("entrypoint", &config.entrypoint), ("command", &config.cmd)] {
        look(STEP, &words.join(" "), &|| format!("the {what}"));
    }
    for (index, step) in config.history.iter().enumerate() {
        look(STEP, &step.created_by, &|| {
            format!("step {} of the history", index + 1)
        });
    }
    found
        .into_values()
        .map(|(secret, places)| {
            let what = what(secret.detector, &secret.shown);
            let message = format!(
                "{what} in {} of the image's configuration",
                places.join(", ")
            );
            finding(
                secret.detector,
                message,
                severity(secret.detector, secret.note.is_some()),
                "configuration",
                secret.mark,
            )
        })
        .collect()
}
