//! Digests as lock files write them.

use base64::{Engine, prelude::BASE64_STANDARD};
use seawall_model::{Hash, HashAlgorithm};

/// The digests of a value of Subresource Integrity (W3C, "Subresource
/// Integrity", 3.5): `sha512-BASE64`, several of them between spaces.
pub(crate) fn integrity(text: &str) -> Vec<Hash> {
    let one = |word: &str| {
        let (name, digest) = word.split_once('-')?;
        let mut all = HashAlgorithm::ALL.into_iter();
        let algorithm = all.find(|one| one.as_str() == name)?;
        // Options may follow.
        base64(algorithm, digest.split('?').next()?)
    };
    text.split_whitespace().filter_map(one).collect()
}

/// A digest in Base64 (RFC 4648, 4).
pub(crate) fn base64(algorithm: HashAlgorithm, text: &str) -> Option<Hash> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(nibble.into(), 16));
        }
        hex
    });
    Hash::new(algorithm, &hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests of nothing and of `abc` (RFC 6234), as `openssl dgst -binary |
    /// base64` writes them.
    #[test]
    fn digests_of_both_forms_are_one() {
        let sha1 = "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=";
        let sha256 = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let found = integrity(&format!("{sha1}  {sha256}?x md4-AAAA sha512-short"));
        let hex: Vec<String> = found.iter().map(Hash::to_string).collect();
        assert_eq!(
            hex,
            [
                "sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ]
        );
        assert_eq!(integrity("sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J!="), []);
    }
}
