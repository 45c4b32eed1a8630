//! Enough of DER (ITU-T X.690) to tell a private key from other bytes.

/// One element: its tag, its content and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7F);
            let (digits, rest) = rest.split_at_checked(count)?;
            let length = digits
                .iter()
                .fold(0usize, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;

/// Whether these bytes are one private key: PKCS #1 (RFC 8017, A.1.2), PKCS #8
/// (RFC 5958), SEC 1 (RFC 5915), or OpenSSL's DSA.
pub(crate) fn is_private_key(bytes: &[u8]) -> bool {
    let is_key = || {
        let (tag, inner, rest) = element(bytes)?;
        let (version, number, next) = element(inner)?;
        let starts_well =
            tag == SEQUENCE && version == INTEGER && number.len() == 1 && rest.len() < 16;
        let (tag, content, _) = element(next)?;
        Some(starts_well && (matches!(tag, INTEGER | SEQUENCE | OCTETS)) && content.len() >= 5)
    };
    is_key().unwrap_or(false)
}

/// Whether these bytes are an encrypted private key (RFC 5958, section 3).
pub(crate) fn is_encrypted_key(bytes: &[u8]) -> bool {
    let is_key = || {
        let (tag, inner, _) = element(bytes)?;
        let (algorithm, _, next) = element(inner)?;
        let (data, content, _) = element(next)?;
        Some(tag == SEQUENCE && algorithm == SEQUENCE && data == OCTETS && content.len() >= 32)
    };
    is_key().unwrap_or(false)
}
