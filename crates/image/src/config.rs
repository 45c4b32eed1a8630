//! An image's configuration (OCI image-spec, config.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::{Error, Platform, manifest::json};

/// What an image's configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `User`.
    pub user: Option<String>,
    /// `Env`, as `NAME=value`.
    pub env: Vec<String>,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `ExposedPorts`, sorted.
    pub exposed_ports: Vec<String>,
    /// `Volumes`, sorted.
    pub volumes: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `WorkingDir`.
    pub working_dir: Option<String>,
    /// `created`, RFC 3339.
    pub created: Option<String>,
    /// The platform.
    pub platform: Option<Platform>,
    /// The build steps.
    pub history: Vec<HistoryStep>,
    pub(crate) diff_ids: Vec<String>,
}

/// One step of an image's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryStep {
    /// The command.
    pub created_by: String,
    /// What made it: `buildkit.dockerfile.v0`, `debuerreotype 0.15`.
    pub comment: String,
    /// Who made it: `ko`, `Bazel`.
    pub author: String,
    /// Whether it made no layer.
    pub empty_layer: bool,
}

#[derive(Deserialize)]
struct WireConfig {
    #[serde(flatten)]
    platform: Option<WirePlatform>,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    config: Option<WireRun>,
    #[serde(default)]
    rootfs: Option<WireRootFs>,
    #[serde(default)]
    history: Option<Vec<WireHistory>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct WireRun {
    user: Option<String>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    exposed_ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    volumes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    labels: Option<BTreeMap<String, String>>,
    working_dir: Option<String>,
}

#[derive(Deserialize)]
struct WireRootFs {
    #[serde(default, deserialize_with = "nullable")]
    diff_ids: Vec<String>,
}

#[derive(Deserialize)]
struct WireHistory {
    #[serde(default, deserialize_with = "nullable")]
    created_by: String,
    #[serde(default, deserialize_with = "nullable")]
    comment: String,
    #[serde(default, deserialize_with = "nullable")]
    author: String,
    #[serde(default)]
    empty_layer: bool,
}

/// A platform as documents write it.
#[derive(Clone, Deserialize)]
pub(crate) struct WirePlatform {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

/// Go writes an empty list as `null`: an image without layers is full of them.
pub(crate) fn nullable<'de, T, D>(input: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// Reads an image's configuration.
///
/// # Errors
/// When it does not follow its form.
pub fn parse_config(bytes: &[u8]) -> Result<ImageConfig, Error> {
    let wire: WireConfig = json("the configuration", bytes)?;
    let run = wire.config.unwrap_or_default();
    let keys = |map: Option<BTreeMap<String, _>>| map.unwrap_or_default().into_keys().collect();
    Ok(ImageConfig {
        user: run.user.filter(|user| !user.is_empty()),
        env: run.env.unwrap_or_default(),
        entrypoint: run.entrypoint.unwrap_or_default(),
        cmd: run.cmd.unwrap_or_default(),
        exposed_ports: keys(run.exposed_ports),
        volumes: keys(run.volumes),
        labels: run.labels.unwrap_or_default(),
        working_dir: run.working_dir.filter(|dir| !dir.is_empty()),
        created: wire.created,
        platform: wire.platform.and_then(|platform| known(&platform)),
        history: wire
            .history
            .unwrap_or_default()
            .into_iter()
            .map(|step| HistoryStep {
                created_by: step.created_by,
                comment: step.comment,
                author: step.author,
                empty_layer: step.empty_layer,
            })
            .collect(),
        diff_ids: wire
            .rootfs
            .map(|rootfs| rootfs.diff_ids)
            .unwrap_or_default(),
    })
}

/// The platform, if the document gives one.
pub(crate) fn known(platform: &WirePlatform) -> Option<Platform> {
    if platform.os.is_empty() || platform.architecture.is_empty() {
        return None;
    }
    Some(Platform {
        os: platform.os.clone(),
        architecture: platform.architecture.clone(),
        variant: platform
            .variant
            .clone()
            .filter(|variant| !variant.is_empty()),
    })
}
