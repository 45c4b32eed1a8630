//! Keys and signatures in minisign's formats (jedisct1.github.io/minisign,
//! «Signature format», «Public key format», «Secret key format»), so that the
//! `minisign` program can check what we sign and make the keys.
//!
//! Signatures are the prehashed kind (`ED`, over BLAKE2b-512 of the content)
//! and deterministic; the older kind over the content itself is refused.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use blake2::{Blake2b512, digest::Digest as _};
use ring::{
    rand::{SecureRandom as _, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};

const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";
/// Of keys, and of signatures over the content itself.
const PLAIN: &[u8; 2] = b"Ed";
const PREHASHED: &[u8; 2] = b"ED";
const SCRYPT: &[u8; 2] = b"Sc";
const NO_PASSWORD: &[u8; 2] = &[0, 0];
const BLAKE2B: &[u8; 2] = b"B2";
/// What the password hides: key id, secret and public key, checksum.
const HIDDEN: usize = 8 + 64 + 32;
const SECRET: usize = 2 + 2 + 2 + 32 + 8 + 8 + HIDDEN;
/// The limits that minisign writes into new keys: 1 GiB.
const OPERATIONS: u64 = 1 << 25;
const MEMORY: u64 = 1 << 30;
/// Memory that a key may ask for.
const MEMORY_LIMIT: u64 = 2 << 30;

/// Why a key or a signature is none, or does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not in the format.
    #[error("this is no {what} of minisign: {why}")]
    Malformed {
        /// `public key`, `secret key` or `signature`.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The secret key has a password, and none was given.
    #[error("the secret key has a password, and none was given")]
    PasswordNeeded,
    /// The password does not open the secret key.
    #[error("this is not the password of the secret key, or the key is damaged")]
    WrongPassword,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
    /// A signature of another key.
    #[error("it is signed by the key {signed}, not by {wanted}")]
    OtherKey {
        /// Id of the key that signed.
        signed: KeyId,
        /// Id of the key that should have.
        wanted: KeyId,
    },
    /// The signature does not fit the content, or its comment.
    #[error("the signature does not fit {0}")]
    Wrong(&'static str),
}

/// The id of a key, shown as minisign does: `E7620F1842B4E81F`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

fn malformed(what: &'static str, why: impl Into<String>) -> KeyError {
    let why = why.into();
    KeyError::Malformed { what, why }
}

/// The bytes behind one line of base64.
fn decode<const LENGTH: usize>(line: &str, what: &'static str) -> Result<[u8; LENGTH], KeyError> {
    let bytes = STANDARD
        .decode(line.trim())
        .map_err(|error| malformed(what, error.to_string()))?;
    let length = bytes.len();
    bytes
        .try_into()
        .map_err(|_| malformed(what, format!("it has {length} bytes instead of {LENGTH}")))
}

/// The part of `bytes` from `at` on; all layouts here are of fixed length.
fn part<const LENGTH: usize>(bytes: &[u8], at: usize) -> [u8; LENGTH] {
    let found = bytes
        .get(at..at + LENGTH)
        .and_then(|one| one.try_into().ok());
    found.unwrap_or([0; LENGTH])
}

/// The line of a key: of a file with a comment before it, or alone.
fn key_line(text: &str) -> &str {
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default();
    match first.starts_with("untrusted comment:") {
        true => lines.next().unwrap_or_default(),
        false => first,
    }
}

/// A key that checks signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    key: [u8; 32],
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({})", self.id)
    }
}

impl PublicKey {
    /// Reads the line of base64 that minisign shows, or the file that it
    /// writes.
    ///
    /// # Errors
    /// When it is no public key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        const WHAT: &str = "public key";
        let bytes: [u8; 42] = decode(key_line(text), WHAT)?;
        if !bytes.starts_with(PLAIN) {
            return Err(malformed(WHAT, "it is for another algorithm"));
        }
        Ok(PublicKey {
            id: KeyId(part(&bytes, 2)),
            key: part(&bytes, 10),
        })
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// One line of base64.
    pub fn to_line(&self) -> String {
        STANDARD.encode([&PLAIN[..], &self.id.0, &self.key].concat())
    }

    /// The file that minisign writes.
    pub fn to_file(&self) -> String {
        let (id, line) = (self.id, self.to_line());
        format!("{UNTRUSTED}minisign public key {id}\n{line}\n")
    }

    /// Checks the text of a `.minisig` file against the content that it is
    /// for; gives its trusted comment.
    ///
    /// # Errors
    /// When it is no signature, of another key, or does not fit.
    pub fn verify(&self, content: &[u8], signature: &str) -> Result<String, KeyError> {
        let (own, comment, over_comment) = self.read(signature)?;
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(&Blake2b512::digest(content), &own)
            .map_err(|_| KeyError::Wrong("the content"))?;
        self.check_comment(&own, comment, &over_comment)
    }

