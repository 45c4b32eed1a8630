//! Archives: damaged, packed too well, of more parts than memory holds.

use std::fs;

use super::{
    Bounded, PACKAGES, both, craft::*, gap_decides, need, packages, refused, report, scan_bytes,
    scan_stream, with_gap,
};
use crate::support::Home;

#[test]
fn a_damaged_archive_is_refused_or_read_as_it_was() {
    if !need(&["prlimit", "gzip", "zstd"]) {
        return;
    }
    let home = Home::new();
    let layer = alpine();
    let plain = Image::plain(std::slice::from_ref(&layer));
    let kinds = [
        plain.docker(),
        plain.oci(),
        Image::packed(gzip(&layer), &layer).docker(),
        Image::packed(zstd(&layer), &layer).oci(),
        gzip(&plain.docker()),
        zstd(&plain.oci()),
    ];
    let mut refusals = 0;
    for (kind, good) in kinds.iter().enumerate() {
        for said in both(&home, good) {
            assert_eq!(packages(&report(&said)), PACKAGES, "{kind}");
        }
        let step = (good.len() - 100) / 12;
        let cut = (0..12).map(|at| good[..at * step + 7].to_vec());
        let flipped = (0..12).map(|at| {
            let mut bytes = good.clone();
            bytes[at * step + 100] ^= 1 << (at % 8);
            bytes
        });
        for bad in cut.chain(flipped) {
            for said in both(&home, &bad) {
                if said.code == 0 {
                    assert_eq!(packages(&report(&said)), PACKAGES, "{kind}");
                } else {
                    refused(&said, &["cannot scan `"]);
                    refusals += 1;
                }
            }
        }
    }
    assert!(refusals > 200, "{refusals}");
}

#[test]
fn a_damaged_layout_is_refused_or_read_as_it_was() {
    if !need(&["prlimit", "gzip"]) {
        return;
    }
    let home = Home::new();
    let layer = alpine();
    let image = Image::packed(gzip(&layer), &layer);
    let dir = home.path().join("layout");
    let write = |files: &[(String, Vec<u8>)]| {
        let _ = fs::remove_dir_all(&dir);
        for (name, bytes) in files {
            fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
            fs::write(dir.join(name), bytes).unwrap();
        }
    };
    let scan = || Bounded::new(&home).scan(&["--format", "json", "--packages", "oci:layout"]);
    write(&image.layout());
    assert_eq!(packages(&report(&scan())), PACKAGES);
    for (at, (name, bytes)) in image.layout().iter().enumerate() {
        for change in 0..6 {
            let mut bytes = bytes.clone();
            match change {
                0 => bytes.clear(),
                1 => bytes.truncate(bytes.len() / 2),
                more => {
                    let place = bytes.len() * (more - 1) / 6;
                    bytes[place] ^= 4;
                }
            }
            let mut files = image.layout();
            files[at].1 = bytes;
            write(&files);
            let said = scan();
            // `oci-layout` says nothing of the image, nor do some flips in the
            // index.
            if said.code == 0 {
                assert!(name == "oci-layout" || name == "index.json", "{name}");
                assert_eq!(packages(&report(&said)), PACKAGES);
            } else {
                refused(&said, &["cannot scan `oci:layout`"]);
            }
        }
        write(&image.layout());
        fs::remove_file(dir.join(name)).unwrap();
        if name != "oci-layout" {
            refused(&scan(), &[name.rsplit('/').next().unwrap()]);
        }
    }
}

/// A layer whose apk database is `size` zeros, packed: each piece a member or
/// frame of its own.
fn zeros(size: usize, pack: fn(&[u8]) -> Vec<u8>) -> Image {
    let head = header(b"lib/apk/db/installed", b'0', b"", octal(size as u64));
    let mut layer = head.to_vec();
    layer.resize(512 + size, 0);
    layer.extend(END);
    let mut stored = pack(&head);
    let piece = pack(&vec![0; 1 << 20]);
    for _ in 0..size >> 20 {
        stored.extend(&piece);
    }
    stored.extend(pack(&END));
    Image::packed(stored, &layer)
}

#[test]
fn a_bomb_in_a_layer_is_a_gap_within_bounds() {
    if !need(&["prlimit", "gzip", "zstd"]) {
        return;
    }
    let home = Home::new();
    // More than the memory that the run has, in a few kilobytes.
    for pack in [gzip, zstd] {
        let image = zeros(512 << 20, pack);
        for bytes in [image.docker(), image.oci()] {
            assert!(bytes.len() < 1 << 20);
            for said in both(&home, &bytes) {
                with_gap(
                    &said,
                    "lib/apk/db/installed",
                    "more than the limit of 134217728",
                );
            }
        }
    }
    gap_decides(&home, "archive:hostile.tar");
}

