//! Advisory records as the matcher sees them: borrowed from a shard.

/// One advisory, without the packages it affects. Borrowed from the shard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record<'a> {
    /// The record's own id: `GHSA-…`, `PYSEC-…`, `DSA-…`, `ALPINE-CVE-…`.
    pub id: &'a str,
    /// Other ids of the very same flaw, closed transitively over all records
    /// of the ecosystem at build time; without the record's own id; sorted.
    pub aliases: Vec<&'a str>,
    /// Flaws that this advisory is about, for a distribution's advisory: the
    /// CVEs of OSV's `upstream`, and of `related` where the publisher puts them
    /// there (AlmaLinux).
    pub upstream: Vec<&'a str>,
    /// What kind of record.
    pub kind: RecordKind,
    /// Whether the publisher withdrew it.
    pub withdrawn: bool,
    /// RFC 3339, or empty.
    pub published: &'a str,
    /// RFC 3339, or empty.
    pub modified: &'a str,
    /// CVSS vectors of the record, as written.
    pub cvss: Vec<&'a str>,
    /// The publisher's own word, lower case: `important`, `moderate`, `high`; or empty.
    pub vendor_severity: &'a str,
    /// Module streams that the advisory is about, `name:stream`, in the record's
    /// order: AlmaLinux names them in the title only (`Moderate: httpd:2.4
    /// security update`), so they are read out of it when the database is built.
    pub modules: Vec<&'a str>,
    /// One line of prose; empty in the starter database.
    pub summary: &'a str,
}

/// What an advisory warns of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum RecordKind {
    /// A flaw.
    #[default]
    Vulnerability,
    /// A package made to do harm.
    Malicious,
    /// Nobody looks after the package any more (RustSec `unmaintained`).
    Unmaintained,
    /// Memory-unsafe through its safe interface (RustSec `unsound`).
    Unsound,
    /// For information only (RustSec `notice`).
    Notice,
}

/// One `affected` entry of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Affected<'a> {
    /// Package name as written in the record.
    pub name: &'a str,
    /// Version ranges, in the record's order. `GIT` ranges are left out.
    pub ranges: Vec<Range<'a>>,
    /// Single versions that are affected.
    pub versions: Vec<&'a str>,
    /// What the publisher says of it beyond the ranges: a state word such as
    /// `not-affected`, `end-of-life`, `unfixed`, `no-dsa`; or empty.
    pub state: &'a str,
    /// The publisher's severity for this entry (Debian's urgency, Ubuntu's
    /// priority), lower case; or empty.
    pub severity: &'a str,
    /// The module stream that this entry alone is about, `name:stream`; or
    /// empty. A publisher's record of one flaw speaks of all streams.
    pub module: &'a str,
    /// The advisory that this entry is from, where the record is of a flaw and
    /// each release has an advisory of its own (`RHSA-2024:5999`); or empty.
    pub advisory: &'a str,
    /// The processor architectures that this entry alone is about, with `|`
    /// between them; or empty. Oracle's builds for two of them may differ.
    pub arch: &'a str,
}

/// One range: events in the record's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Range<'a> {
    /// Whether the record calls it `SEMVER` (else `ECOSYSTEM`).
    pub semver: bool,
    /// The events.
    pub events: Vec<Event<'a>>,
}

/// One event of a range (OSV schema, `affected[].ranges[].events`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// First affected version; `0` is before every version.
    Introduced(&'a str),
    /// First version that is not affected any more.
    Fixed(&'a str),
    /// Last affected version.
    LastAffected(&'a str),
    /// Nothing is known from this version on.
    Limit(&'a str),
}
