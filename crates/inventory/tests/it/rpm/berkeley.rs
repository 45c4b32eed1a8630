//! Berkeley DB, written by its own tools from the headers of a SQLite
//! database, and read back by rpm.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_inventory::{Inventory, hostile};

use super::{
    FORMAT, damage, flipped,
    forms::{Forms, agree_with_syft, facts, root, sqlite},
    our_files, ours, parse_as, rpm, theirs,
};
use crate::support::{Random, gaps, have, run, tree};

const PATH: &str = "var/lib/rpm/Packages";

fn parse(database: &[u8]) -> Result<Inventory, String> {
    parse_as("rpm-berkeley", PATH, database)
}

/// Numbers and headers of a SQLite database, in hexadecimal.
fn headers(database: &Path) -> Vec<(u32, String)> {
    let rows = "select hnum, lower(hex(blob)) from Packages order by hnum";
    let rows = run(Command::new("sqlite3").arg(database).arg(rows));
    let rows = rows.lines().map(|row| {
        let (number, header) = row.split_once('|').unwrap();
        (number.parse().unwrap(), header.to_owned())
    });
    rows.collect()
}

/// A Berkeley DB of these headers, as rpm lays it out: numbers in the order of
/// the file's bytes, and under number 0 the last number. `settings` are those
/// of `db5.3_load -c`.
fn load(dir: &Path, headers: &[(u32, String)], settings: &[&str], kind: &str) -> PathBuf {
    let big = settings.contains(&"db_lorder=4321");
    let hex = |number: u32| {
        let number = if big { number } else { number.swap_bytes() };
        format!("{number:08x}")
    };
    let mut dump = format!("VERSION=3\nformat=bytevalue\ntype={kind}\nHEADER=END\n");
    let last = headers.last().map_or(0, |(number, _)| *number);
    writeln!(dump, " {}\n {}", hex(0), hex(last)).unwrap();
    for (number, header) in headers {
        writeln!(dump, " {}\n {header}", hex(*number)).unwrap();
    }
    writeln!(dump, "DATA=END").unwrap();
    let text = dir.join("dump");
    fs::write(&text, dump).unwrap();
    let path = dir.join("Packages");
    let mut command = Command::new("db5.3_load");
    command.arg("-f").arg(text);
    for setting in settings {
        command.args(["-c", setting]);
    }
    run(command.arg(&path));
    path
}

/// Needed for every test here.
fn have_tools() -> bool {
    have(&["sqlite3", "db5.3_load", "rpm"])
}

#[test]
fn every_order_and_page_size_agrees_with_sqlite_in_everything() {
    let Some(forms) = Forms::get().filter(|_| have_tools()) else {
        return;
    };
    let expected = sqlite(forms);
    let headers = headers(&forms.path("sqlite"));
    let work = tempfile::tempdir().unwrap();
    for order in ["db_lorder=1234", "db_lorder=4321"] {
        for size in [512, 1024, 4096, 16384, 65536] {
            for sums in ["chksum=0", "chksum=1"] {
                let size = format!("db_pagesize={size}");
                let path = load(work.path(), &headers, &[order, &size, sums], "hash");
                let dir = root(&[(PATH, &fs::read(&path).unwrap())]);
                fs::remove_file(path).unwrap();
                let inventory = tree(dir.path());
                let case = format!("{order} {size} {sums}");
                assert_eq!(gaps(&inventory), Vec::<String>::new(), "{case}");
                // rpm knows no checksums.
                if sums == "chksum=0" {
                    assert_eq!(ours(&inventory), theirs(dir.path(), FORMAT), "{case}");
                }
                assert_eq!(facts(inventory), expected, "{case}");
            }
        }
    }
}

#[test]
fn a_database_agrees_with_syft() {
    let Some(forms) = Forms::get().filter(|_| have_tools() && have(&["syft", "jq"])) else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let path = load(work.path(), &headers(&forms.path("sqlite")), &[], "hash");
    let dir = root(&[(PATH, &fs::read(path).unwrap())]);
    agree_with_syft(dir.path());
}

