//! rpm's SQLite database: its packages, and what joins it with a write-ahead
//! log, which is another file.
//!
//! Beside the packages the evidence holds notes: which pages lead to which,
//! and what each row of a leaf page is. A log has whole pages; where it has
//! none the notes tell what the page of the database says.

use std::collections::{HashMap, HashSet};

use seawall_image::{Body, Evidence};

use super::packages::{Added, Packages};
use crate::{
    faults::Faults,
    os_package::{is_gap, is_package, notes},
    record::{Reader, Record},
    sqlite::{
        Column, Database, Fault, Head, Log, LogError, OpenError, Pages, Row, Visitor, read_log,
        table_of, walk,
    },
};

/// Kinds of notes: of the whole database the size of a page and how much of it
/// is used; of an interior page its number and children; of a leaf page its
/// number and rows.
const DATABASE: &str = "d";
const BRANCH: &str = "b";
const LEAF: &str = "l";

/// What a row of `Packages` is: a key, which holds no software; no header; or
/// the package of this number, marked where its digest is wrong.
const KEY: &str = "key";
const STRANGE: &str = "strange";
const BROKEN: char = '!';

/// The tables that are read: of the headers, and of their names.
const PACKAGES: &str = "Packages";
const NAMES: &str = "Name";

/// Where the tables start.
#[derive(Default)]
struct Roots {
    packages: Option<u64>,
    names: Option<u64>,
}

impl Roots {
    fn add(&mut self, table: &str, page: u64) {
        match table {
            PACKAGES => self.packages = Some(page),
            NAMES => self.names = Some(page),
            _ => {}
        }
    }
}

/// The numbers of the packages in both tables: every package stands in the
/// index of names too. One that only one of the two knows was lost on a
/// damaged page that looks whole.
#[derive(Default)]
struct Numbers {
    packages: HashSet<u64>,
    names: HashSet<u64>,
}

impl Numbers {
    fn compare(&self, packages: &mut Packages) {
        let lost = self.names.symmetric_difference(&self.packages).count();
        if lost > 0 {
            packages.damaged(&format!(
                "the rpm database and its index of names differ in {lost} packages"
            ));
        }
    }
}

/// Reads the packages of a database, and notes its pages.
pub(crate) fn parse(body: &Body<'_>) -> Result<Option<Vec<u8>>, OpenError> {
    let database = Database::open(body)?;
    let mut packages = Packages::default();
    let (page_size, usable) = database.sizes();
    packages.note(&[DATABASE, &page_size.to_string(), &usable.to_string()]);
    let (mut roots, mut numbers) = (Roots::default(), Numbers::default());
    let faults = note(&database, 1, &mut packages, &mut |_, row| {
        let (name, page) = table_of(row.columns)?;
        roots.add(name, page);
        Some(format!("{name} {page}"))
    });
    let Some(root) = roots.packages else {
        no_table(&mut packages, faults);
        return Ok(packages.finish());
    };
    let faults = note(&database, root, &mut packages, &mut |packages, row| {
        numbers.packages.insert(row.head.id);
        let added = packages.add(header(row.columns));
        let chain: Vec<String> = row.chain.iter().map(u64::to_string).collect();
        let (told, chain) = (told(row.head), chain.join(","));
        Some(format!("{told} {chain} {}", word(&added)))
    });
    packages.faults(&faults);
    if let Some(root) = roots.names {
        let faults = note(&database, root, &mut packages, &mut |_, row| {
            let number = number(row.columns)?;
            numbers.names.insert(number);
            Some(number.to_string())
        });
        if faults.is_empty() {
            numbers.compare(&mut packages);
        }
    }
    Ok(packages.finish())
}

fn header<'c>(columns: &[Column<'c>]) -> &'c [u8] {
    let blob = columns.last().and_then(Column::blob);
    blob.unwrap_or_default()
}

