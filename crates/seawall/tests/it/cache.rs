//! One evidence cache and many processes.

use std::{fs, process::Stdio};

use crate::support::{Home, said, shared};

#[test]
fn twenty_processes_share_a_cache() {
    let images = ["images/alpine-310.tar.gz", "images/alpine-311.tar.gz"];
    let [Some(old), Some(new)] = images.map(shared) else {
        return;
    };
    let home = Home::new();
    let cache = home.path().join("cache");
    let settings = home.path().join("seawall.toml");
    let scan = |image: &std::path::Path, more: &[&str]| {
        let mut command = home.command(&["scan", "--offline", "--packages", "--format", "json"]);
        command
            .args(more)
            .arg(image)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let expected = [&old, &new].map(|image| {
        let said = said(&scan(image, &["--no-cache"]).output().unwrap());
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
    });
    assert_ne!(expected[0], expected[1]);
    for max_mib in [0, 1024] {
        fs::write(&settings, format!("[cache]\nmax-mib = {max_mib}\n")).unwrap();
        let options = [
            "--config",
            settings.to_str().unwrap(),
            "--cache-dir",
            cache.to_str().unwrap(),
        ];
        let running: Vec<_> = (0..20)
            .map(|index| {
                let image = if index % 2 == 0 { &old } else { &new };
                (index % 2, scan(image, &options).spawn().unwrap())
            })
            .collect();
        for (which, process) in running {
            let said = said(&process.wait_with_output().unwrap());
            assert_eq!(said.code, 0, "{}", said.err);
            assert_eq!(said.out, expected[which]);
        }
        // No writer left anything half done.
        let names: Vec<_> = fs::read_dir(&cache)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.iter().all(|name| !name.starts_with(".new-")));
        assert_eq!(names.is_empty(), max_mib == 0, "{names:?}");
    }
}
