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
}