/// The number of a package, in the table of names: key, hnum, idx.
fn number(columns: &[Column<'_>]) -> Option<u64> {
    columns.get(1).map(Column::integer)
}

fn no_table(packages: &mut Packages, faults: Faults<Fault>) {
    let error = match faults.into_first() {
        Some(fault) => OpenError::NoSchema(PACKAGES, fault),
        None => OpenError::NoTable(PACKAGES),
    };
    packages.damaged(&format!("the rpm database cannot be read: {error}"));
}

/// What tells a row of `Packages` from another.
fn told(head: Head) -> String {
    format!(
        "{} {} {} {}",
        head.id, head.length, head.overflow, head.local
    )
}

fn word(added: &Added) -> String {
    match added {
        Added::Package {
            number,
            is_intact: true,
        } => number.to_string(),
        Added::Package { number, .. } => format!("{number}{BROKEN}"),
        Added::Key => KEY.to_owned(),
        Added::Strange => STRANGE.to_owned(),
    }
}

/// Makes the note of a row.
type Note<'n> = dyn FnMut(&mut Packages, &Row<'_>) -> Option<String> + 'n;

/// Walks a tree and notes its pages. `row` makes the note of each row.
fn note(
    database: &Database<'_>,
    root: u64,
    packages: &mut Packages,
    row: &mut Note<'_>,
) -> Faults<Fault> {
    struct Noting<'n> {
        packages: &'n mut Packages,
        row: &'n mut Note<'n>,
        /// Of the leaf page at hand.
        rows: String,
    }
    impl Visitor for Noting<'_> {
        fn row(&mut self, row: &Row<'_>) {
            if let Some(row) = (self.row)(self.packages, row) {
                self.rows.push_str(&row);
                self.rows.push('\n');
            }
        }

        fn branch(&mut self, number: u64, children: &[u64]) {
            let children: Vec<String> = children.iter().map(u64::to_string).collect();
            let note = [BRANCH, &number.to_string(), &children.join(" ")];
            self.packages.note(&note);
        }

        fn leaf(&mut self, number: u64) {
            self.packages.note(&[LEAF, &number.to_string(), &self.rows]);
            self.rows.clear();
        }
    }
    let rows = String::new();
    walk(
        database,
        root,
        &mut Noting {
            packages,
            row,
            rows,
        },
    )
}

/// The evidence of a log: the byte at which it is damaged, or none, and its
/// pages.
pub(crate) fn parse_log(body: &Body<'_>) -> Result<Option<Vec<u8>>, LogError> {
    let (pages, damaged) = read_log(body)?;
    if pages.is_none() && damaged.is_none() {
        return Ok(None);
    }
    let mut evidence = damaged.unwrap_or(0).to_le_bytes().to_vec();
    evidence.extend(pages.unwrap_or_default());
    Ok(Some(evidence))
}

/// A row that a walk over the joined pages comes by: its own, or a note of it.
enum Came<'c> {
    Row(u64, &'c [Column<'c>]),
    Known(&'c str),
}