    /// The trusted comment of a signature, checked; whether that fits any
    /// content is not.
    ///
    /// # Errors
    /// When it is no signature, of another key, or does not fit its comment.
    pub fn comment(&self, signature: &str) -> Result<String, KeyError> {
        let (own, comment, over_comment) = self.read(signature)?;
        self.check_comment(&own, comment, &over_comment)
    }

    fn check_comment(
        &self,
        own: &[u8; 64],
        comment: &str,
        over_comment: &[u8; 64],
    ) -> Result<String, KeyError> {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(&[&own[..], comment.as_bytes()].concat(), over_comment)
            .map_err(|_| KeyError::Wrong("its comment"))?;
        Ok(comment.to_owned())
    }

    /// The parts of a signature of this key: over the content, the comment, over
    /// both.
    fn read<'s>(&self, signature: &'s str) -> Result<([u8; 64], &'s str, [u8; 64]), KeyError> {
        const WHAT: &str = "signature";
        let mut lines = signature.lines();
        let mut line = || lines.next().unwrap_or_default();
        if !line().starts_with(UNTRUSTED.trim_end()) {
            return Err(malformed(WHAT, "it does not begin with a comment"));
        }
        let signed: [u8; 74] = decode(line(), WHAT)?;
        let comment = line()
            .strip_prefix(TRUSTED)
            .ok_or_else(|| malformed(WHAT, "it has no trusted comment"))?;
        let over_comment: [u8; 64] = decode(line(), WHAT)?;
        if signed.starts_with(PLAIN) {
            let why = "it is over the content itself: sign with `minisign -SH`";
            return Err(malformed(WHAT, why));
        }
        if !signed.starts_with(PREHASHED) {
            return Err(malformed(WHAT, "it is of another algorithm"));
        }
        let by = KeyId(part(&signed, 2));
        if by != self.id {
            return Err(KeyError::OtherKey {
                signed: by,
                wanted: self.id,
            });
        }
        Ok((part(&signed, 10), comment, over_comment))
    }
}

