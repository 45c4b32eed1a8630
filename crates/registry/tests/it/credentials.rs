//! Credentials that other programs wrote down, and programs that keep them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_registry::{Credential, Credentials, Machine, Reference};
use seawall_testkit::{Registry, Setup, have, htpasswd, run};

use crate::support::{basic_config, client, client_with, machine, push, said, write_config};

fn find(credentials: &Credentials, name: &str) -> Option<(Credential, String)> {
    let name: Reference = name.parse().unwrap();
    let lookup = credentials.find(name.repository()).unwrap();
    lookup.found.map(|found| (found.credential, found.from))
}

/// User and password, or what it is instead.
fn words(credential: &Credential) -> String {
    match credential {
        Credential::Password { user, password } => format!("{user}:{}", password.expose()),
        Credential::Identity { user, token } => {
            format!(
                "identity {}:{}",
                user.as_deref().unwrap_or("?"),
                token.expose()
            )
        }
        Credential::Bearer(token) => format!("bearer {}", token.expose()),
    }
}

pub(crate) fn of(machine: &Machine, files: &[PathBuf], name: &str) -> Option<String> {
    let credentials = Credentials::new(machine, files).unwrap();
    find(&credentials, name).map(|(credential, _)| words(&credential))
}

/// A registry with a password, which somebody logs in to.
fn registry(dir: &Path) -> Option<Registry> {
    let auth = htpasswd(dir, "user", "hunter2:ä b")?;
    Registry::start(&Setup {
        auth: Some(auth),
        ..Setup::default()
    })
}

const LOGIN: &str = "user:hunter2:ä b";

#[test]
fn basic_credentials_of_every_login() {
    let dir = tempfile::tempdir().unwrap();
    let Some(registry) = registry(dir.path()) else {
        return;
    };
    let Some(name) = push(&registry, "app:1", Some(LOGIN)) else {
        return;
    };
    let host = registry.host();
    let file = dir.path().join("auth.json");
    let mut logins = Vec::new();
    if have(&["skopeo"]) {
        let mut login = Command::new("skopeo");
        login
            .args(["login", "--tls-verify=false", "--authfile"])
            .arg(&file);
        logins.push(("skopeo", login));
    }
    if have(&["podman"]) {
        let mut login = Command::new("podman");
        login
            .args(["login", "--tls-verify=false", "--authfile"])
            .arg(&file);
        logins.push(("podman", login));
    }
    if have(&["crane"]) {
        let mut login = Command::new("crane");
        login.args(["auth", "login", "--insecure"]);
        login.env("DOCKER_CONFIG", dir.path().join("crane"));
        logins.push(("crane", login));
    }
    for (program, mut login) in logins {
        login.args(["-u", "user", "-p", "hunter2:ä b", host]);
        run(&mut login).unwrap();
        let machine = match program {
            "crane" => {
                let folder = dir.path().join("crane");
                machine(dir.path(), &[("DOCKER_CONFIG", &folder)])
            }
            _ => machine(dir.path(), &[("REGISTRY_AUTH_FILE", &file)]),
        };
        let manifest = client_with(&machine, &[]).manifest(&name);
        assert!(manifest.is_ok(), "{program}: {manifest:?}");
        // By name, too.
        if program != "crane" {
            let nobody = Machine::below(dir.path(), &[]);
            let manifest = client_with(&nobody, std::slice::from_ref(&file)).manifest(&name);
            assert!(manifest.is_ok(), "{program}: {manifest:?}");
            fs::remove_file(&file).unwrap();
        }
    }
}

#[test]
fn a_namespace_of_podman_is_preferred() {
    let dir = tempfile::tempdir().unwrap();
    let Some(registry) = registry(dir.path()) else {
        return;
    };
    if !have(&["podman"]) {
        return;
    }
    let file = dir.path().join("auth.json");
    let host = registry.host();
    for target in [host.to_owned(), format!("{host}/team/app")] {
        let mut login = Command::new("podman");
        login
            .args(["login", "--tls-verify=false", "--authfile"])
            .arg(&file);
        run(login.args(["-u", "user", "-p", "hunter2:ä b", &target])).unwrap();
    }
    let credentials = Credentials::new(&machine(dir.path(), &[]), &[file]).unwrap();
    let place = |name: &str| find(&credentials, &format!("{host}/{name}")).unwrap().1;
    assert!(place("team/app").starts_with(&format!("`auths.{host}/team/app` of")));
    assert!(place("team/apps").starts_with(&format!("`auths.{host}` of")));
}

#[test]
fn wrong_and_missing_passwords_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let Some(registry) = registry(dir.path()) else {
        return;
    };
    let name: Reference = format!("{}/app:1", registry.host()).parse().unwrap();
    let text = said(&client(dir.path()).manifest(&name).unwrap_err());
    let expected = format!(
        "`{}` asks for credentials, and there are none for it",
        registry.host()
    );
    assert_eq!(text, expected);
    write_config(
        dir.path(),
        &basic_config(registry.host(), "user", "hunter3"),
    );
    let error = client(dir.path()).manifest(&name).unwrap_err();
    let text = said(&error);
    assert!(
        text.contains("is refused with status 401 with the credentials from `auths."),
        "{text}"
    );
    assert!(!format!("{text}{error:?}").contains("hunter3"));
}