/// Packages removed and replaced by Berkeley DB leave free pages, and pages
/// that are used again.
#[test]
fn a_database_with_a_past_agrees_with_rpm() {
    let Some(forms) = Forms::get().filter(|_| have_tools() && have(&["perl"])) else {
        return;
    };
    let dir = root(&[]);
    fs::create_dir_all(dir.path().join("var/lib/rpm")).unwrap();
    let folder = dir.path().join("var/lib/rpm");
    load(&folder, &headers(&forms.path("sqlite")), &[], "hash");
    fs::remove_file(folder.join("dump")).unwrap();
    let past = r#"
        use DB_File; use Fcntl;
        tie my %db, "DB_File", $ARGV[0], O_RDWR, 0644, $DB_HASH or die "$!";
        my @keys = sort { unpack("L", $a) <=> unpack("L", $b) } grep { unpack("L", $_) } keys %db;
        my %all = map { $_ => $db{$_} } @keys;
        # The headers of the first hundred under new numbers, some of them twice.
        for my $key (@keys[0 .. 99]) { delete $db{$key} }
        for my $key (@keys[0 .. 89]) { $db{pack("L", 1000 + unpack("L", $key))} = $all{$key} }
        for my $key (@keys[10 .. 19]) { delete $db{pack("L", 1000 + unpack("L", $key))} }
        for my $key (@keys[10 .. 14]) { $db{$key} = $all{$key} }
        untie %db;
    "#;
    let path = folder.join("Packages");
    run(Command::new("perl").args(["-e", past]).arg(&path));
    let inventory = tree(dir.path());
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    assert_eq!(ours(&inventory), theirs(dir.path(), FORMAT));
    assert_eq!(
        our_files(&inventory),
        theirs(dir.path(), "[%{=NAME}\t%{FILENAMES}\n]")
    );
    let all = run(rpm(dir.path()).arg("-qa"));
    assert_eq!(all.lines().count(), 310 - 100 + 90 - 10 + 5);
}

/// Beside another database this one counts where rpm is configured for it.
#[test]
fn the_configured_form_counts_as_rpm_has_it() {
    let Some(forms) = Forms::get().filter(|_| have_tools()) else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let some = headers(&forms.path("sqlite")).split_off(300);
    let database = fs::read(load(work.path(), &some, &[], "hash")).unwrap();
    let sqlite = forms.read("sqlite");
    let mut files = vec![
        (PATH, database.as_slice()),
        ("var/lib/rpm/rpmdb.sqlite", &sqlite),
    ];
    for (backend, macros, count) in [
        ("sqlite", &b""[..], 309),
        ("bdb_ro", b"%_db_backend bdb_ro\n", 10),
        ("sqlite", b"%_db_backend sqlite\n", 309),
    ] {
        files.push(("usr/lib/rpm/macros", macros));
        let dir = root(&files);
        let inventory = tree(dir.path());
        assert_eq!(inventory.packages.len(), count);
        let mut command = rpm(dir.path());
        command.args(["--define", &format!("_db_backend {backend}")]);
        let all = run(command.args(["-qa", "--qf", "%{NAME}\n"]));
        let mut theirs: Vec<&str> = all.lines().filter(|name| *name != "gpg-pubkey").collect();
        theirs.sort_unstable();
        let mut mine: Vec<&str> = { &inventory.packages }
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        mine.sort_unstable();
        assert_eq!(mine, theirs);
        // What rpm does not read is not passed over.
        let said = gaps(&inventory).join("\n");
        assert_eq!(
            said.contains("rpmdb.sqlite: rpm reads `Packages` beside it: 298 packages that only"),
            count == 10,
            "{said}"
        );
    }
}