#[test]
fn bombs_around_an_archive_are_refused() {
    if !need(&["prlimit", "gzip", "zstd"]) {
        return;
    }
    let home = Home::new();
    for pack in [gzip, zstd] {
        let piece = pack(&vec![0; 1 << 20]);
        for said in both(&home, &piece.repeat(1024)) {
            refused(
                &said,
                &["no readable image archive", "over the limit of 16777216"],
            );
        }
    }
    // Empty members, then an image.
    let mut many = gzip(b"").repeat(200_000);
    many.extend(gzip(&Image::plain(&[alpine()]).docker()));
    for said in both(&home, &many) {
        assert_eq!(packages(&report(&said)), PACKAGES);
    }
    // A frame that wants a window of 2 GiB (RFC 8878, section 3.1.1.1): one
    // block of one byte.
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 21 << 3];
    frame.extend([1 | 1 << 3, 0, 0, b'x']);
    for said in both(&home, &frame) {
        refused(&said, &["Frame requires too much memory"]);
    }
    for said in both(&home, &Image::packed(frame, b"x").docker()) {
        refused(&said, &["layer `0.tar`", "Frame requires too much memory"]);
    }
}

#[test]
fn many_blobs_and_documents_do_not_add_up() {
    if !need(&["prlimit", "gzip"]) {
        return;
    }
    let home = Home::new();
    // Each would be read by a thread of its own, and be there at one time.
    let bomb = gzip(&vec![0; 2 << 20]);
    let mut entries: Vec<_> = (0..1500).map(|at| file(&format!("b{at}"), &bomb)).collect();
    entries.extend(Image::plain(&[alpine()]).docker_entries());
    assert_eq!(
        packages(&report(&scan_stream(&home, &tar(&entries)))),
        PACKAGES
    );
    // What looks like JSON is kept until the manifest has come.
    let note = |at: u32| {
        let mut text = vec![b' '; 15 << 20];
        text[0] = b'[';
        file(&format!("n{at}"), text)
    };
    let notes: Vec<_> = (0..40).map(note).collect();
    let image = Image::plain(&[alpine()]).docker_entries();
    let before = gzip(&tar(&[notes.concat(), image.concat()]));
    let said = scan_stream(&home, &before);
    refused(
        &said,
        &["the size of `manifest.json` is over the limit of 67108864"],
    );
    let behind = gzip(&tar(&[image.concat(), notes.concat()]));
    assert_eq!(packages(&report(&scan_stream(&home, &behind))), PACKAGES);
}

#[test]
fn links_and_evidence_of_all_layers_are_bounded() {
    if !need(&["prlimit", "gzip"]) {
        return;
    }
    let home = Home::new();
    // A million links removed by a million whiteouts: each on its own is found
    // at once, all of them by all would take hours.
    let many = 1_000_000 / 4;
    let mut links = Vec::new();
    let mut gone = Vec::new();
    for at in 0..many {
        links.extend(header(format!("l/{at}").as_bytes(), b'2', b"x", octal(0)));
        gone.extend(header(
            format!("l/.wh.{at}").as_bytes(),
            b'0',
            b"",
            octal(0),
        ));
    }
    let base = tar(&[
        file("etc/os-release", OS_RELEASE),
        file("lib/apk/db/installed", APK),
        links,
    ]);
    let image = Image::plain(&[base, tar(&[gone])]);
    assert_eq!(
        packages(&report(&scan_bytes(&home, "archive", &image.docker()))),
        PACKAGES
    );
    // As many hard links of interest as files of interest.
    let mut entries = file("etc/os-release", DEBIAN);
    for at in 0..many / 2 {
        let list = format!("var/lib/dpkg/info/f{at}.list");
        entries.extend(entry(&list, b'0', "", b"/x\n"));
        let link = format!("var/lib/dpkg/info/h{at}.list");
        entries.extend(header(link.as_bytes(), b'1', list.as_bytes(), octal(0)));
    }
    report(&scan_bytes(
        &home,
        "archive",
        &Image::plain(&[tar(&[entries])]).docker(),
    ));
}

#[test]
fn a_million_files_take_little() {
    if !need(&["prlimit"]) {
        return;
    }
    let home = Home::new();
    let mut layer = Vec::with_capacity(1_000_010 * 512);
    layer.extend(file("etc/os-release", OS_RELEASE));
    layer.extend(file("lib/apk/db/installed", APK));
    for at in 0..1_000_000 {
        let name = format!("d{}/file-{at}", at / 1000);
        layer.extend(header(name.as_bytes(), b'0', b"", octal(0)));
    }
    layer.extend(END);
    let archive = Image::plain(&[layer]).docker();
    fs::write(home.path().join("many.tar"), archive).unwrap();
    let mut run = Bounded::new(&home);
    run.memory = 96;
    let said = run.scan(&["--format", "json", "--packages", "archive:many.tar"]);
    assert_eq!(packages(&report(&said)), PACKAGES);
}