#[test]
fn secrets_of_kubernetes() {
    if !have(&["kubectl"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let nobody = Machine::below(dir.path(), &[]);
    for form in ["yaml", "json"] {
        let mut create = Command::new("kubectl");
        create.args([
            "create",
            "secret",
            "docker-registry",
            "x",
            "--dry-run=client",
        ]);
        create.args([
            "--docker-server=https://*.example.com/team",
            "--docker-username=me",
        ]);
        create.args(["--docker-password=hunter2:ä", "-o", form]);
        let output = run(&mut create).unwrap();
        let file = dir.path().join(form);
        fs::write(&file, &output.stdout).unwrap();
        let files = [file];
        let expected = Some("me:hunter2:ä".to_owned());
        assert_eq!(
            of(&nobody, &files, "a.example.com/team/app"),
            expected,
            "{form}"
        );
        assert_eq!(of(&nobody, &files, "a.example.com/other"), None);
        assert_eq!(of(&nobody, &files, "a.example.org/team/app"), None);
        // Among other manifests, and as a list of the API.
        let text = String::from_utf8(output.stdout).unwrap();
        let more = match form {
            "yaml" => format!("apiVersion: v1\nkind: ConfigMap\n---\n{text}---\n"),
            _ => format!(r#"{{"apiVersion":"v1","kind":"List","items":[{text}]}}"#),
        };
        fs::write(&files[0], more).unwrap();
        assert_eq!(
            of(&nobody, &files, "a.example.com/team/app"),
            expected,
            "{form}"
        );
    }
}

#[test]
fn every_shape_of_an_entry() {
    let dir = tempfile::tempdir().unwrap();
    let nobody = Machine::below(dir.path(), &[("HOME", dir.path())]);
    for (entry, expected) in [
        (r#"{"auth": "YTpi"}"#, Some("a:b")),
        (r#"{"auth": "YTpiOmM"}"#, Some("a:b:c")),
        (r#"{"auth": "YTpiAAA="}"#, Some("a:b")),
        (
            r#"{"auth": "YTpi", "username": "x", "password": "y"}"#,
            Some("a:b"),
        ),
        (
            r#"{"username": "a", "password": "b", "email": "c"}"#,
            Some("a:b"),
        ),
        (r#"{"auth": "PHRva2VuPjp0"}"#, Some("identity ?:t")),
        (
            r#"{"auth": "YTo=", "identitytoken": "t"}"#,
            Some("identity a:t"),
        ),
        (r#"{"registrytoken": "t"}"#, Some("bearer t")),
        (r#"{"auth": "", "email": null}"#, None),
        ("{}", None),
        ("null", None),
    ] {
        write_config(dir.path(), &format!(r#"{{"auths": {{"r.io": {entry}}}}}"#));
        assert_eq!(of(&nobody, &[], "r.io/a").as_deref(), expected, "{entry}");
    }
    fs::remove_file(dir.path().join(".docker/config.json")).unwrap();
    let old = r#"{"https://index.docker.io/v1/": {"auth": "YTpi", "email": "x"}}"#;
    fs::write(dir.path().join(".dockercfg"), old).unwrap();
    assert_eq!(of(&nobody, &[], "debian").as_deref(), Some("a:b"));
    assert_eq!(of(&nobody, &[], "r.io/a"), None);
}

#[test]
fn files_are_asked_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let user = name.split('/').next().unwrap();
        fs::write(&path, basic_config("r.io", user, "x")).unwrap();
        path
    };
    let (flag, named) = (path("flag/x.json"), path("named/x.json"));
    path("runtime/containers/auth.json");
    path("config/containers/auth.json");
    path("docker/config.json");
    let folder = |name: &str| dir.path().join(name);
    let (runtime, config, docker) = (folder("runtime"), folder("config"), folder("docker"));
    let token = PathBuf::from("t");
    let host = PathBuf::from("r.io");
    let mut variables: Vec<(&str, &Path)> = vec![
        ("SEAWALL_REGISTRY", &host),
        ("SEAWALL_REGISTRY_TOKEN", &token),
        ("REGISTRY_AUTH_FILE", &named),
        ("XDG_RUNTIME_DIR", &runtime),
        ("XDG_CONFIG_HOME", &config),
        ("DOCKER_CONFIG", &docker),
        ("HOME", dir.path()),
    ];
    let files = [flag];
    let expected = Some("bearer t".to_owned());
    assert_eq!(
        of(&Machine::below(dir.path(), &variables), &files, "r.io/a"),
        expected
    );
    // The environment is about one registry.
    assert_eq!(
        of(&Machine::below(dir.path(), &variables), &files, "r.io.x/a"),
        None
    );
    variables.drain(..2);
    let mut all = vec![of(
        &Machine::below(dir.path(), &variables),
        &files,
        "r.io/a",
    )];
    while !variables.is_empty() {
        all.push(of(&Machine::below(dir.path(), &variables), &[], "r.io/a"));
        variables.remove(0);
    }
    let users = ["flag:x", "named:x", "runtime:x", "config:x", "docker:x"];
    let all: Vec<&str> = all.iter().flatten().map(String::as_str).collect();
    assert_eq!(all, users);
}

#[test]
fn half_an_environment_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let value = Path::new("hunter2");
    for (names, why) in [
        (
            &["SEAWALL_REGISTRY_TOKEN"][..],
            "does not say for which registry",
        ),
        (
            &["SEAWALL_REGISTRY", "SEAWALL_REGISTRY_USERNAME"],
            "`SEAWALL_REGISTRY_PASSWORD` is not",
        ),
        (
            &["SEAWALL_REGISTRY_PASSWORD"],
            "`SEAWALL_REGISTRY_USERNAME` is not",
        ),
        (
            &["SEAWALL_REGISTRY_TOKEN", "SEAWALL_REGISTRY_PASSWORD"],
            "set either",
        ),
    ] {
        let variables: Vec<(&str, &Path)> = names.iter().map(|name| (*name, value)).collect();
        let error = Credentials::new(&Machine::below(dir.path(), &variables), &[]).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn damaged_files_are_named_with_the_field_and_without_the_secret() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.json");
    let nobody = Machine::below(dir.path(), &[]);
    let secret = "aHVudGVyMg==";
    for (text, why) in [
        ("", "it is no JSON at 1:0"),
        ("[]", "it is no JSON object"),
        (
            r#"{"auths": {"r.io": {"auth": "hunter2"#,
            "it is no JSON at 1:",
        ),
        (r#"{"auths": "hunter2"}"#, "`auths` is no object"),
        (
            r#"{"auths": {"r.io": "hunter2"}}"#,
            "`auths.r.io` is no object",
        ),
        (
            r#"{"auths": {"r.io": {"auth": ["hunter2"]}}}"#,
            "`auths.r.io.auth` is no text",
        ),
        (
            r#"{"auths": {"r.io": {"auth": "hunter2!"}}}"#,
            "`auths.r.io.auth` is no base64",
        ),
        (
            r#"{"auths": {"r.io": {"auth": "aHVudGVyMg=="}}}"#,
            "`auths.r.io.auth` holds no `:`",
        ),
        (
            r#"{"auths": {"r.io": {"auth": "YTpiDQo="}}}"#,
            "holds control characters",
        ),
        (
            r#"{"auths": {"r.io": {"password": "hunter2"}}}"#,
            "has a password and no username",
        ),
        (
            r#"{"auths": {"r.io": {"username": "hunter2"}}}"#,
            "has a username and no password",
        ),
        (
            r#"{"credHelpers": ["hunter2"]}"#,
            "`credHelpers` is no object",
        ),
        (
            r#"{"credHelpers": {"r.io": 2}}"#,
            "`credHelpers.r.io` is no text",
        ),
        (
            r#"{"credsStore": {"x": "hunter2"}}"#,
            "`credsStore` is no text",
        ),
        ("apiVersion: v1\nkind: ConfigMap\n", "no Secret in it has"),
        (
            "apiVersion: v1\nkind: Secret\ndata:\n  .dockerconfigjson: hunter2!\n",
            "`data[\".dockerconfigjson\"]` is no base64",
        ),
        (
            "apiVersion: v1\nkind: Secret\ndata:\n  .dockerconfigjson: aHVudGVyMg==\n",
            "`.dockerconfigjson` of the Secret holds no JSON",
        ),
        (
            "apiVersion: v1\nkind: Secret\ndata: {hunter2\n",
            "it is no YAML at",
        ),
        (
            "kind: Secret\na: &a hunter2\nb: *a\n",
            "it has a YAML alias",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let credentials = Credentials::new(&nobody, std::slice::from_ref(&file)).unwrap();
        let name: Reference = "r.io/a".parse().unwrap();
        let error = credentials.find(name.repository()).unwrap_err();
        let shown = said(&error);
        assert!(
            shown.contains(why) && shown.contains("x.json"),
            "{text}: {shown}"
        );
        for shown in [shown, format!("{error:?}"), format!("{credentials:?}")] {
            assert!(
                !shown.contains("hunter2") && !shown.contains(secret),
                "{shown}"
            );
        }
    }
    // What is damaged about others does no harm.
    fs::write(&file, r#"{"auths": {"x.io": 7, "r.io": {"auth": "YTpi"}}}"#).unwrap();
    assert_eq!(
        of(&nobody, std::slice::from_ref(&file), "r.io/a").as_deref(),
        Some("a:b")
    );
    fs::remove_file(&file).unwrap();
    let credentials = Credentials::new(&nobody, &[file]).unwrap();
    let name: Reference = "r.io/a".parse().unwrap();
    assert!(said(&credentials.find(name.repository()).unwrap_err()).contains("x.json"));
}
