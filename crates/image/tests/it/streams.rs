//! Analysers that take files as they go by.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use seawall_image::{
    Analyser, Body, Cache, Entry, Image, Interest, Limits, Need, NoProgress, Options, Source,
    Stream, open,
};

use crate::support::{KEEP, archive, pack};

/// Notes the sum of every file's bytes, and how many chunks there were. Files
/// named `*.short` are given up after their first chunk, `*.bad` fail.
struct Sum;

/// Bytes that were fed, by all tests together.
static FED: AtomicU64 = AtomicU64::new(0);

struct Summing {
    sum: u64,
    length: u64,
    short: bool,
    bad: bool,
}

impl Stream for Summing {
    fn feed(&mut self, bytes: &[u8]) -> bool {
        FED.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        self.length += bytes.len() as u64;
        !self.short
    }

    fn end(self: Box<Self>) -> Result<Option<Vec<u8>>, String> {
        if self.bad {
            return Err("it is bad".to_owned());
        }
        Ok(Some(format!("{} {}", self.length, self.sum).into_bytes()))
    }
}

impl Analyser for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Any]
    }

    fn wants(&self, path: &str) -> bool {
        !path.ends_with(".no")
    }

    fn need(&self) -> Need {
        Need::Stream
    }

    fn analyse(&self, _: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Err("a stream is not analysed as a whole".to_owned())
    }

    fn begin(&self, entry: &Entry<'_>) -> Option<Box<dyn Stream + '_>> {
        let ends = |end| entry.path.ends_with(end);
        (!ends(".skip")).then(|| {
            let summing: Box<dyn Stream> = Box::new(Summing {
                sum: 0,
                length: 0,
                short: ends(".short"),
                bad: ends(".bad"),
            });
            summing
        })
    }
}

/// Notes the length of programs, which it knows by how they start.
struct Program;

impl Analyser for Program {
    fn name(&self) -> &'static str {
        "program"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Magic(b"MZ")]
    }

    fn need(&self) -> Need {
        Need::Whole(1 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(Some(entry.size.to_string().into_bytes()))
    }
}

fn read(source: Source, cache: Option<&Cache>) -> Image {
    read_with(&[KEEP[0], &Sum], source, cache)
}

fn read_with(analysers: &[&'static dyn Analyser], source: Source, cache: Option<&Cache>) -> Image {
    open(
        source,
        &Options {
            analysers,
            platform: None,
            cache,
            limits: Limits::default(),
            progress: &NoProgress,
        },
    )
    .unwrap()
}

fn sums(image: &Image) -> Vec<(String, String)> {
    let of = image.view.of("sum");
    of.map(|one| {
        (
            one.path.clone(),
            String::from_utf8_lossy(&one.data).into_owned(),
        )
    })
    .collect()
}

fn sum(bytes: &[u8]) -> String {
    let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
    format!("{} {sum}", bytes.len())
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Files of every size around a chunk's and a block's end.
fn fill(root: &Path) -> Vec<(String, String)> {
    let mut want = Vec::new();
    for size in [
        0usize, 1, 511, 512, 513, 65_535, 65_536, 65_537, 131_072, 400_001,
    ] {
        let bytes: Vec<u8> = (0..size).map(|at| (at * 7 + size) as u8).collect();
        let name = format!("f{size:06}");
        write(&root.join(&name), &bytes);
        want.push((name, sum(&bytes)));
    }
    write(&root.join("a.keep"), b"kept too");
    want.push(("a.keep".to_owned(), sum(b"kept too")));
    write(&root.join("x.no"), b"not wanted");
    write(&root.join("x.skip"), b"not begun");
    want.sort();
    want
}

#[test]
fn every_form_of_tar_gives_every_byte_once() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let want = fill(&root);
    for format in ["v7", "ustar", "gnu", "oldgnu", "pax"] {
        let layer = dir.path().join("layer.tar");
        pack(&root, &layer, &[&format!("--format={format}")]);
        let image = read(Source::Archive(archive(dir.path(), &[layer])), None);
        assert_eq!(sums(&image), want, "{format}");
        assert_eq!(image.view.of("keep").count(), 1);
        assert!(image.view.gaps.is_empty(), "{:?}", image.view.gaps);
    }
}

#[test]
fn archives_streams_folders_and_files_give_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let want = fill(&root);
    let layer = dir.path().join("layer.tar");
    pack(&root, &layer, &[]);
    let path = archive(dir.path(), &[layer]);
    let stream = Box::new(fs::File::open(&path).unwrap());
    assert_eq!(sums(&read(Source::Stream(stream), None)), want);
    assert_eq!(sums(&read(Source::RootFs(root.clone()), None)), want);
    assert_eq!(sums(&read(Source::Directory(root.clone()), None)), want);
    let one = read(Source::File(root.join("f065537")), None);
    assert_eq!(
        sums(&one),
        want.iter()
            .filter(|(path, _)| path == "f065537")
            .cloned()
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_file_that_nobody_wants_is_refused_when_it_is_named_alone() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("x.no"), b"text");
    let options = Options {
        analysers: &[&Sum],
        platform: None,
        cache: None,
        limits: Limits::default(),
        progress: &NoProgress,
    };
    let error = open(Source::File(dir.path().join("x.no")), &options).unwrap_err();
    assert!(
        error.to_string().contains("of a kind that is not read"),
        "{error}"
    );
}

