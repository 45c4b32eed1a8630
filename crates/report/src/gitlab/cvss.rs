//! Which CVSS vectors GitLab takes: those of versions 2, 3.0 and 3.1 in the
//! grammar of its schema (security-report-schemas 15.0.7, `cvss_vectors`). One
//! vector that does not fit would have the whole report refused.

/// Metrics of CVSS 2 and their values (CVSS v2 guide, 2.4 and appendix).
const TWO: [(&[&str], &[&str]); 12] = [
    (&["AV"], &["N", "A", "L"]),
    (&["AC"], &["L", "M", "H"]),
    (&["Au"], &["M", "S", "N"]),
    (&["C", "I", "A"], &["N", "P", "C"]),
    (&["E"], &["U", "POC", "F", "H", "ND"]),
    (&["RL"], &["OF", "TF", "W", "U", "ND"]),
    (&["RC"], &["UC", "UR", "C", "ND"]),
    (&["CDP"], &["N", "L", "LM", "MH", "H", "ND"]),
    (&["TD"], &["N", "L", "M", "H", "ND"]),
    (&["CR"], &["L", "M", "H", "ND"]),
    (&["IR"], &["L", "M", "H", "ND"]),
    (&["AR"], &["L", "M", "H", "ND"]),
];

/// Metrics of CVSS 3.0 and 3.1 and their values (CVSS v3.1, 6).
const THREE: [(&[&str], &[&str]); 16] = [
    (&["AV"], &["N", "A", "L", "P"]),
    (&["AC"], &["L", "H"]),
    (&["PR"], &["N", "L", "H"]),
    (&["UI"], &["N", "R"]),
    (&["S"], &["U", "C"]),
    (&["C", "I", "A"], &["N", "L", "H"]),
    (&["E"], &["X", "U", "P", "F", "H"]),
    (&["RL"], &["X", "O", "T", "W", "U"]),
    (&["RC"], &["X", "U", "R", "C"]),
    (&["CR", "IR", "AR"], &["X", "L", "M", "H"]),
    (&["MAV"], &["X", "N", "A", "L", "P"]),
    (&["MAC"], &["X", "L", "H"]),
    (&["MPR"], &["X", "N", "L", "H"]),
    (&["MUI"], &["X", "N", "R"]),
    (&["MS"], &["X", "U", "C"]),
    (&["MC", "MI", "MA"], &["X", "N", "L", "H"]),
];

/// Bytes of a vector at most.
const LONGEST: usize = 128;

/// Whether GitLab takes this vector.
pub(super) fn is_known(vector: &str) -> bool {
    let three = ["CVSS:3.0/", "CVSS:3.1/"];
    let three = three.iter().find_map(|start| vector.strip_prefix(start));
    let (metrics, known, shortest) = match three {
        Some(metrics) => (metrics, THREE.as_slice(), 32),
        None => (vector, TWO.as_slice(), 16),
    };
    let is_metric = |part: &str| {
        part.split_once(':').is_some_and(|(name, value)| {
            let mut known = known.iter();
            known.any(|(names, values)| names.contains(&name) && values.contains(&value))
        })
    };
    (shortest..=LONGEST).contains(&vector.len()) && metrics.split('/').all(is_metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_two_and_three_are_taken_whole_or_not() {
        for (vector, want) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", true),
            (
                "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O",
                true,
            ),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", true),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P/E:POC/RL:OF/RC:C", true),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                false,
            ),
            ("CVSS:3.1/AV:N", false),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/", false),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:C", false),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n", false),
            ("", false),
        ] {
            assert_eq!(is_known(vector), want, "{vector}");
        }
    }
}
