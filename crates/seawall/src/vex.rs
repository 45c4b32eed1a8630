//! VEX documents that a run was given.

use std::{
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use seawall_model::vex::Document;
use seawall_scan::Inspected;

use crate::{errors::hinted, printer::Printer};

/// Bytes of one document: Red Hat's largest have 40 MiB.
const LIMIT: u64 = 256 << 20;
/// Files of one folder.
const FILES: usize = 100_000;
/// Folders within a folder.
const DEEP: usize = 16;
/// Warnings of one kind that are said one by one.
const SAID: usize = 10;

/// Reads the files, and those of the folders, that were named. A file that was
/// named must be a VEX document; what is none in a folder is passed over with a
/// word.
pub(crate) fn load(paths: &[PathBuf], printer: &Printer) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    let mut refused = Vec::new();
    for path in paths {
        let is_folder = fs::metadata(path)
            .with_context(|| format!("cannot read the VEX document `{}`", path.display()))?
            .is_dir();
        if !is_folder {
            documents.push(read(path)?);
            continue;
        }
        let mut files = Vec::new();
        collect(path, DEEP, &mut files)
            .with_context(|| format!("cannot read the folder `{}`", path.display()))?;
        files.sort();
        let before = documents.len();
        for file in files {
            match read(&file) {
                Ok(document) => documents.push(document),
                Err(error) => refused.push(error),
            }
        }
        if documents.len() == before {
            let path = path.display();
            printer.warning(&format!("there is no VEX document in `{path}`"));
        }
    }
    for error in refused.iter().take(SAID) {
        printer.warning(&format!("{error:#}"));
    }
    if let Some(more) = more(refused.len()) {
        printer.warning(&format!("{more} files are no VEX documents either"));
    }
    for document in &documents {
        for problem in document.problems.iter().take(SAID) {
            printer.warning(&format!("{}: {problem}", document.place));
        }
        if let Some(more) = more(document.problems.len()) {
            printer.warning(&format!("{}: and {more} more like these", document.place));
        }
    }
    Ok(documents)
}

fn more(all: usize) -> Option<usize> {
    all.checked_sub(SAID).filter(|more| *more > 0)
}

fn read(path: &Path) -> Result<Document> {
    let place = path.display().to_string();
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read the VEX document `{place}`"))?;
    if bytes.len() as u64 > LIMIT {
        return Err(hinted(
            format!("the VEX document `{place}` has more than {LIMIT} bytes"),
            "split it by vulnerability",
        ));
    }
    seawall_formats::vex::read(&bytes, &place)
        .with_context(|| format!("cannot use `{place}` as a VEX document"))
}

/// The files of a folder that end like JSON, links not followed.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() && depth > 0 {
            collect(&path, depth - 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|ending| ending == "json") {
            if files.len() == FILES {
                return Err(io::Error::other(format!("it has more than {FILES} files")));
            }
            files.push(path);
        }
    }
    Ok(())
}

/// The statements that lie in the targets themselves.
pub(crate) fn embedded(inspected: &mut [Inspected]) -> Vec<Document> {
    let mut all = Vec::new();
    for (index, one) in inspected.iter_mut().enumerate() {
        for mut document in std::mem::take(&mut one.statements) {
            document.target = Some(index);
            all.push(document);
        }
    }
    all
}

/// Says which statements were about nothing that was found.
pub(crate) fn say_unused(documents: &[Document], unused: &[Vec<usize>], printer: &Printer) {
    let mut said = 0;
    let mut idle = 0;
    for (document, unused) in documents.iter().zip(unused) {
        let place = &document.place;
        let all = document.statements.len();
        if unused.is_empty() {
            continue;
        }
        if said == SAID {
            idle += 1;
            continue;
        }
        said += 1;
        let numbers = unused.iter().take(SAID).filter_map(|at| {
            let statement = document.statements.get(*at)?;
            let id = statement.ids.first()?;
            Some(format!("{} (`{id}`)", at + 1))
        });
        let numbers: Vec<String> = numbers.collect();
        let mut list = numbers.join(", ");
        if let Some(more) = more(unused.len()) {
            list += &format!(" and {more} more");
        }
        let which = if unused.len() == 1 {
            format!("the statement {list} matches nothing")
        } else if unused.len() == all {
            format!("none of its {all} statements matches anything: {list}")
        } else {
            format!(
                "{} of its {all} statements match nothing: {list}",
                unused.len()
            )
        };
        printer.warning(&format!("{place}: {which}"));
    }
    if idle > 0 {
        printer.warning(&format!(
            "{idle} more VEX documents have statements that match nothing"
        ));
    }
}
