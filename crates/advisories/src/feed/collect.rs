//! Records of a feed on their way into shards.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Feed;
use crate::{
    facts::cvss::Vectors,
    osv::OsvRecord,
    shard::{Draft, Prose, base},
};

/// Records that are named where they cannot be read; the rest are counted.
const NAMED: usize = 20;
/// Bytes of a reason: some hold what was found.
const REASON_LIMIT: usize = 300;

/// Takes what a feed reads.
pub(crate) struct Collector {
    feed: &'static Feed,
    /// Each with its number among all records.
    drafts: BTreeMap<&'static str, Vec<(usize, Draft)>>,
    /// Records that were taken.
    records: usize,
    vectors: Vectors,
    refused: Vec<String>,
    refused_count: usize,
    left_out: BTreeSet<String>,
    /// The newest that was seen of each document, by its id: when it was
    /// changed, and the number of records before it.
    documents: HashMap<Box<str>, (Box<str>, usize)>,
}

impl Collector {
    pub(crate) fn new(feed: &'static Feed) -> Self {
        Collector {
            feed,
            drafts: BTreeMap::new(),
            records: 0,
            vectors: Vectors::default(),
            refused: Vec::new(),
            refused_count: 0,
            left_out: BTreeSet::new(),
            documents: HashMap::new(),
        }
    }

    /// Whether a document of an id, changed at a time (RFC 3339, of one zone),
    /// is the newest that was seen. What an older one said is taken back.
    pub(crate) fn is_newest(&mut self, id: &str, date: &str) -> bool {
        match self.documents.get(id) {
            Some((known, _)) if **known >= *date => false,
            _ => {
                let newest = (date.into(), self.records);
                self.documents.insert(id.into(), newest);
                true
            }
        }
    }

    /// Takes a record. Several may bear one id, each about packages of its own.
    pub(crate) fn add(&mut self, record: &OsvRecord) {
        let mut is_taken = false;
        for ecosystem in self.feed.ecosystems {
            if let Some(draft) = Draft::new(record, ecosystem, Prose::Kept) {
                self.drafts
                    .entry(ecosystem)
                    .or_default()
                    .push((self.records, draft));
                is_taken = true;
            }
        }
        self.records += usize::from(is_taken);
        if let Some(other) = record
            .affected
            .iter()
            .find(|one| !self.feed.ecosystems.contains(&base(&one.ecosystem)))
        {
            let why = format!("the feed does not speak of `{}`", other.ecosystem);
            self.refuse(&record.id, why);
        }
    }

    /// Takes the CVSS vectors of a file. Of the files of a feed the newest comes
    /// first: what an older one says of the same CVE is over.
    pub(crate) fn add_vectors(&mut self, older: Vectors) {
        self.vectors.add_older(older);
    }

    /// The shard of vectors by CVE; `None` when there is none.
    pub(super) fn vectors(&mut self) -> Option<Vec<u8>> {
        std::mem::take(&mut self.vectors).finish()
    }

    /// Notes a record that cannot be read, by what it is called in the file.
    pub(crate) fn refuse(&mut self, what: &str, why: impl std::fmt::Display) {
        self.refused_count += 1;
        if self.refused.len() < NAMED {
            let text = format!("{what}: {why}");
            self.refused.push(text.chars().take(REASON_LIMIT).collect());
        }
    }

    /// Notes something that the feed has files for and that is not read, or the
    /// reverse: a gap of every scan that uses the feed. For few, short lines.
    pub(crate) fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out
            .insert(what.into().chars().take(REASON_LIMIT).collect());
    }

    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// Whether neither a record nor a fact was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0 && self.vectors.spoken() == 0
    }

    /// The drafts of each ecosystem, sorted by id (the order of the files is
    /// the publisher's), without those that newer documents take back.
    pub(super) fn drafts(&mut self) -> BTreeMap<&'static str, Vec<Draft>> {
        let documents = &self.documents;
        let is_over = |number: usize, draft: &Draft| {
            let newest = documents.get(&draft.id);
            newest.is_some_and(|(_, before)| number < *before)
        };
        let all = std::mem::take(&mut self.drafts).into_iter();
        all.map(|(ecosystem, drafts)| {
            let valid = drafts
                .into_iter()
                .filter(|(number, draft)| !is_over(*number, draft));
            let mut valid: Vec<Draft> = valid.map(|(_, draft)| draft).collect();
            valid.sort_by(|a, b| a.id.cmp(&b.id));
            (ecosystem, valid)
        })
        .collect()
    }

    /// Records that cannot be read, `WHAT: reason`; at last how many more.
    pub(super) fn refused(&self) -> Vec<String> {
        let mut all = self.refused.clone();
        let more = self.refused_count - self.refused.len();
        if more > 0 {
            all.push(format!("{more} more records"));
        }
        all
    }

    /// What scans have to say of the feed.
    pub(super) fn left_out(&self) -> Vec<String> {
        let mut all: Vec<String> = self.left_out.iter().take(NAMED).cloned().collect();
        let more = self.left_out.len() - all.len();
        if more > 0 {
            all.push(format!("{more} more of its parts are left out"));
        }
        if let Some(first) = self.refused.first() {
            all.push(format!(
                "{} of its records could not be read, the first is {first}",
                self.refused_count
            ));
        }
        all
    }
}
