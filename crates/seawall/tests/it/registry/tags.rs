//! `--all-tags`: every image of a repository, each layer once.

use std::collections::BTreeMap;

use seawall_testkit::{Act, Answer, Delivery, Proxy, Registry, Setup};
use serde_json::{Value, json};

use super::{Layer, Push, base, home, json_of, paths, write};

/// Layers that the images of a repository share, each some of them.
fn layers(push: &Push<'_>, dir: &std::path::Path) -> Vec<Layer> {
    let mut layers = vec![base(push, dir, "base", "musl")];
    for number in 0..6 {
        let name = format!("layer{number}");
        layers.push(push.layer(dir, &name, |root| {
            write(root, &format!("srv/{name}"), &name);
        }));
    }
    layers
}

#[test]
fn two_hundred_tags_that_share_layers_fetch_each_layer_once() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let layers = layers(&push, &dir);
    for tag in 0..200usize {
        // The base, and three of six others; tags 0 and 100 are one image.
        let number = tag % 100;
        let mut own = vec![&layers[0]];
        own.extend((0..3).map(|step| &layers[1 + (number + step * 2) % 6]));
        let label = json!({"Labels": {"number": number.to_string()}});
        push.image(Some(&format!("1.{tag}")), &own, &[("config", label)]);
    }
    let proxy = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let target = format!("registry:{}/app", proxy.host());
    let scan = [
        "scan",
        "--no-cache",
        "--all-tags",
        "--packages",
        "--format",
        "json",
    ];
    let report = json_of(&home.run(&[&scan[..], &[&target]].concat()));
    let targets = report["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 100);
    let tags = |target: &Value| target["tags"].as_array().unwrap().len();
    assert!(targets.iter().all(|target| tags(target) == 2));
    let name = format!("{}/app:1.199", proxy.host());
    assert_eq!(targets[0]["name"], name);
    assert_eq!(targets[0]["tags"], json!(["1.199", "1.99"]));
    // Each image has the package of the base.
    let packages = report["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 100);
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let all = proxy.asked();
    let (alone, all): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.method == "HEAD");
    assert_eq!(alone.len(), 200);
    for path in paths(&all) {
        *asked.entry(path).or_default() += 1;
    }
    for layer in &layers {
        assert_eq!(asked[&format!("app/blobs/{}", layer.digest())], 1);
    }
    // A manifest and a configuration for each image, nothing twice.
    let count = |part: &str| asked.keys().filter(|path| path.contains(part)).count();
    assert_eq!(count("/manifests/"), 100, "{asked:?}");
    assert_eq!(count("/blobs/"), 100 + layers.len(), "{asked:?}");
    let twice: Vec<_> = asked
        .iter()
        .filter(|(path, times)| **times > 1 && !path.contains("tags/list"))
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
    // What stays known from run to run is asked for and not fetched again.
    let scan = ["scan", "--all-tags", "--format", "json", &target];
    json_of(&home.run(&scan));
    let before = proxy.asked().len();
    let again = json_of(&home.run(&scan));
    assert_eq!(again["targets"].as_array().unwrap().len(), 100);
    let asked = proxy.asked();
    let fetched = asked[before..].iter().filter(|one| one.method == "GET");
    let fetched: Vec<_> = fetched.map(|one| one.target.as_str()).collect();
    assert_eq!(fetched.len(), 1, "{fetched:?}");
    assert!(fetched[0].contains("tags/list"), "{fetched:?}");
}

#[test]
fn a_registry_that_is_gone_is_not_asked_for_every_tag() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let layer = base(&push, &dir, "base", "musl");
    for tag in 0..40 {
        let label = json!({"Labels": {"number": tag.to_string()}});
        push.image(Some(&tag.to_string()), &[&layer], &[("config", label)]);
    }
    // Manifests lie where nothing listens.
    let proxy = Proxy::start(registry.host(), |asked| {
        let is_lost = asked.target.contains("/manifests/") && asked.method == "GET";
        match is_lost {
            true => Act::Say(
                Answer::new(302, "").with("location", "http://127.0.0.1:1/"),
                Delivery::Whole,
            ),
            false => Act::Pass,
        }
    });
    let proxy = proxy.unwrap();
    let target = format!("registry:{}/app", proxy.host());
    let said = home.run(&["scan", "--all-tags", &target]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("not looked at"), "{}", said.err);
    assert!(said.err.contains("`1`, `0`"), "{}", said.err);
    let asked = proxy.asked().len();
    assert!(asked < 40, "{asked}");
}

