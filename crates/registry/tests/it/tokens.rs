//! Tokens of a real token server, for a real registry.

use std::{
    io::Read,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use seawall_registry::{Client, Host, Reference};
use seawall_testkit::{Act, Answer, Asked, Delivery, Proxy, have, run};
use tempfile::TempDir;

use crate::support::{TokenServer, basic_config, client, push, said, settings, write_config};

const USER: &str = "user";
const PASSWORD: &str = "hunter2 and 3: ä";

struct Scene {
    dir: TempDir,
    server: TokenServer,
    /// Before the token server.
    proxy: Proxy,
    registry: seawall_testkit::Registry,
    name: Reference,
}

/// A registry with an image of the user's, whose token server is reached
/// through a proxy with this rule.
fn scene(rule: fn(&Asked) -> Act) -> Option<Scene> {
    let dir = tempfile::tempdir().unwrap();
    let server = TokenServer::start(dir.path(), USER, PASSWORD)?;
    let proxy = Proxy::start(server.host(), rule).unwrap();
    let registry = server.registry(&format!("http://{}/token/", proxy.host()))?;
    let name = push(&registry, "user/app:1", Some(&format!("{USER}:{PASSWORD}")))?;
    Some(Scene {
        dir,
        server,
        proxy,
        registry,
        name,
    })
}

impl Scene {
    fn login(&self) -> Client {
        let config = basic_config(self.registry.host(), USER, PASSWORD);
        write_config(self.dir.path(), &config);
        client(self.dir.path())
    }

    /// What the token server was asked by us.
    fn asked(&self) -> Vec<Asked> {
        let asked = self.proxy.asked().into_iter();
        asked
            .filter(|asked| {
                let agent = asked.header("user-agent").unwrap_or_default();
                agent.starts_with("seawall/")
            })
            .collect()
    }
}

/// The layer of the image that [`push`] pushes, read to its end.
fn pull(client: &Client, name: &Reference) -> Vec<u8> {
    let manifest = client.manifest(name).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&manifest.bytes).unwrap();
    let digest = json["layers"][0]["digest"].as_str().unwrap();
    let mut bytes = Vec::new();
    let blob = client.blob(name.repository(), digest.parse().unwrap());
    blob.unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(seawall_model::Digest::of(&bytes).to_string(), digest);
    bytes
}

#[test]
fn a_password_is_changed_for_one_token() {
    let Some(scene) = scene(|_| Act::Pass) else {
        return;
    };
    let client = scene.login();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(!pull(&client, &scene.name).is_empty()));
        }
    });
    let asked = scene.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].method, "GET");
    let notes = client.notes();
    let host = scene.registry.host();
    assert_eq!(notes.len(), 1, "{notes:?}");
    let begin = format!("`{host}` gets the credentials from `auths.{host}` of `");
    assert!(notes[0].starts_with(&begin), "{notes:?}");
    assert!(client.notes().is_empty());
    assert_eq!(
        asked[0].target,
        "/token/?service=tests%20service&scope=repository%3Auser%2Fapp%3Apull&account=user"
    );
    assert!(
        asked[0]
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
}

#[test]
fn an_identity_token_is_changed_for_others() {
    let Some(scene) = scene(|_| Act::Pass) else {
        return;
    };
    if !have(&["curl"]) {
        return;
    }
    // As `docker login` asks for one.
    let address = format!(
        "http://{}/token/?service=tests+service&offline_token=true&client_id=x&account=user",
        scene.server.host()
    );
    let login = format!("{USER}:{PASSWORD}");
    let mut curl = Command::new("curl");
    let output = run(curl.args(["-sSf", "-u", &login, &address])).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let token = answer["refresh_token"].as_str().unwrap();
    let config = format!(
        r#"{{"auths": {{"{}": {{"identitytoken": "{token}"}}}}}}"#,
        scene.registry.host()
    );
    write_config(scene.dir.path(), &config);
    assert!(!pull(&client(scene.dir.path()), &scene.name).is_empty());
    let asked = scene.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].method, "POST");
    assert_eq!(asked[0].header("authorization"), None);
    let body = String::from_utf8(asked[0].body.clone()).unwrap();
    assert!(body.starts_with("grant_type=refresh%5Ftoken&"), "{body}");
    // One that the server does not know.
    let config = config.replace(token, "unknowntoken");
    write_config(scene.dir.path(), &config);
    let error = client(scene.dir.path()).manifest(&scene.name).unwrap_err();
    let text = said(&error);
    assert!(text.contains("refuses with status 401"), "{text}");
    assert!(!text.contains("unknowntoken"), "{text}");
}