/// The evidence of the database with its log.
pub(crate) fn join(database: &Evidence, log: &Evidence) -> Option<Vec<u8>> {
    let mut packages = Packages::default();
    let (damaged, kept) = log.data.split_first_chunk::<8>()?;
    let damaged = u64::from_le_bytes(*damaged);
    if damaged > 0 {
        packages.damaged(&format!(
            "the write-ahead log of the rpm database is damaged at byte {damaged}: what was \
             written since is not read"
        ));
    }
    let pages = pages(database, kept);
    let Some((log, rows)) = pages else {
        if !kept.is_empty() {
            packages.damaged("the write-ahead log beside the rpm database does not belong to it");
        }
        packages.copy_all(Reader::new(&database.data));
        return packages.finish();
    };
    let (mut roots, mut numbers) = (Roots::default(), Numbers::default());
    let faults = joined(&log, 1, &rows, &mut |came| match came {
        Came::Row(_, columns) => {
            if let Some((name, page)) = table_of(columns) {
                roots.add(name, page);
            }
        }
        Came::Known(row) => {
            if let Some((name, page)) = row.split_once(' ') {
                roots.add(name, page.parse().unwrap_or(0));
            }
        }
    });
    let Some(root) = roots.packages else {
        no_table(&mut packages, faults);
        return packages.finish();
    };
    let known = Reader::new(&database.data).filter(is_package);
    // Each is there once, whatever a log says.
    let mut known: Vec<Option<Record<'_>>> = known.map(Some).collect();
    // Where a header changed beyond its leaf page alone.
    let mut stale = Vec::new();
    let faults = joined(&log, root, &rows, &mut |came| match came {
        Came::Row(id, columns) => {
            numbers.packages.insert(id);
            packages.add(header(columns));
        }
        Came::Known(row) => {
            let (_, chain, word) = parts(row).unwrap_or_default();
            numbers.packages.extend(id(row));
            match word {
                KEY => {}
                STRANGE => packages.strange(),
                _ => {
                    let number = word.trim_end_matches(BROKEN).parse();
                    let place = number.ok().and_then(|number: usize| known.get_mut(number));
                    if let Some(record) = place.and_then(Option::take) {
                        let mut chain = chain.split(',').filter_map(|page| page.parse().ok());
                        if chain.any(|page| log.has(page)) {
                            stale.push(record.get(1).to_owned());
                        }
                        packages.copy(&record, !word.ends_with(BROKEN));
                    }
                }
            }
        }
    });
    packages.faults(&faults);
    if let Some(first) = stale.first() {
        packages.damaged(&format!(
            "the write-ahead log changes a part of {} packages, `{first}` first: they are read \
             as they were before",
            stale.len()
        ));
    }
    let compared = roots.names.is_some_and(|root| {
        let visit = &mut |came: Came<'_>| match came {
            Came::Row(_, columns) => numbers.names.extend(number(columns)),
            Came::Known(row) => numbers.names.extend(id(row)),
        };
        joined(&log, root, &rows, visit).is_empty()
    });
    if compared {
        numbers.compare(&mut packages);
    } else {
        // Whether what was wrong with the database still is cannot be told.
        packages.copy_all(Reader::new(&database.data).filter(is_gap));
    }
    packages.finish()
}

/// What tells a row of `Packages` from another, its overflow pages, and what it
/// is.
fn parts(row: &str) -> Option<(&str, &str, &str)> {
    let (rest, word) = row.rsplit_once(' ')?;
    let (told, chain) = rest.rsplit_once(' ')?;
    Some((told, chain, word))
}

fn id(row: &str) -> Option<u64> {
    row.split(' ').next()?.parse().ok()
}

/// The pages of both, and the rows of `Packages` that were noted, by what
/// tells them apart.
fn pages<'a>(
    database: &'a Evidence,
    kept: &'a [u8],
) -> Option<(Log<'a>, HashMap<&'a str, &'a str>)> {
    let mut sizes = (0, 0);
    let (mut branches, mut leaves, mut rows) = (HashMap::new(), HashMap::new(), HashMap::new());
    for note in notes(database) {
        let number = |text: &str| text.parse::<u64>().ok();
        match note.as_slice() {
            [DATABASE, page_size, usable] => sizes = (number(page_size)?, number(usable)?),
            [BRANCH, page, children] => {
                let children = children.split(' ').filter_map(number);
                branches.insert(number(page)?, children.collect());
            }
            [LEAF, page, all] => {
                leaves.insert(number(page)?, *all);
                let told = all.lines().filter_map(|row| Some((parts(row)?.0, row)));
                rows.extend(told);
            }
            _ => {}
        }
    }
    let mut log = Log::new(kept, sizes.0, sizes.1)?;
    log.branches = branches;
    log.leaves = leaves;
    Some((log, rows))
}

/// Walks a tree of the joined pages.
fn joined(
    log: &dyn Pages,
    root: u64,
    rows: &HashMap<&str, &str>,
    visit: &mut dyn FnMut(Came<'_>),
) -> Faults<Fault> {
    struct Joining<'j> {
        rows: &'j HashMap<&'j str, &'j str>,
        visit: &'j mut dyn FnMut(Came<'_>),
    }
    impl Visitor for Joining<'_> {
        fn row(&mut self, row: &Row<'_>) {
            (self.visit)(Came::Row(row.head.id, row.columns));
        }

        fn known(&mut self, rows: &str) {
            rows.lines().for_each(|row| (self.visit)(Came::Known(row)));
        }

        fn elsewhere(&mut self, head: Head) -> bool {
            let row = self.rows.get(told(head).as_str());
            row.is_some_and(|row| {
                (self.visit)(Came::Known(row));
                true
            })
        }
    }
    walk(log, root, &mut Joining { rows, visit })
}