#[test]
fn a_repository_has_one_summary() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let layers = layers(&push, &dir);
    for tag in ["1.9", "1.10", "2.0"] {
        let label = json!({"Labels": {"tag": tag}});
        push.image(Some(tag), &[&layers[0], &layers[1]], &[("config", label)]);
    }
    let label = json!({"Labels": {"tag": "2.0"}});
    push.image(
        Some("latest"),
        &[&layers[0], &layers[1]],
        &[("config", label)],
    );
    let chart = push.blob(
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        b"chart",
    );
    push.manifest(
        Some("chart"),
        &json!({"schemaVersion": 2, "mediaType": super::MANIFEST, "layers": [chart],
            "config": push.blob("application/vnd.cncf.helm.config.v1+json", b"{}")}),
    );
    let target = format!("registry:{}/app", registry.host());
    let scan = |options: &[&str]| {
        let mut all = vec!["scan", "--no-cache", "--all-tags"];
        all.extend(options);
        home.run(&all)
    };
    let said = scan(&[&target]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("note: 1 tag of"), "{}", said.err);
    let at = |text: &str| {
        said.out
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {}", said.out))
    };
    assert!(at("app:2.0, latest") < at("app:1.10"), "{}", said.out);
    assert!(at("app:1.10") < at("app:1.9"), "{}", said.out);
    assert!(said.out.contains("3 images: "), "{}", said.out);
    let tags = |options: &[&str]| {
        let report = json_of(&scan(&[options, &["--format", "json", &target]].concat()));
        let targets = report["targets"].as_array().unwrap().clone();
        let all = targets
            .iter()
            .flat_map(|one| one["tags"].as_array().unwrap());
        let all = all.map(|tag| tag.as_str().unwrap().to_owned());
        all.collect::<Vec<String>>()
    };
    assert_eq!(tags(&["--tags", "1.*"]), ["1.10", "1.9"]);
    assert_eq!(tags(&["--tags", "?.0,latest"]), ["2.0", "latest"]);
    assert_eq!(tags(&["--tags", "?.*", "--max-tags", "2"]), ["2.0", "1.10"]);
    for (options, expected) in [
        (["--tags", "9.*", target.as_str()], "none of the 5 tags"),
        (
            ["--offline", "--tags=*", target.as_str()],
            "`--offline` forbids",
        ),
        (
            ["--quiet", "--tags=*", &format!("{target}:1.9")],
            "no repository",
        ),
    ] {
        let said = scan(&options);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
    }
    // Nothing looked at is no clean result.
    let said = scan(&["--tags", "chart", &target]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    let want = "stands for an image, but for what lies beside images: `chart`";
    assert!(said.err.contains(want), "{}", said.err);
    assert!(said.err.contains("hint: name a repository of images"));
    // One image fails; the others are reported, and the run was not whole.
    let label = json!({"Labels": {"tag": "bad"}});
    push.image(Some("0.1"), &[&layers[0], &layers[3]], &[("config", label)]);
    let gone = layers[3].digest().to_owned();
    let proxy = Proxy::start(registry.host(), move |asked| {
        match asked.target.ends_with(&gone) {
            true => Act::Say(Answer::new(404, "{}"), Delivery::Whole),
            false => Act::Pass,
        }
    });
    let proxy = proxy.unwrap();
    let target = format!("registry:{}/app", proxy.host());
    let said = scan(&["--format", "json", &target]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("/app`, tagged `0.1`"), "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["targets"].as_array().unwrap().len(), 3);
}
