//! Which pages of a database were visited: hostile links run in circles.

/// Numbers of pages, one bit each.
#[derive(Debug)]
pub(crate) struct PageSet(Vec<u64>);

impl PageSet {
    /// An empty set for numbers below `count`.
    pub(crate) fn new(count: u64) -> Self {
        let words = usize::try_from(count.div_ceil(64)).unwrap_or(0);
        PageSet(vec![0; words])
    }

    fn word(&mut self, number: u64) -> Option<&mut u64> {
        self.0.get_mut(usize::try_from(number / 64).ok()?)
    }

    /// Adds a page. Whether it was not there before: `None` beyond the end.
    pub(crate) fn insert(&mut self, number: u64) -> Option<bool> {
        let word = self.word(number)?;
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        Some(is_new)
    }

    pub(crate) fn remove(&mut self, number: u64) {
        if let Some(word) = self.word(number) {
            *word &= !(1 << (number % 64));
        }
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok();
        let word = word.and_then(|word| self.0.get(word));
        word.is_some_and(|word| word & 1 << (number % 64) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_there_once() {
        let mut pages = PageSet::new(65);
        assert_eq!(pages.insert(64), Some(true));
        assert_eq!(pages.insert(64), Some(false));
        assert!(pages.contains(64) && !pages.contains(63));
        pages.remove(64);
        assert_eq!(pages.insert(64), Some(true));
        assert_eq!(pages.insert(1 << 40), None);
        assert!(!pages.contains(u64::MAX));
    }
}