#[test]
fn other_databases_of_berkeley_are_called_by_their_names() {
    let Some(forms) = Forms::get().filter(|_| have_tools()) else {
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let headers = headers(&forms.path("sqlite"));
    let path = load(work.path(), &headers[..3], &[], "btree");
    let said = parse(&fs::read(&path).unwrap()).unwrap_err();
    assert!(
        said.ends_with("it is a Berkeley DB, but a b-tree, not the hash table that rpm makes"),
        "{said}"
    );
    fs::remove_file(&path).unwrap();
    run(Command::new("db5.3_load")
        .args(["-P", "secret", "-T", "-t", "hash", "-f", "/dev/null"])
        .arg(&path));
    let said = parse(&fs::read(&path).unwrap()).unwrap_err();
    assert!(said.ends_with("it is an encrypted Berkeley DB"), "{said}");
    fs::remove_file(&path).unwrap();
    // Several values for one key.
    let dump = work.path().join("dump");
    let key = "01000000";
    let header = &headers[0].1;
    let rows = format!(
        "VERSION=3\nformat=bytevalue\ntype=hash\nduplicates=1\nHEADER=END\n \
         {key}\n {header}\n {key}\n {header}\nDATA=END\n"
    );
    fs::write(&dump, rows).unwrap();
    run(Command::new("db5.3_load").arg("-f").arg(dump).arg(&path));
    let found = parse(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(found.packages.len(), 0);
    let said = damage(&found).join("\n");
    assert!(
        said.contains("holds a key with several values, which are not read"),
        "{said}"
    );
}

/// Seven packages: on pages of 1024 bytes all of them lie on chains of pages, on
/// pages of 8192 all but one with their numbers.
struct Small {
    page: usize,
    data: Vec<u8>,
}

impl Small {
    fn new(page: usize, settings: &[&str]) -> Option<Small> {
        let forms = Forms::get().filter(|_| have_tools())?;
        let work = tempfile::tempdir().unwrap();
        let headers = headers(&forms.path("sqlite"));
        let mut few: Vec<(u32, String)> = headers.iter().step_by(60).cloned().collect();
        let key = headers
            .iter()
            .min_by_key(|(_, header)| header.len())
            .unwrap();
        few.push(key.clone());
        let size = format!("db_pagesize={page}");
        let settings = [&[size.as_str()], settings].concat();
        let path = load(work.path(), &few, &settings, "hash");
        let data = fs::read(path).unwrap();
        let intact = parse(&data).unwrap();
        assert_eq!(damage(&intact), Vec::<String>::new());
        assert_eq!(intact.packages.len(), 7);
        Some(Small { page, data })
    }

    fn pages_of(&self, kind: u8) -> Vec<usize> {
        let pages = 1..self.data.len() / self.page;
        pages
            .filter(|page| self.data[page * self.page + 25] == kind)
            .collect()
    }

    /// What is said after a change, and how many packages are left.
    fn after(&self, change: impl FnOnce(&mut Vec<u8>)) -> (usize, String) {
        let mut data = self.data.clone();
        change(&mut data);
        let found = parse(&data).unwrap();
        (found.packages.len(), damage(&found).join("\n"))
    }
}

#[test]
fn every_kind_of_damage_is_named_and_the_rest_is_read() {
    let Some(small) = Small::new(1024, &[]) else {
        return;
    };
    let size = small.data.len();
    let (pages, at) = (size / 1024, |page: usize, offset: usize| {
        page * 1024 + offset
    });
    let number = |at: usize| u32::from_le_bytes(small.data[at..at + 4].try_into().unwrap());
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes().to_vec();
    let chains = small.pages_of(7);
    let first = chains.iter().find(|page| number(at(**page, 12)) == 0);
    let first = *first.unwrap();
    // A page in the middle of another's chain.
    let is_inner = |page: &usize| number(at(*page, 12)) != 0 && number(at(*page, 16)) != 0;
    let inner = { chains.iter().copied() }.rfind(is_inner).unwrap();
    let hash = small.pages_of(13).into_iter();
    let hash = { hash }.find(|page| small.data[at(*page, 20)] > 0).unwrap();
    let last_entry = hash * 1024 + usize::from(small.data[at(hash, 20)]) * 2 + 24;
    for (place, bytes, least, reason) in [
        (
            at(inner, 16),
            word(inner),
            6,
            format!("page {inner} is reached twice"),
        ),
        (
            at(inner, 16),
            word(first),
            6,
            format!("page {first} is reached twice"),
        ),
        (at(inner, 16), word(0), 6, "page 0 is not there".into()),
        (
            at(inner, 16),
            word(1 << 30),
            6,
            "page 1073741824 is not there".into(),
        ),
        (
            at(inner, 25),
            vec![13],
            6,
            format!("page {inner} is malformed"),
        ),
        (
            at(inner, 8),
            word(1),
            6,
            format!("page {inner} is malformed"),
        ),
        (at(inner, 22), vec![0, 0], 6, "has a wrong length".into()),
        (
            at(inner, 22),
            vec![255, 255],
            6,
            "has a wrong length".into(),
        ),
        (
            at(inner, 16),
            word(inner),
            6,
            "holds part of a package that has no entry".into(),
        ),
        (
            at(hash, 16),
            word(hash),
            7,
            format!("page {hash} is reached twice"),
        ),
        (
            at(hash, 8),
            word(77),
            0,
            format!("page {hash} is malformed"),
        ),
        (
            at(hash, 25),
            vec![5],
            0,
            format!("page {hash} is malformed"),
        ),
        (
            at(hash, 20),
            vec![255],
            0,
            format!("page {hash} holds an entry that is malformed"),
        ),
        (
            at(hash, 0),
            vec![0; 1024],
            0,
            "holds part of a package that has no entry".into(),
        ),
        (
            last_entry,
            vec![0, 0],
            6,
            format!("page {hash} holds an entry that is malformed"),
        ),
        (
            last_entry,
            vec![255, 255],
            6,
            format!("page {hash} holds an entry that is malformed"),
        ),
        (
            32,
            word(1 << 20),
            7,
            format!("the file should have 1048577 pages and has {pages}"),
        ),
        (
            72,
            word(0xFFFF_FFF0),
            7,
            "it should have 4294967281 buckets".into(),
        ),
        (72, word(0), 7, "which holds packages".into()),
        (
            88,
            word(9),
            7,
            "it should hold 9 entries and holds 8".into(),
        ),
        (8, word(9), 7, "page 0 is malformed".into()),
        (25, vec![9], 7, "page 0 is malformed".into()),
    ] {
        let (packages, said) = small.after(|data| {
            data[place..place + bytes.len()].copy_from_slice(&bytes);
        });
        assert!(said.contains(&reason), "{reason} is not in {said}");
        assert!(packages >= least, "{packages} {said}");
    }
    for end in [size - 1024, size - 1015] {
        let (packages, said) = small.after(|data| data.truncate(end));
        assert!(packages >= 6, "{packages}");
        let reason = format!("the file should have {pages} pages and has {}", pages - 1);
        assert!(said.contains(&reason), "{said}");
    }
    for (place, bytes, reason) in [
        (20, 0, "pages of 0 bytes"),
        (20, 256, "pages of 256 bytes"),
        (20, 1025, "pages of 1025 bytes"),
        (20, 131_072, "pages of 131072 bytes"),
        (16, 7, "version 7"),
        (12, 1, "it is no Berkeley DB"),
    ] {
        let mut data = small.data.clone();
        data[place..place + 4].copy_from_slice(&word(bytes));
        let said = parse(&data).unwrap_err();
        assert!(said.contains(reason), "{said}");
    }
}

/// Entries that lie on each other do not multiply what the page holds.
#[test]
fn entries_that_share_bytes_come_to_an_end() {
    let Some(small) = Small::new(8192, &[]) else {
        return;
    };
    let hash = small.pages_of(13).into_iter();
    let hash = hash
        .max_by_key(|page| small.data[page * 8192 + 20])
        .unwrap();
    let (packages, said) = small.after(|data| {
        let page = &mut data[hash * 8192..][..8192];
        page[20..22].copy_from_slice(&2000u16.to_le_bytes());
        // A pair that is none between two that cover most of the page.
        for (place, offset) in page[26..4026].chunks_exact_mut(2).enumerate() {
            let at = [8183u16, 4026, 8191, 8188][place % 4];
            offset.copy_from_slice(&at.to_le_bytes());
        }
        page[8183] = 1;
        page[4026] = 1;
    });
    assert!(packages < 7, "{packages}");
    assert!(
        said.contains("repeats bytes that were read before"),
        "{said}"
    );
}

/// Pages with checksums: what they say is held against every page.
#[test]
fn checksums_are_held_against_pages() {
    for order in ["db_lorder=1234", "db_lorder=4321"] {
        let Some(small) = Small::new(1024, &["chksum=1", order]) else {
            return;
        };
        for page in small.pages_of(7) {
            let (packages, said) = small.after(|data| data[page * 1024 + 40] ^= 1);
            assert_eq!(packages, 6);
            let reason = format!("page {page} has a wrong checksum");
            assert!(said.contains(&reason), "{said}");
        }
        let (packages, said) = small.after(|data| data[200] ^= 1);
        assert_eq!(packages, 7);
        assert!(said.contains("page 0 has a wrong checksum"), "{said}");
    }
}

/// A flipped bit changes nothing that matters, or is said.
#[test]
fn no_flipped_bit_goes_unsaid() {
    for page_size in [1024, 8192] {
        let Some(small) = Small::new(page_size, &[]) else {
            return;
        };
        let mut database = small.data.clone();
        let intact = parse(&database).unwrap();
        let expected = (ours(&intact), our_files(&intact));
        let mut random = Random(7);
        let mut bits: Vec<usize> = (0..1824).collect();
        for page in small.pages_of(13) {
            let start = page * page_size * 8;
            bits.extend(start..start + 64 * 8);
            // Where the entries are.
            bits.extend((0..400).map(|_| start + random.below(page_size * 8)));
        }
        bits.extend((0..2000).map(|_| random.below(database.len() * 8)));
        let (said, refused, harmless) =
            flipped(&mut database, &bits, &expected, |bytes| parse(bytes).ok());
        assert!(
            said > 1000 && refused > 100 && harmless > 0,
            "{said} {refused} {harmless}"
        );
    }
}

/// A database cut short loses no package in silence.
#[test]
fn a_database_cut_short_is_said() {
    let Some(small) = Small::new(1024, &[]) else {
        return;
    };
    for end in (1..small.data.len()).step_by(37) {
        if let Ok(found) = parse(&small.data[..end]) {
            assert!(!damage(&found).is_empty(), "{end}");
        }
    }
}

/// Many bytes changed at once: an end, without a panic.
#[test]
fn rubbish_comes_to_an_end() {
    let Some(small) = Small::new(1024, &[]) else {
        return;
    };
    let mut random = Random(13);
    for round in 0..600 {
        let mut other = small.data.clone();
        for _ in 0..=random.below(40) {
            let at = random.below(other.len());
            other[at] = u8::try_from(random.below(256)).unwrap();
        }
        if round % 3 == 0 {
            // One page in the place of another: loops and shared pages.
            let pages = other.len() / 1024;
            let (from, to) = (random.below(pages), 1 + random.below(pages - 1));
            other.copy_within(from * 1024..(from + 1) * 1024, to * 1024);
        }
        drop(parse(&other));
        drop(hostile::rpm_berkeley(&other));
    }
    for length in [1, 16, 511, 512, 513, 600] {
        assert!(parse(&vec![0xFF; length]).is_err());
    }
}
