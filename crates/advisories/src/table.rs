//! The file format of the database: sorted keys, each with values, made to be
//! mapped into memory and read in place.
//!
//! ```text
//! header    64 bytes: magic, format, counts, offsets
//! values    every value with its length in 32 bits before it, and all keys
//! keys      for each key its offset, its length, its first slot and how many
//! slots     offsets of values
//! checksums one xxh3 of 64 bits for each block of 16 KiB of all before
//! ```
//!
//! Numbers are little-endian. A block is checked when it is first touched, so
//! that opening costs nothing, and damage is found before it is believed.

use std::sync::atomic::{AtomicU64, Ordering};

use seawall_sys::OwnFileMap;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"SEATABL1";
const HEADER: usize = 64;
const BLOCK: usize = 16 << 10;
/// Key offset, key length, first slot, number of slots.
const KEY: usize = 16;

/// Writes a table.
#[derive(Default)]
pub(crate) struct Writer {
    values: Vec<u8>,
    keys: Vec<(String, u32)>,
}

impl Writer {
    /// Adds a value and gives its handle.
    pub(crate) fn value(&mut self, bytes: &[u8]) -> u32 {
        let at = (HEADER + self.values.len()) as u32;
        self.values
            .extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.values.extend_from_slice(bytes);
        at
    }

    /// Lets `key` lead to a value.
    pub(crate) fn key(&mut self, key: impl Into<String>, value: u32) {
        self.keys.push((key.into(), value));
    }

    /// The file.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.keys.sort();
        self.keys.dedup();
        let mut texts: Vec<(u32, u32, u32, u32)> = Vec::new();
        let mut slots: Vec<u32> = Vec::new();
        let mut last: Option<&str> = None;
        for (key, value) in &self.keys {
            if last != Some(key) {
                let at = (HEADER + self.values.len()) as u32;
                self.values.extend_from_slice(key.as_bytes());
                texts.push((at, key.len() as u32, slots.len() as u32, 0));
                last = Some(key);
            }
            slots.push(*value);
            if let Some(text) = texts.last_mut() {
                text.3 += 1;
            }
        }
        let mut file = Vec::with_capacity(HEADER + self.values.len() * 5 / 4);
        let keys_at = HEADER + self.values.len();
        let slots_at = keys_at + texts.len() * KEY;
        let end = slots_at + slots.len() * 4;
        file.extend_from_slice(MAGIC);
        for number in [texts.len(), slots.len(), keys_at, slots_at, end] {
            file.extend_from_slice(&(number as u64).to_le_bytes());
        }
        file.resize(HEADER, 0);
        file.extend_from_slice(&self.values);
        for (at, length, first, count) in texts {
            for number in [at, length, first, count] {
                file.extend_from_slice(&number.to_le_bytes());
            }
        }
        for slot in slots {
            file.extend_from_slice(&slot.to_le_bytes());
        }
        let checksums: Vec<u8> = file
            .chunks(BLOCK)
            .flat_map(|block| xxh3_64(block).to_le_bytes())
            .collect();
        file.extend(checksums);
        file
    }
}

/// Where a table's bytes are.
pub(crate) enum Bytes {
    Map(OwnFileMap),
    Memory(Vec<u8>),
}

impl Bytes {
    fn get(&self) -> &[u8] {
        match self {
            Bytes::Map(map) => map,
            Bytes::Memory(bytes) => bytes,
        }
    }
}

/// A table that is read in place.
pub(crate) struct Table {
    bytes: Bytes,
    keys: usize,
    slots: usize,
    keys_at: usize,
    slots_at: usize,
    end: usize,
    /// One bit a block: whether its checksum was seen to fit.
    checked: Vec<AtomicU64>,
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) String);

impl Table {
    pub(crate) fn open(bytes: Bytes) -> Result<Self, Damage> {
        let damage = |what: &str| Damage(what.to_owned());
        let all = bytes.get();
        let header = all.get(..HEADER).ok_or_else(|| damage("it is too short"))?;
        if !header.starts_with(MAGIC) {
            return Err(damage("it is of another format"));
        }
        let number = |index: usize| -> Option<usize> {
            let at = 8 + index * 8;
            let bytes = header.get(at..at + 8)?.try_into().ok()?;
            usize::try_from(u64::from_le_bytes(bytes)).ok()
        };
        let numbers: Option<Vec<usize>> = (0..5).map(number).collect();
        let Some([keys, slots, keys_at, slots_at, end]) = numbers.as_deref() else {
            return Err(damage("its header is damaged"));
        };
        let fits = |from: usize, count: usize, size: usize, to: usize| {
            count
                .checked_mul(size)
                .and_then(|length| from.checked_add(length))
                == Some(to)
        };
        let blocks = end.div_ceil(BLOCK);
        let is_whole = fits(*keys_at, *keys, KEY, *slots_at)
            && fits(*slots_at, *slots, 4, *end)
            && fits(*end, blocks, 8, all.len())
            && *keys_at >= HEADER;
        if !is_whole {
            return Err(damage("its header does not fit its length"));
        }
        let checked = (0..blocks.div_ceil(64))
            .map(|_| AtomicU64::new(0))
            .collect();
        let (keys, slots, keys_at, slots_at, end) = (*keys, *slots, *keys_at, *slots_at, *end);
        let table = Table {
            bytes,
            keys,
            slots,
            keys_at,
            slots_at,
            end,
            checked,
        };
        table.at(0, HEADER)?;
        Ok(table)
    }

