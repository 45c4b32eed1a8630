//! Secrets in an image's configuration: whoever can pull the image reads it.

use std::collections::BTreeMap;

use seawall_image::ImageConfig;
use seawall_model::Finding;
use seawall_secrets::{Secret, redact};

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
        look(VARIABLE, variable, &|| match variable.split_once('=') {
            Some((name, _)) => format!("the environment (`{}`)", redact(VARIABLE, name)),
            // Without a value it may be all secret.
            None => "the environment".to_owned(),
        });
    }
    for (name, value) in &config.labels {
        look(LABEL, &format!("{name}={value}"), &|| {
            format!("the label `{}`", redact(LABEL, name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_places_hold_no_secret() {
        let token = seawall_secrets::expand("ghp_<crc:30>");
        let messages = |config: &ImageConfig| -> Vec<String> {
            findings(config)
                .into_iter()
                .map(|one| one.message)
                .collect()
        };
        let what = "GitHub personal access token `ghp_…`";
        let of = "of the image's configuration";
        let mut bare = ImageConfig::default();
        bare.env = vec![token.clone(), format!("{token}=1")];
        let places = "the environment, the environment (`ghp_…`)";
        assert_eq!(messages(&bare), [format!("{what} in {places} {of}")]);
        let mut key = ImageConfig::default();
        key.labels = [(token, "1".to_owned())].into();
        let place = "the label `ghp_…`";
        assert_eq!(messages(&key), [format!("{what} in {place} {of}")]);
    }
}
