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

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use seawall_sys::OwnFileMap;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"SEATABL1";
const HEADER: usize = 64;
const BLOCK: usize = 16 << 10;
/// Key offset, key length, first slot, number of slots.
const KEY: usize = 16;

/// Writes a table. The file grows in place and a key is kept once, however many
/// values it leads to: a kernel advisory has sixty CVEs for sixty packages each.
pub(crate) struct Writer {
    /// Room for the header, then the values.
    file: Vec<u8>,
    /// Each key with its number, in the order of arrival.
    keys: HashMap<Box<str>, u32>,
    /// Number of a key, handle of a value.
    leads: Vec<(u32, u32)>,
}

impl Default for Writer {
    fn default() -> Self {
        Writer {
            file: vec![0; HEADER],
            keys: HashMap::new(),
            leads: Vec::new(),
        }
    }
}

impl Writer {
    /// Adds a value, given in pieces, and gives its handle.
    pub(crate) fn value(&mut self, pieces: &[&[u8]]) -> u32 {
        let at = self.file.len() as u32;
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.file.extend_from_slice(&(length as u32).to_le_bytes());
        for piece in pieces {
            self.file.extend_from_slice(piece);
        }
        at
    }

    /// Lets `key` lead to a value.
    pub(crate) fn key(&mut self, key: &str, value: u32) {
        let number = match self.keys.get(key) {
            Some(number) => *number,
            None => {
                let number = self.keys.len() as u32;
                self.keys.insert(key.into(), number);
                number
            }
        };
        self.leads.push((number, value));
    }

    /// The file.
    pub(crate) fn finish(self) -> Vec<u8> {
        let Writer {
            mut file,
            keys,
            mut leads,
        } = self;
        let mut sorted: Vec<(Box<str>, u32)> = keys.into_iter().collect();
        sorted.sort_unstable();
        let mut ranks = vec![0; sorted.len()];
        for (rank, (_, number)) in sorted.iter().enumerate() {
            if let Some(slot) = ranks.get_mut(*number as usize) {
                *slot = rank as u32;
            }
        }
        for (key, _) in &mut leads {
            *key = ranks.get(*key as usize).copied().unwrap_or_default();
        }
        leads.sort_unstable();
        leads.dedup();
        let mut entries: Vec<[u32; 4]> = Vec::with_capacity(sorted.len());
        for (key, _) in &sorted {
            entries.push([file.len() as u32, key.len() as u32, 0, 0]);
            file.extend_from_slice(key.as_bytes());
        }
        drop(sorted);
        for (slot, (key, _)) in leads.iter().enumerate() {
            if let Some([_, _, first, count]) = entries.get_mut(*key as usize) {
                if *count == 0 {
                    *first = slot as u32;
                }
                *count += 1;
            }
        }
        let keys_at = file.len();
        let slots_at = keys_at + entries.len() * KEY;
        let end = slots_at + leads.len() * 4;
        let blocks = end.div_ceil(BLOCK);
        file.reserve_exact(end + blocks * 8 - keys_at);
        for number in entries.iter().flatten() {
            file.extend_from_slice(&number.to_le_bytes());
        }
        for (_, value) in &leads {
            file.extend_from_slice(&value.to_le_bytes());
        }
        let mut header = MAGIC.to_vec();
        for number in [entries.len(), leads.len(), keys_at, slots_at, end] {
            header.extend_from_slice(&(number as u64).to_le_bytes());
        }
        if let Some(room) = file.get_mut(..header.len()) {
            room.copy_from_slice(&header);
        }
        for block in 0..blocks {
            let from = block * BLOCK;
            let sum = file.get(from..end.min(from + BLOCK)).map_or(0, xxh3_64);
            file.extend_from_slice(&sum.to_le_bytes());
        }
        file
    }
}

/// Where a table's bytes are.
pub(crate) enum Bytes {
    Map(OwnFileMap),
    Memory(Vec<u8>),
}

impl Bytes {
    pub(crate) fn get(&self) -> &[u8] {
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

    /// Checks every block.
    pub(crate) fn check_all(&self) -> Result<(), Damage> {
        (0..self.end.div_ceil(BLOCK)).try_for_each(|block| self.check(block))
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

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys
    }

    /// A key by its place, and the handles of its values.
    pub(crate) fn lead(&self, index: usize) -> Result<(&str, Vec<u32>), Damage> {
        let (key, first, count) = self.key(index)?;
        let key = std::str::from_utf8(key).map_err(|_| ended())?;
        Ok((key, self.handles(first, count)?))
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
            let handle = writer.value(&[&value.0]);
            writer.key(&format!("key {}", index / 2), handle);
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