#[test]
fn sparse_files_are_streamed_with_their_holes() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(&root).unwrap();
    let file = fs::File::create(root.join("s")).unwrap();
    file.set_len(300_000).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"middle", 200_000).unwrap();
    let layer = dir.path().join("layer.tar");
    pack(&root, &layer, &["--format=pax", "--sparse"]);
    let image = read(Source::Archive(archive(dir.path(), &[layer])), None);
    let want = sum(&fs::read(root.join("s")).unwrap());
    assert_eq!(sums(&image), [("s".to_owned(), want)]);
}

#[test]
fn what_a_later_layer_removes_stays_with_both_layers_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("one/app/key"), b"first");
    write(&at("one/app/stays"), b"stays");
    write(&at("two/app/key"), b"second");
    write(&at("three/app/.wh.key"), b"");
    let layers = ["one", "two", "three"].map(|name| {
        let layer = at(&format!("{name}.tar"));
        pack(&at(name), &layer, &[]);
        layer
    });
    let path = archive(dir.path(), &layers);
    let cache = Cache::new(at("cache"), 1 << 30);
    let fed = FED.load(Ordering::Relaxed);
    for round in 0..2 {
        let image = read(Source::Archive(path.clone()), Some(&cache));
        // The second time everything comes from the cache.
        assert_eq!(image.from_cache, round * 3);
        assert_eq!(sums(&image), [("app/stays".to_owned(), sum(b"stays"))]);
        let hidden: Vec<_> = image
            .view
            .hidden
            .iter()
            .filter(|one| one.analyser == "sum")
            .map(|one| {
                (
                    one.path.as_str(),
                    one.layer,
                    one.hidden_by,
                    String::from_utf8_lossy(&one.data).into_owned(),
                )
            })
            .collect();
        assert_eq!(
            hidden,
            [
                ("app/key", 0, Some(1), sum(b"first")),
                ("app/key", 1, Some(2), sum(b"second")),
            ]
        );
    }
    assert!(FED.load(Ordering::Relaxed) > fed);
}

#[test]
fn one_may_stop_early_and_one_may_fail_without_harm_to_others() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let large = vec![1u8; 1 << 20];
    write(&root.join("a.short"), &large);
    write(&root.join("b.bad"), b"bad");
    write(&root.join("c"), b"good");
    // Kept in one piece by another, who wants all of it.
    write(&root.join("d.keep"), &large[..300_000]);
    let layer = dir.path().join("layer.tar");
    pack(&root, &layer, &[]);
    let image = read(Source::Archive(archive(dir.path(), &[layer])), None);
    let all = sums(&image);
    let of = |name: &str| {
        all.iter()
            .find(|(path, _)| path == name)
            .map(|(_, sum)| sum.as_str())
    };
    assert_eq!(of("c"), Some(sum(b"good").as_str()));
    assert_eq!(of("d.keep"), Some(sum(&large[..300_000]).as_str()));
    assert_eq!(of("b.bad"), None);
    let length: u64 = of("a.short")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(length > 0 && length < 1 << 20, "{length}");
    assert_eq!(image.view.at("keep", "d.keep").unwrap().data.len(), 300_000);
    let gaps: Vec<_> = image
        .view
        .gaps
        .iter()
        .map(|gap| (gap.subject.as_str(), gap.reason.as_str()))
        .collect();
    assert_eq!(gaps, [("b.bad", "it is bad")]);
}

/// What a stream said before the start of the file won it another reader stays.
#[test]
fn one_who_comes_by_how_a_file_starts_takes_nothing_from_the_streams() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let long = [b"MZ".as_slice(), &[b'x'; 300_000]].concat();
    let files = [
        ("a", b"MZ".as_slice()),
        ("b", b"MZ_KEY=1"),
        ("c", b"MZ_KEY=1 and more than sixteen bytes"),
        ("d", &long),
    ];
    for (name, bytes) in files {
        write(&root.join(name), bytes);
    }
    write(&root.join("e.short"), &long);
    let layer = dir.path().join("layer.tar");
    pack(&root, &layer, &[]);
    let source = Source::Archive(archive(dir.path(), &[layer]));
    let image = read_with(&[&Program, &Sum], source, None);
    let paths = |analyser| -> Vec<String> {
        let of = image.view.of(analyser);
        of.map(|one| one.path.clone()).collect()
    };
    assert_eq!(paths("sum"), ["a", "b", "c", "d", "e.short"]);
    // Two bytes are too few to be a program.
    assert_eq!(paths("program"), ["b", "c", "d", "e.short"]);
}

#[test]
fn hard_links_are_no_files_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    write(&root.join("a"), b"one");
    fs::hard_link(root.join("a"), root.join("b")).unwrap();
    let layer = dir.path().join("layer.tar");
    pack(&root, &layer, &[]);
    let image = read(Source::Archive(archive(dir.path(), &[layer])), None);
    assert_eq!(sums(&image), [("a".to_owned(), sum(b"one"))]);
}

#[test]
fn a_project_is_walked_without_what_others_made_but_for_its_own_settings() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for path in [
        "src/main",
        ".git/config",
        ".git/objects/aa/bb",
        ".cargo/credentials.toml",
        ".cargo/registry/x",
        "node_modules/x/index.js",
        "web/.terraform/terraform.tfstate",
        "web/.terraform/providers/p",
    ] {
        write(&root.join(path), b"x");
    }
    std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
    let image = read(Source::Directory(root.to_owned()), None);
    let paths: Vec<String> = sums(&image).into_iter().map(|(path, _)| path).collect();
    assert_eq!(
        paths,
        [
            ".cargo/credentials.toml",
            ".git/config",
            "src/main",
            "web/.terraform/terraform.tfstate"
        ]
    );
    assert!(image.view.gaps.is_empty(), "{:?}", image.view.gaps);
}
