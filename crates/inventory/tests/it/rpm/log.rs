//! rpm's SQLite database with a write-ahead log beside it, as it is left when
//! rpm is stopped, or while another process reads.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use seawall_image::{Evidence, View};
use seawall_inventory::{Context, Inventory, hostile};
use seawall_model::ImageLayer;
use tempfile::TempDir;

use super::{
    FORMAT, SECOND, build, damage, flipped,
    forms::{Forms, root},
    our_files, ours, theirs,
};
use crate::support::{Random, gaps, have, run, tree};

const DATABASE: &str = "var/lib/rpm/rpmdb.sqlite";
const LOG: &str = "var/lib/rpm/rpmdb.sqlite-wal";

/// Databases with their logs, made once.
struct Logs {
    _dir: TempDir,
    /// Each has `db` and `wal`.
    states: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What happens to a database that somebody else reads all the time, so that
/// nothing or not all is moved from the log into it, and a copy of both.
fn logs() -> Option<&'static Logs> {
    static LOGS: OnceLock<Option<Logs>> = OnceLock::new();
    let make = || {
        let forms = Forms::get()?;
        if !have(&["rpm", "rpmbuild", "sqlite3"]) {
            return None;
        }
        let dir = root(&[(DATABASE, &forms.read("sqlite"))]);
        let path = dir.path();
        // Thousands of files: its header has many pages.
        let many = SECOND.replace("sub1", "more")
            + "/usr/share/more\n%install\n"
            + "mkdir -p %{buildroot}/usr/share/more; for i in $(seq 4000); do \
               : > %{buildroot}/usr/share/more/a-file-with-a-name-of-some-length-$i; done\n";
        let rpms = build(path, &[SECOND, &many]);
        let rpm = format!(
            "rpm --root {} --define '_dbpath /var/lib/rpm' --define '_db_backend sqlite' \
             --justdb --nodeps",
            path.display()
        );
        let install = |rpm_file: &PathBuf| {
            format!(
                ".shell {rpm} --nosignature --force -i {}\n",
                rpm_file.display()
            )
        };
        let copy = |name: &str| {
            let database = path.join(DATABASE);
            let log = path.join(LOG);
            let (database, log) = (database.display(), log.display());
            let to = path.join(name);
            format!(
                ".shell cp {database} {to}.db\n.shell cp {log} {to}.wal\n",
                to = to.display()
            )
        };
        let read = "begin;\nselect count(*) from Packages;\n";
        let script = [
            // Nothing is in the database.
            read.to_owned(),
            format!(".shell {rpm} -e sub100 sub101 sub102 sub103 modular\n"),
            install(&rpms[1]),
            copy("0"),
            // Some of it is.
            "commit;\n".to_owned(),
            read.to_owned(),
            format!(".shell {rpm} -e sub110 sub111 many-files\n"),
            install(&rpms[0]),
            copy("1"),
            // All of it is, and the log has begun anew over the old one.
            "commit;\npragma wal_checkpoint(restart);\n".to_owned(),
            read.to_owned(),
            format!(".shell {rpm} -e sub120\n"),
            copy("2"),
        ];
        sqlite(&path.join(DATABASE), &script.concat());
        let state = |name: usize| {
            let read = |kind: &str| fs::read(path.join(format!("{name}.{kind}"))).unwrap();
            (read("db"), read("wal"))
        };
        Some(Logs {
            states: (0..3).map(state).collect(),
            _dir: dir,
        })
    };
    LOGS.get_or_init(make).as_ref()
}

/// A root with a database and its log.
fn pair((database, log): &(Vec<u8>, Vec<u8>)) -> TempDir {
    root(&[(DATABASE, database), (LOG, log)])
}

#[test]
fn a_database_with_its_log_agrees_with_rpm() {
    let Some(logs) = logs() else { return };
    let counts = [304, 302, 301];
    for (state, count) in logs.states.iter().zip(counts) {
        // rpm moves the pages of the log into the database.
        let (mine, rpms) = (pair(state), pair(state));
        let inventory = tree(mine.path());
        assert_eq!(gaps(&inventory), Vec::<String>::new());
        assert_eq!(inventory.packages.len(), count);
        assert_eq!(ours(&inventory), theirs(rpms.path(), FORMAT));
        assert_eq!(
            our_files(&inventory),
            theirs(rpms.path(), "[%{=NAME}\t%{FILENAMES}\n]")
        );
        // The log matters.
        fs::remove_file(mine.path().join(LOG)).unwrap();
        assert_ne!(ours(&tree(mine.path())), ours(&inventory));
    }
}

/// Runs a script in SQLite's shell.
fn sqlite(database: &Path, script: &str) {
    let file = database.with_extension("script");
    fs::write(&file, script).unwrap();
    let command = "sqlite3 \"$1\" <\"$2\"";
    run(Command::new("sh")
        .args(["-ec", command, "sh"])
        .args([database, &file]));
}

