//! An identity for a finding that survives edits.

use std::fmt;

/// An identity for a finding that survives edits of the target: made of the
/// rule, the path and the symbolic route or the package and CVE, never of a
/// line number or a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// Hashes `parts` in order. 128-bit FNV-1a (draft-eastlake-fnv, section
    /// 2): an identity, not a protection against forgery, and stable forever.
    pub fn of(parts: &[&str]) -> Self {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
        const BASIS: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
        let step = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        let hash = parts.iter().fold(BASIS, |hash, part| {
            // A separator that no part can hold keeps ("ab", "c") and
            // ("a", "bc") apart.
            step(part.bytes().fold(hash, step), 0xFF)
        });
        Fingerprint(hash)
    }

    /// Reads what [`fmt::Display`] writes: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(Fingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(Fingerprint::of(&["ab", "c"]), Fingerprint::of(&["a", "bc"]));
        assert_eq!(Fingerprint::of(&["a"]), Fingerprint::of(&["a"]));
        assert_eq!(Fingerprint::of(&["a"]).to_string().len(), 32);
    }

    #[test]
    fn what_is_written_reads_back() {
        let print = Fingerprint::of(&["a", "b"]);
        assert_eq!(Fingerprint::parse(&print.to_string()), Some(print));
        let small = format!("{:031}1", 0);
        assert_eq!(Fingerprint::parse(&small).unwrap().to_string(), small);
        for wrong in ["", "1", &"+".repeat(32), &"A".repeat(32), &"é".repeat(16)] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
    }
}
