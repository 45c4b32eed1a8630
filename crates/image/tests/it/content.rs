//! Images in containerd's store.

use std::fs;

use seawall_engine::containerd;
use seawall_image::{Error, Source};
use seawall_testkit::Containerd;

use crate::support::{kept, read, run, shared};

#[test]
fn what_containerd_imported_is_what_the_archive_holds() {
    let Some(alpine) = shared("images/alpine-310.tar.gz") else {
        return;
    };
    let Some(mut containerd) = Containerd::start() else {
        return;
    };
    // ctr unpacks no archive.
    let dir = tempfile::tempdir().unwrap();
    let packed = dir.path().join("alpine.tar.gz");
    fs::copy(&alpine, &packed).unwrap();
    assert!(run("gzip", &["-d", packed.to_str().unwrap()]));
    containerd
        .import("k8s.io", &packed.with_extension(""))
        .unwrap();
    let packed = read(Source::Archive(alpine), None).unwrap();
    let roots = [containerd.root()];
    let find = || {
        let found = containerd::find_below(&roots, "alpine:3.10", None, None);
        found.unwrap().unwrap()
    };
    let source = |found: containerd::Found| Source::Content {
        dir: found.content,
        digest: found.digest,
    };
    let same = || {
        let image = read(source(find()), None).unwrap();
        assert_eq!(kept(&image), kept(&packed));
        assert!(image.view.gaps.is_empty());
        let diff_ids = |image: &seawall_image::Image| {
            let layers = image.view.layers.iter();
            layers
                .map(|layer| layer.diff_id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(diff_ids(&image), diff_ids(&packed));
    };
    same();
    containerd.stop();
    same();
    // As with `discard_unpacked_layers`: the largest blob is the layer.
    let found = find();
    let blobs = fs::read_dir(found.content.join("blobs/sha256")).unwrap();
    let blobs = blobs.map(|blob| blob.unwrap().path());
    let layer = blobs
        .max_by_key(|blob| blob.metadata().unwrap().len())
        .unwrap();
    fs::remove_file(layer).unwrap();
    let error = read(source(found), None).err().unwrap();
    assert!(matches!(error, Error::Missing(_)), "{error}");
}