/// The database of the fixture and its log, before they are closed after
/// these statements.
fn changed(forms: &Forms, statements: &str) -> (Vec<u8>, Vec<u8>) {
    let dir = root(&[(DATABASE, &forms.read("sqlite"))]);
    let database = dir.path().join(DATABASE);
    let path = database.display();
    let script = format!(
        "{statements}\n.shell cp {path} {path}.copy\n.shell cp {path}-wal {path}-wal.copy\n"
    );
    sqlite(&database, &script);
    let read = |end: &str| fs::read(dir.path().join(format!("{DATABASE}{end}.copy"))).unwrap();
    (read(""), read("-wal"))
}

/// SQLite itself, with pages of every size.
#[test]
fn every_page_size_is_joined() {
    let Some(forms) = Forms::get().filter(|_| have(&["rpm", "sqlite3"])) else {
        return;
    };
    for size in [512, 1024, 8192, 65536] {
        let statements = format!(
            "pragma journal_mode=delete; pragma page_size={size}; vacuum;
            pragma journal_mode=wal; pragma wal_autocheckpoint=0;
            delete from Packages where hnum between 20 and 90;
            delete from Name where hnum between 20 and 90;
            begin;
            insert into Packages select hnum + 1000, blob from Packages where hnum > 250;
            insert into Name select key, hnum + 1000, idx from Name where hnum > 250;
            commit;
            begin; delete from Packages where hnum < 10; rollback;"
        );
        let state = changed(forms, &statements);
        let (mine, rpms) = (pair(&state), pair(&state));
        let inventory = tree(mine.path());
        assert_eq!(gaps(&inventory), Vec::<String>::new(), "{size}");
        // What is there twice counts once.
        let mut expected = theirs(rpms.path(), FORMAT);
        expected.dedup();
        assert_eq!(ours(&inventory), expected, "{size}");
        assert_eq!(inventory.packages.len(), 309 - 71, "{size}");
    }
}

/// A header whose end alone was written anew is not read from two times.
#[test]
fn a_header_that_changed_in_part_is_said() {
    let Some(forms) = Forms::get().filter(|_| have(&["sqlite3"])) else {
        return;
    };
    let state = changed(
        forms,
        "pragma wal_autocheckpoint=0;
        update Packages set blob = cast(substr(blob, 1, length(blob) - 4) || x'01020304' as blob)
        where hnum = (select hnum from Name where key = 'many-files');",
    );
    let inventory = tree(pair(&state).path());
    assert_eq!(inventory.packages.len(), 309);
    assert_eq!(
        gaps(&inventory),
        [
            "damaged var/lib/rpm/rpmdb.sqlite: the write-ahead log changes a part of 1 packages, \
             `many-files` first: they are read as they were before"
        ]
    );
}

#[test]
fn a_log_without_its_database_is_named() {
    let Some(logs) = logs() else { return };
    let (database, log) = &logs.states[0];
    let said = |database: &[u8], log: &[u8]| {
        gaps(&tree(root(&[(DATABASE, database), (LOG, log)]).path())).join("\n")
    };
    // SQLite throws a log away whose database is empty.
    let none = "unsupported var/lib/rpm/rpmdb.sqlite-wal: the write-ahead log belongs to no rpm \
                database that could be read";
    assert!(said(b"", log).contains(none));
    assert!(said(b"no database at all", log).contains(none));
    let cannot = "damaged var/lib/rpm/rpmdb.sqlite-wal: the write-ahead log of the rpm database \
                  cannot be read: ";
    for (damaged, reason) in [
        (vec![0; 4200], "it is no write-ahead log of SQLite"),
        (
            [&log[..26], &[0; 40]].concat(),
            "its header has a wrong checksum",
        ),
    ] {
        let said = said(database, &damaged);
        assert!(said.contains(&format!("{cannot}{reason}")), "{said}");
    }
    // An empty one is none.
    assert_eq!(said(database, &log[..32]), "");
    // That of a database with pages of another size.
    let other = Forms::get().unwrap().read("sqlite");
    let mut other = other;
    other[16..18].copy_from_slice(&512u16.to_be_bytes());
    let said = said(&other, log);
    assert!(
        said.contains("the write-ahead log beside the rpm database does not belong to it"),
        "{said}"
    );
}

/// What stands in a file of a layer.
fn evidence(analyser: &'static str, layer: usize, bytes: &[u8]) -> Result<Evidence, String> {
    let path = match analyser {
        "rpm-log" => LOG,
        _ => DATABASE,
    };
    Ok(Evidence {
        path: path.to_owned(),
        analyser,
        layer,
        hidden_by: None,
        size: bytes.len() as u64,
        mode: 0o644,
        uid: 0,
        gid: 0,
        capability: None,
        data: Arc::from(hostile::evidence(analyser, path, bytes)?.unwrap_or_default()),
    })
}

