//! Versions to compare, and tools to compare them with.

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    fs,
    io::{BufReader, Write as _},
    process::{Command, Stdio},
};

pub(crate) use seawall_testkit::{have, shared, skip};
use seawall_versions::Scheme;

/// Every version in the advisories of an ecosystem, ranges and lists.
pub(crate) fn advisories(ecosystem: &str) -> BTreeSet<String> {
    let mut versions = BTreeSet::new();
    let Some(path) = shared(&format!("advisories/{ecosystem}/all.zip")) else {
        return versions;
    };
    let mut archive = zip::ZipArchive::new(BufReader::new(fs::File::open(path).unwrap())).unwrap();
    let strings = |value: &serde_json::Value| -> Vec<String> {
        let list = value.as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect()
    };
    for index in 0..archive.len() {
        let entry = archive.by_index(index).unwrap();
        let record: serde_json::Value = serde_json::from_reader(BufReader::new(entry)).unwrap();
        for affected in record["affected"].as_array().into_iter().flatten() {
            versions.extend(strings(&affected["versions"]));
            for range in affected["ranges"].as_array().into_iter().flatten() {
                if range["type"] == "GIT" {
                    continue;
                }
                for event in range["events"].as_array().into_iter().flatten() {
                    let values = event
                        .as_object()
                        .into_iter()
                        .flat_map(|event| event.values());
                    versions.extend(values.filter_map(|value| value.as_str().map(str::to_owned)));
                }
            }
        }
    }
    // Tools read them line by line, with tabs between.
    versions.retain(|version| !version.contains(['\n', '\t']) && !version.is_empty());
    versions
}

/// A source of numbers that is the same in every run (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Small, so that versions come close to each other.
    pub(crate) fn number(&mut self) -> String {
        self.pick(&["0", "1", "2", "3", "9", "10", "11", "99", "100", "2024"])
            .to_owned()
    }

    /// `from` to `to` numbers with dots between them.
    pub(crate) fn numbers(&mut self, from: usize, to: usize) -> String {
        let count = from + self.below(to - from + 1);
        (0..count)
            .map(|_| self.number())
            .collect::<Vec<_>>()
            .join(".")
    }

    /// Sometimes what `make` makes.
    pub(crate) fn maybe(&mut self, make: impl FnOnce(&mut Dice) -> String) -> String {
        if self.below(2) == 0 {
            make(self)
        } else {
            String::new()
        }
    }
}

/// `count` different versions of a grammar.
pub(crate) fn generate(
    seed: u64,
    count: usize,
    mut grammar: impl FnMut(&mut Dice) -> String,
) -> BTreeSet<String> {
    let mut dice = Dice::new(seed);
    let mut versions = BTreeSet::new();
    for _ in 0..count * 20 {
        if versions.len() == count {
            break;
        }
        versions.insert(grammar(&mut dice));
    }
    versions
}

/// All neighbours in the order of `scheme`, which decide the whole order, and
/// `more` pairs at random.
pub(crate) fn pairs(
    scheme: &Scheme,
    versions: &BTreeSet<String>,
    more: usize,
) -> Vec<(String, String)> {
    let mut sorted: Vec<&String> = versions.iter().collect();
    sorted.sort_by(|a, b| (scheme.compare)(a, b));
    let neighbours = sorted
        .windows(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()));
    let mut pairs: Vec<_> = neighbours.collect();
    let mut dice = Dice::new(more as u64);
    for _ in 0..more {
        let (a, b) = (dice.below(sorted.len()), dice.below(sorted.len()));
        // Half of them far apart, half close.
        let b = if dice.below(2) == 0 {
            b
        } else {
            (a + b % 50).min(sorted.len() - 1)
        };
        pairs.push((sorted[b].clone(), sorted[a].clone()));
    }
    pairs
}

/// Runs a program once, with lines on its standard input; its lines.
pub(crate) fn ask(command: &mut Command, input: &str) -> Vec<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Written beside reading: neither pipe may fill up.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer
        .join()
        .unwrap()
        .expect("the tool reads all of its input");
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The pairs as a tool gets them: a line each, a tab between.
pub(crate) fn lines(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect()
}

/// Compares the answers of a tool (`-1`, `0`, `1`, or `?` where it refuses one
/// of the two) with ours. `least` is how many it must have answered.
pub(crate) fn agree(scheme: &Scheme, pairs: &[(String, String)], answers: &[String], least: usize) {
    assert_eq!(pairs.len(), answers.len(), "one answer for each pair");
    let mut answered = 0;
    let mut wrong = Vec::new();
    for ((a, b), answer) in pairs.iter().zip(answers) {
        let expected = match answer.trim() {
            "?" => continue,
            "0" => Ordering::Equal,
            "-1" => Ordering::Less,
            "1" => Ordering::Greater,
            other => panic!("`{a}` and `{b}`: the tool says `{other}`"),
        };
        answered += 1;
        let ours = (scheme.compare)(a, b);
        let is_valid = (scheme.is_valid)(a) && (scheme.is_valid)(b);
        if ours != expected || !is_valid {
            wrong.push(format!(
                "`{a}` `{b}`: tool {expected:?}, we {ours:?}, valid {is_valid}"
            ));
        }
    }
    let name = scheme.name;
    assert!(
        wrong.is_empty(),
        "{name}: {} of {answered} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
    assert!(
        answered >= least,
        "{name}: only {answered} of {} answered",
        pairs.len()
    );
    eprintln!("{name}: {answered} pairs agree");
}

/// The scheme of an OSV ecosystem.
pub(crate) fn scheme(ecosystem: &str) -> &'static Scheme {
    seawall_versions::by_osv(ecosystem).expect("the ecosystem is served")
}