/// A key that signs.
pub struct SecretKey {
    id: KeyId,
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl SecretKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let (mut id, mut seed) = ([0; 8], [0; 32]);
        random.fill(&mut id).map_err(|_| KeyError::NoRandom)?;
        random.fill(&mut seed).map_err(|_| KeyError::NoRandom)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
        let pair = pair.map_err(|error| malformed("secret key", error.to_string()))?;
        Ok(SecretKey {
            id: KeyId(id),
            seed,
            pair,
        })
    }

    /// Whether the text of a secret key needs a password.
    ///
    /// # Errors
    /// When it is no secret key.
    pub fn needs_password(text: &str) -> Result<bool, KeyError> {
        let bytes: [u8; SECRET] = decode(key_line(text), "secret key")?;
        Ok(part::<2>(&bytes, 2) != *NO_PASSWORD)
    }

    /// Reads the file that minisign writes.
    ///
    /// # Errors
    /// When it is no secret key, or the password is missing or wrong.
    pub fn parse(text: &str, password: Option<&str>) -> Result<Self, KeyError> {
        const WHAT: &str = "secret key";
        let bytes: [u8; SECRET] = decode(key_line(text), WHAT)?;
        if !bytes.starts_with(PLAIN) || part::<2>(&bytes, 4) != *BLAKE2B {
            return Err(malformed(WHAT, "it is for another algorithm"));
        }
        let mut hidden: [u8; HIDDEN] = part(&bytes, 54);
        match &part::<2>(&bytes, 2) {
            NO_PASSWORD => {}
            SCRYPT => {
                let password = password.ok_or(KeyError::PasswordNeeded)?;
                let number = |at| u64::from_le_bytes(part(&bytes, at));
                let salt: [u8; 32] = part(&bytes, 6);
                hide(&mut hidden, password, &salt, number(38), number(46))?;
            }
            _ => return Err(malformed(WHAT, "its password is of another algorithm")),
        }
        let (id, secret): ([u8; 8], [u8; 64]) = (part(&hidden, 0), part(&hidden, 8));
        let sum: [u8; 32] = part(&hidden, 72);
        let is_open = part::<2>(&bytes, 2) == *NO_PASSWORD;
        // minisign leaves it out of keys without a password; that their halves
        // belong together is seen below.
        if !(is_open && sum == [0; 32]) && checksum(&id, &secret) != sum {
            return Err(match is_open {
                true => malformed(WHAT, "its checksum is wrong"),
                false => KeyError::WrongPassword,
            });
        }
        let (seed, public): ([u8; 32], [u8; 32]) = (part(&secret, 0), part(&secret, 32));
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public);
        Ok(SecretKey {
            id: KeyId(id),
            seed,
            pair: pair.map_err(|error| malformed(WHAT, error.to_string()))?,
        })
    }

    /// The file that minisign reads, with a password unless that is empty.
    ///
    /// # Errors
    /// When the system gives no random numbers, or not the memory that a
    /// password takes.
    pub fn to_file(&self, password: &str) -> Result<String, KeyError> {
        let public = self.public();
        let secret: [u8; 64] = part(&[self.seed, public.key].concat(), 0);
        let sum = checksum(&self.id.0, &secret);
        let mut hidden: [u8; HIDDEN] = part(&[&self.id.0[..], &secret, &sum].concat(), 0);
        let (mut salt, mut limits, mut algorithm) = ([0; 32], [0, 0], NO_PASSWORD);
        if !password.is_empty() {
            let random = SystemRandom::new();
            random.fill(&mut salt).map_err(|_| KeyError::NoRandom)?;
            (limits, algorithm) = ([OPERATIONS, MEMORY], SCRYPT);
            hide(&mut hidden, password, &salt, OPERATIONS, MEMORY)?;
        }
        let [operations, memory] = limits.map(u64::to_le_bytes);
        let bytes = [
            &PLAIN[..],
            algorithm,
            BLAKE2B,
            &salt,
            &operations,
            &memory,
            &hidden,
        ]
        .concat();
        let (id, line) = (self.id, STANDARD.encode(bytes));
        Ok(format!("{UNTRUSTED}minisign secret key {id}\n{line}\n"))
    }

    /// The key that checks its signatures.
    pub fn public(&self) -> PublicKey {
        PublicKey {
            id: self.id,
            key: part(self.pair.public_key().as_ref(), 0),
        }
    }

    /// The `.minisig` file for a content; the same for the same.
    pub fn sign(&self, content: &[u8], trusted_comment: &str) -> String {
        let own = self.pair.sign(&Blake2b512::digest(content));
        let both = [own.as_ref(), trusted_comment.as_bytes()].concat();
        let over_comment = STANDARD.encode(self.pair.sign(&both));
        let signed = STANDARD.encode([&PREHASHED[..], &self.id.0, own.as_ref()].concat());
        let id = self.id;
        format!(
            "{UNTRUSTED}signature of the minisign key {id}\n{signed}\n\
             {TRUSTED}{trusted_comment}\n{over_comment}\n"
        )
    }
}

fn checksum(id: &[u8; 8], secret: &[u8; 64]) -> [u8; 32] {
    use blake2::{Blake2b, digest::consts::U32};
    let mut hasher = Blake2b::<U32>::new();
    hasher.update(PLAIN);
    hasher.update(id);
    hasher.update(secret);
    hasher.finalize().into()
}

/// Adds the stream that scrypt makes of a password, as libsodium's
/// `crypto_pwhash_scryptsalsa208sha256` does; twice is not at all.
fn hide(
    hidden: &mut [u8; HIDDEN],
    password: &str,
    salt: &[u8; 32],
    operations: u64,
    memory: u64,
) -> Result<(), KeyError> {
    const BLOCK: u64 = 8;
    if memory > MEMORY_LIMIT {
        let why = format!("its password takes more than {MEMORY_LIMIT} bytes of memory");
        return Err(malformed("secret key", why));
    }
    let operations = operations.max(32_768);
    // The least power of two above half of the most.
    let cost = |most: u64| (1..63).find(|log| 1u64 << log > most / 2).unwrap_or(63);
    let (log, lanes) = if operations < memory / 32 {
        (cost(operations / (BLOCK * 4)), 1)
    } else {
        let log = cost(memory / (BLOCK * 128));
        (log, ((operations / 4) >> log).min(0x3FFF_FFFF) / BLOCK)
    };
    let bad = || malformed("secret key", "its password has limits that make no sense");
    let lanes = u32::try_from(lanes)
        .ok()
        .filter(|lanes| (1..=64).contains(lanes));
    let params = scrypt::Params::new(log, BLOCK as u32, lanes.ok_or_else(bad)?);
    let mut stream = [0; HIDDEN];
    scrypt::scrypt(
        password.as_bytes(),
        salt,
        &params.map_err(|_| bad())?,
        &mut stream,
    )
    .map_err(|_| bad())?;
    for (byte, other) in hidden.iter_mut().zip(stream) {
        *byte ^= other;
    }
    Ok(())
}