/// What becomes of it in an image of four layers.
fn layers(files: Vec<Evidence>, hidden: Vec<Evidence>) -> Inventory {
    let layer = ImageLayer {
        diff_id: String::new(),
        digest: None,
        size: 0,
        created_by: None,
        line: None,
    };
    let view = View {
        files,
        hidden,
        layers: vec![layer; 4],
        ..View::default()
    };
    seawall_inventory::read(&view, Context::Installed)
}

/// What stands in the log alone came with the layer of the log.
#[test]
fn packages_of_a_log_have_its_layer() {
    let Some(logs) = logs() else { return };
    let (database, log) = &logs.states[0];
    let (_, second) = &logs.states[1];
    let mut first = evidence("rpm-log", 2, log).unwrap();
    first.hidden_by = Some(3);
    let files = vec![
        evidence("rpm-sqlite", 0, database).unwrap(),
        evidence("rpm-log", 3, second).unwrap(),
    ];
    let inventory = layers(files, vec![first]);
    assert_eq!(damage(&inventory), Vec::<String>::new());
    assert_eq!(inventory.packages.len(), 302);
    let layer = |name: &str, version: &str| {
        let package = { &inventory.packages }
            .iter()
            .find(|one| one.name == name && one.version.starts_with(version));
        package.and_then(|one| one.origin.layer)
    };
    assert_eq!(layer("sub2", ""), Some(0));
    assert_eq!(layer("sub1", "9-"), Some(0));
    assert_eq!(layer("more", ""), Some(3));
    assert_eq!(layer("modular", ""), None);
}

/// A flipped bit in a log changes nothing that matters, or is said.
#[test]
fn no_flipped_bit_goes_unsaid() {
    let Some(logs) = logs() else { return };
    let (database, log) = &logs.states[2];
    let expected = tree(pair(&logs.states[2]).path());
    let expected = (ours(&expected), our_files(&expected));
    let database = evidence("rpm-sqlite", 0, database).unwrap();
    let mut log = log.clone();
    let mut random = Random(5);
    // The log has begun anew: the first frames are its own.
    let size = 4096 + 24;
    let own = (0..(log.len() - 32) / size)
        .take_while(|frame| log[32 + frame * size + 8..][..8] == log[16..24])
        .count();
    assert!(own > 3 && own * size + 32 < log.len());
    let mut bits: Vec<usize> = (0..256).step_by(3).collect();
    let heads = (0..own).flat_map(|frame| (0..192).map(move |bit| (32 + frame * size) * 8 + bit));
    bits.extend(heads.step_by(11));
    bits.extend((0..200).map(|_| 256 + random.below(own * size * 8)));
    let (said, refused, harmless) = flipped(&mut log, &bits, &expected, |log| {
        let log = evidence("rpm-log", 0, log).ok()?;
        Some(layers(vec![database.clone(), log], Vec::new()))
    });
    assert!(said > 200 && refused > 50, "{said} {refused} {harmless}");
}

/// Many bytes changed at once, in sums that are right: an end, without a panic.
#[test]
fn rubbish_comes_to_an_end() {
    let Some(logs) = logs() else { return };
    let mut random = Random(17);
    for round in 0..60 {
        let (database, log) = &logs.states[round % 3];
        let mut log = log.clone();
        for _ in 0..=random.below(40) {
            let at = 32 + random.below(log.len() - 32);
            log[at] = u8::try_from(random.below(256)).unwrap();
        }
        sign(&mut log);
        drop(hostile::rpm_joined(database, &log));
        drop(hostile::rpm_joined(&database[..4096], &log));
    }
}

/// Makes the checksums of a log right.
fn sign(log: &mut [u8]) {
    let add = |sum: [u32; 2], bytes: &[u8]| {
        bytes.chunks_exact(8).fold(sum, |[low, high], pair| {
            let word = |at: usize| u32::from_le_bytes(pair[at..at + 4].try_into().unwrap());
            let low = low.wrapping_add(word(0)).wrapping_add(high);
            [low, high.wrapping_add(word(4)).wrapping_add(low)]
        })
    };
    let salt: [u8; 8] = log[16..24].try_into().unwrap();
    let (head, frames) = log.split_at_mut(32);
    let mut sum = add([0; 2], &head[..24]);
    for frame in frames.chunks_exact_mut(4096 + 24) {
        frame[8..16].copy_from_slice(&salt);
        sum = add(add(sum, &frame[..8]), &frame[24..]);
        frame[16..20].copy_from_slice(&sum[0].to_be_bytes());
        frame[20..24].copy_from_slice(&sum[1].to_be_bytes());
    }
}

/// The tests' own signing agrees with SQLite's.
#[test]
fn signed_logs_are_those_of_sqlite() {
    let Some(logs) = logs() else { return };
    let mut log = logs.states[0].1.clone();
    sign(&mut log);
    assert!(log == logs.states[0].1);
}