#[test]
fn a_token_for_the_registry_needs_no_token_server() {
    let Some(scene) = scene(|_| Act::Pass) else {
        return;
    };
    let address = format!(
        "http://{}/token/?service=tests+service&scope=repository:user/app:pull",
        scene.server.host()
    );
    let login = format!("{USER}:{PASSWORD}");
    if !have(&["curl"]) {
        return;
    }
    let mut curl = Command::new("curl");
    let output = run(curl.args(["-sSf", "-u", &login, &address])).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let host = scene.registry.host();
    let config = format!(r#"{{"auths": {{"{host}": {{"registrytoken": "{token}"}}}}}}"#);
    write_config(scene.dir.path(), &config);
    assert!(!pull(&client(scene.dir.path()), &scene.name).is_empty());
    assert_eq!(scene.asked().len(), 0);
    // A token without its signature.
    let (broken, _) = token.rsplit_once('.').unwrap();
    let broken = format!("{broken}.AAAA");
    write_config(scene.dir.path(), &config.replace(token, &broken));
    let error = client(scene.dir.path()).manifest(&scene.name).unwrap_err();
    let text = said(&error);
    assert!(
        text.contains("is refused with status 401 with the credentials from `auths."),
        "{text}"
    );
    assert!(!text.contains(&broken), "{text}");
}

#[test]
fn a_token_that_ends_soon_is_renewed_before() {
    #[expect(clippy::needless_pass_by_value, reason = "the shape of an edit")]
    fn short(answer: Answer) -> Answer {
        let text = String::from_utf8(answer.body.clone()).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["expires_in"] = 1.into();
        Answer::new(answer.status, json.to_string())
    }
    let Some(scene) = scene(|_| Act::Edit(short)) else {
        return;
    };
    let client = scene.login();
    pull(&client, &scene.name);
    thread::sleep(Duration::from_millis(1100));
    pull(&client, &scene.name);
    assert!(scene.asked().len() >= 2);
    // The registry has refused the very first request only.
    assert_eq!(
        scene.registry.asked("\" 401 "),
        refused_by_others(&scene) + 1
    );
}

/// 401s that other programs got: skopeo, which pushed the image.
fn refused_by_others(scene: &Scene) -> usize {
    let log = scene.registry.log();
    let lines = log.lines().filter(|line| line.contains("\" 401 "));
    lines.filter(|line| !line.contains("seawall/")).count()
}

#[test]
fn a_token_that_ends_in_the_middle_is_changed() {
    let Some(scene) = scene(|_| Act::Pass) else {
        return;
    };
    // The registry takes a token for its first request, then for none that was
    // fetched before: clocks that run away from each other do so.
    let count = Arc::new(AtomicUsize::new(0));
    let realm = scene.proxy.host();
    let seen = Arc::clone(&count);
    let front = Proxy::start(scene.registry.host(), move |asked| {
        let is_shown = asked.header("authorization").is_some();
        if is_shown && seen.fetch_add(1, Ordering::SeqCst) == 1 {
            let challenge = format!(
                "Bearer realm=\"http://{realm}/token/\",service=\"tests service\",\
                 scope=\"repository:user/app:pull\",error=\"invalid_token\""
            );
            let answer = Answer::new(401, "{}").with("www-authenticate", &challenge);
            return Act::Say(answer, Delivery::Whole);
        }
        Act::Pass
    })
    .unwrap();
    let config = basic_config(&front.host(), USER, PASSWORD);
    write_config(scene.dir.path(), &config);
    let client = client(scene.dir.path());
    let name: Reference = format!("{}/user/app:1", front.host()).parse().unwrap();
    assert!(!pull(&client, &name).is_empty());
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert_eq!(scene.asked().len(), 2);
}

#[test]
fn what_is_not_allowed_is_told_with_whose_credentials() {
    let Some(scene) = scene(|_| Act::Pass) else {
        return;
    };
    // Nothing is known of the registry: the server gives no token.
    let error = client(scene.dir.path()).manifest(&scene.name).unwrap_err();
    let text = said(&error);
    assert!(text.contains("without credentials"), "{text}");
    // The wrong password.
    let config = basic_config(scene.registry.host(), USER, "hunter3");
    write_config(scene.dir.path(), &config);
    let error = client(scene.dir.path()).manifest(&scene.name).unwrap_err();
    let text = said(&error);
    assert!(text.contains(".docker/config.json"), "{text}");
    assert!(text.contains("refuses with status 401"), "{text}");
    assert!(!text.contains("hunter"), "{text}");
    assert!(!format!("{error:?}").contains("hunter"));
    // The right one, for a repository of somebody else: the server leaves the
    // scope out of its token.
    let client = scene.login();
    let other: Reference = format!("{}/other/app:1", scene.registry.host())
        .parse()
        .unwrap();
    let error = client.manifest(&other).unwrap_err();
    let text = said(&error);
    assert!(
        text.contains("is refused with status 401 with the credentials from"),
        "{text}"
    );
    // Meanwhile ours is there.
    assert!(!pull(&client, &scene.name).is_empty());
}

#[test]
fn a_token_server_that_is_busy_is_asked_again() {
    let count = AtomicUsize::new(0);
    let dir = tempfile::tempdir().unwrap();
    let tokens = Proxy::alone(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::new(429, ""),
        1 => Answer::new(503, ""),
        _ => Answer::new(200, r#"{"token": "x"}"#),
    })
    .unwrap();
    let challenge = format!("Bearer realm=\"http://{}/\"", tokens.host());
    let registry = Proxy::alone(move |asked| match asked.header("authorization") {
        Some("Bearer x") => Answer::new(200, "{}"),
        _ => Answer::new(401, "").with("www-authenticate", &challenge),
    })
    .unwrap();
    let name: Reference = format!("{}/app:1", registry.host()).parse().unwrap();
    drop(client(dir.path()).manifest(&name));
    assert_eq!(tokens.asked().len(), 3);
    let last = registry.asked().pop().unwrap();
    assert_eq!(last.header("authorization"), Some("Bearer x"));
}

#[test]
fn whoever_signs_for_the_registry_signs_for_its_token_server() {
    let dir = tempfile::tempdir().unwrap();
    let Some(authority) = seawall_testkit::Authority::new(dir.path(), "both") else {
        return;
    };
    let names = "DNS:localhost,IP:127.0.0.1";
    let Some((certificate, key)) = authority.sign("server", names, 3) else {
        return;
    };
    let Some(mut server) =
        TokenServer::start_tls(dir.path(), USER, PASSWORD, Some((&certificate, &key)))
    else {
        return;
    };
    server.tls = Some((certificate, key));
    let Some(registry) = server.registry(&format!("https://{}/token/", server.host())) else {
        return;
    };
    let Some(name) = push(&registry, "user/app:1", Some(&format!("{USER}:{PASSWORD}"))) else {
        return;
    };
    write_config(dir.path(), &basic_config(registry.host(), USER, PASSWORD));
    let mut trusting = settings(dir.path());
    // The registry's alone: nobody said a word about the token server's port.
    let authorities = vec![authority.certificate()];
    trusting.hosts.set(
        registry.host(),
        Host {
            authorities,
            ..Host::default()
        },
    );
    assert!(!pull(&Client::new(&trusting), &name).is_empty());
    let stranger = settings(dir.path());
    assert!(Client::new(&stranger).manifest(&name).is_err());
}
