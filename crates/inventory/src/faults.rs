//! What could not be read of a file that has many parts.

use std::{fmt::Display, mem::discriminant};

/// Faults by kind: how many, and the first of each.
#[derive(Debug)]
pub(crate) struct Faults<F>(Vec<(usize, F)>);

impl<F> Default for Faults<F> {
    fn default() -> Self {
        Faults(Vec::new())
    }
}

impl<F: Display> Faults<F> {
    pub(crate) fn add(&mut self, fault: F) {
        self.add_many(1, fault);
    }

    /// Adds `count` faults, of which `first` came first.
    pub(crate) fn add_many(&mut self, count: usize, first: F) {
        let kind = discriminant(&first);
        match self.0.iter_mut().find(|one| discriminant(&one.1) == kind) {
            Some(one) => one.0 += count,
            None => self.0.push((count, first)),
        }
    }

    /// Adds those of another part of the file.
    pub(crate) fn extend(&mut self, others: Self) {
        for (count, first) in others.0 {
            self.add_many(count, first);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first fault of all.
    pub(crate) fn into_first(self) -> Option<F> {
        self.0.into_iter().next().map(|(_, fault)| fault)
    }

    /// One sentence for each kind.
    pub(crate) fn sentences(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(count, first)| match count {
            1 => first.to_string(),
            _ => format!("{first}, and {} more of the kind", count - 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Fault {
        #[error("page {0} is bad")]
        Bad(u8),
        #[error("page {0} is worse")]
        Worse(u8),
    }

    #[test]
    fn faults_are_counted_by_kind() {
        let mut faults = Faults::default();
        assert!(faults.is_empty());
        faults.add(Fault::Bad(7));
        faults.add(Fault::Worse(1));
        let mut others = Faults::default();
        others.add(Fault::Bad(9));
        others.add(Fault::Bad(3));
        faults.extend(others);
        assert_eq!(
            faults.sentences().collect::<Vec<_>>(),
            ["page 7 is bad, and 2 more of the kind", "page 1 is worse"]
        );
        assert!(matches!(faults.into_first(), Some(Fault::Bad(7))));
    }
}