    /// Bytes that were checked.
    fn at(&self, from: usize, length: usize) -> Result<&[u8], Damage> {
        let to = from.checked_add(length).filter(|to| *to <= self.end);
        let to = to.ok_or_else(|| Damage("an offset lies outside of it".to_owned()))?;
        if length > 0 {
            for block in from / BLOCK..=(to - 1) / BLOCK {
                self.check(block)?;
            }
        }
        Ok(self.bytes.get().get(from..to).unwrap_or_default())
    }

    fn check(&self, block: usize) -> Result<(), Damage> {
        let (word, bit) = (self.checked.get(block / 64), 1u64 << (block % 64));
        let Some(word) = word else { return Ok(()) };
        if word.load(Ordering::Relaxed) & bit != 0 {
            return Ok(());
        }
        let all = self.bytes.get();
        let from = block * BLOCK;
        let content = all
            .get(from..self.end.min(from + BLOCK))
            .unwrap_or_default();
        let at = self.end + block * 8;
        let sum: Option<[u8; 8]> = all.get(at..at + 8).and_then(|sum| sum.try_into().ok());
        if sum.map(u64::from_le_bytes) != Some(xxh3_64(content)) {
            return Err(Damage(format!("block {block} has a wrong checksum")));
        }
        word.fetch_or(bit, Ordering::Relaxed);
        Ok(())
    }

    /// The value behind a handle.
    pub(crate) fn value(&self, handle: u32) -> Result<&[u8], Damage> {
        let from = usize::try_from(handle).unwrap_or(usize::MAX);
        let length = self
            .at(from, 4)?
            .try_into()
            .map(u32::from_le_bytes)
            .unwrap_or(0);
        self.at(from + 4, usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn key(&self, index: usize) -> Result<(&[u8], usize, usize), Damage> {
        let entry = self.at(self.keys_at + index * KEY, KEY)?;
        let number = |at: usize| {
            let bytes = entry
                .get(at..at + 4)
                .and_then(|bytes| bytes.try_into().ok());
            usize::try_from(u32::from_le_bytes(bytes.unwrap_or_default())).unwrap_or(0)
        };
        Ok((self.at(number(0), number(4))?, number(8), number(12)))
    }

    /// Handles of the values of `key`.
    pub(crate) fn find(&self, key: &str) -> Result<Vec<u32>, Damage> {
        let (mut low, mut high) = (0, self.keys);
        while low < high {
            let middle = low + (high - low) / 2;
            let (own, first, count) = self.key(middle)?;
            match own.cmp(key.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.handles(first, count),
            }
        }
        Ok(Vec::new())
    }

    fn handles(&self, first: usize, count: usize) -> Result<Vec<u32>, Damage> {
        if first.checked_add(count).is_none_or(|end| end > self.slots) {
            return Err(Damage("a key leads outside of it".to_owned()));
        }
        let bytes = self.at(self.slots_at + first * 4, count * 4)?;
        let (slots, _) = bytes.as_chunks::<4>();
        Ok(slots.iter().map(|slot| u32::from_le_bytes(*slot)).collect())
    }
}

/// Numbers and texts of a value.
#[derive(Default)]
pub(crate) struct Value(pub(crate) Vec<u8>);

impl Value {
    /// LEB128.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn texts(&mut self, texts: &[impl AsRef<str>]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text.as_ref()));
    }
}

/// Reads a value back. What does not fit is damage that no checksum saw.
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn number(&mut self) -> Result<u64, Damage> {
        let mut number = 0u64;
        for shift in (0..63).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or_else(ended)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(ended())
    }

    pub(crate) fn count(&mut self) -> Result<usize, Damage> {
        usize::try_from(self.number()?).map_err(|_| ended())
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Damage> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(ended)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| ended())
    }

    pub(crate) fn texts(&mut self) -> Result<Vec<&'a str>, Damage> {
        let count = self.count()?;
        (0..count).map(|_| self.text()).collect()
    }
}

fn ended() -> Damage {
    Damage("a value is malformed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut writer = Writer::default();
        for index in 0..5000 {
            let mut value = Value::default();
            value.text(&format!("value {index}"));
            let handle = writer.value(&value.0);
            writer.key(format!("key {}", index / 2), handle);
        }
        writer.finish()
    }

    fn find(table: &Table, key: &str) -> Result<Vec<String>, Damage> {
        table
            .find(key)?
            .into_iter()
            .map(|handle| Ok(Cursor(table.value(handle)?).text()?.to_owned()))
            .collect()
    }

    #[test]
    fn values_are_found_by_their_key() {
        let table = Table::open(Bytes::Memory(sample())).unwrap();
        assert_eq!(find(&table, "key 7").unwrap(), ["value 14", "value 15"]);
        assert_eq!(find(&table, "key").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_flipped_bit_is_found_or_makes_no_difference() {
        let good = sample();
        let answer = ["value 14".to_owned(), "value 15".to_owned()];
        let mut damaged = 0;
        for at in (0..good.len()).step_by(61) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            let found = Table::open(Bytes::Memory(bad)).and_then(|table| find(&table, "key 7"));
            match found {
                Ok(found) => assert_eq!(found, answer),
                Err(_) => damaged += 1,
            }
        }
        assert!(damaged > 100, "{damaged}");
        for end in (0..good.len()).step_by(997) {
            assert!(Table::open(Bytes::Memory(good[..end].to_vec())).is_err());
        }
    }
}
