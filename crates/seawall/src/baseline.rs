//! The earlier report that a scan is compared with.

use std::{fs, io::Read, path::Path};

use anyhow::Result;
use seawall_model::{Earlier, EarlierFinding, Fingerprint, Report};
use seawall_policy::Scope;
use seawall_report::ReadError;

use crate::{
    errors::{explained, hinted},
    printer::Printer,
};

/// Bytes of a report: one of a hundred thousand findings has 150 MiB.
const LIMIT: u64 = 512 << 20;

const HINT: &str = "a baseline is written by `seawall scan --format json --output FILE`";

/// Reads the report at `path`.
pub(crate) fn load(path: &Path) -> Result<Earlier> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(explained(
            error,
            format!("cannot read the baseline `{shown}`"),
            HINT,
        ));
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LIMIT) {
        return Err(hinted(
            format!("the baseline `{shown}` has more than {LIMIT} bytes"),
            HINT,
        ));
    }
    seawall_report::earlier(&bytes).map_err(|error| {
        let hint = match &error {
            ReadError::Schema(_) => "write the baseline anew with this release of Seawall",
            _ => HINT,
        };
        explained(error, format!("cannot use `{shown}` as the baseline"), hint)
    })
}

/// What a run looked for.
pub(crate) struct Asked {
    /// Flaws of packages, and what is said of distributions.
    pub(crate) vulnerabilities: bool,
    /// Secrets in files.
    pub(crate) secrets: bool,
    /// What a policy says of licences.
    pub(crate) licenses: bool,
    /// Flaws that no version mends are left out.
    pub(crate) ignore_unfixed: bool,
    /// The chance of exploitation that fails the run.
    pub(crate) epss: Option<f64>,
}

impl Asked {
    fn is_looked_for(&self, one: &EarlierFinding) -> bool {
        match one.rule.split_once('/').map(|(surface, _)| surface) {
            Some("secret") => self.secrets,
            Some("license") => self.licenses,
            Some("package") => self.vulnerabilities && (one.fixable || !self.ignore_unfixed),
            _ => self.vulnerabilities,
        }
    }
}

/// Leaves what `earlier` knows out of `report`, and says what became of it.
/// `hidden` are findings that are there, but left out for another reason.
pub(crate) fn apply(
    report: &mut Report,
    (earlier, path): (&Earlier, &Path),
    asked: &Asked,
    hidden: &[(usize, Fingerprint)],
    printer: &Printer,
) {
    let scope = Scope {
        is_looked_for: &|one| asked.is_looked_for(one),
        hidden,
        epss: asked.epss,
        ecosystem: seawall_advisories::language,
    };
    let compared = seawall_policy::compare(report, earlier, &scope);
    let shown = path.display();
    if let (Some(other), Some(own)) = (compared.other, report.targets.first()) {
        printer.warning(&format!(
            "the baseline `{shown}` is of `{other}`, not of `{}`",
            own.name
        ));
    }
    for name in compared
        .strangers
        .iter()
        .filter_map(|at| report.targets.get(*at))
    {
        printer.warning(&format!(
            "the baseline `{shown}` has no target `{}`: everything in it counts as new",
            name.name
        ));
    }
    let Some(baseline) = &report.baseline else {
        return;
    };
    let mut text = format!(
        "the baseline `{shown}` knows {} of the findings; {} of its {} are gone",
        baseline.known.len(),
        baseline.gone.len(),
        baseline.findings
    );
    if !baseline.worse.is_empty() {
        text += &format!("; {} worse than before", baseline.worse.len());
    }
    if baseline.unseen > 0 {
        text += &format!(
            "; {} were not looked for or could not be seen",
            baseline.unseen
        );
    }
    printer.note(&text);
}
