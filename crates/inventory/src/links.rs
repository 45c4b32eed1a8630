//! What the packages of one lock file need of each other.

use std::collections::HashSet;

use seawall_model::GapKind;

use crate::declared::Declarations;

/// What packages need and what is there. A file that was cut off between two
/// entries is whole to its parser; that it names packages which it does not
/// list tells.
#[derive(Debug, Default)]
pub(crate) struct Links {
    there: HashSet<String>,
    needed: HashSet<String>,
}

impl Links {
    /// Names a package that is listed.
    pub(crate) fn there(&mut self, name: &str) {
        if !self.there.contains(name) {
            self.there.insert(name.to_owned());
        }
    }

    /// Names a package that another needs.
    pub(crate) fn needed(&mut self, name: &str) {
        if !self.needed.contains(name) {
            self.needed.insert(name.to_owned());
        }
    }

    /// Says what is missing.
    pub(crate) fn finish(&self, out: &mut Declarations<'_>) {
        let missing = || self.needed.difference(&self.there);
        // What found no room is not missing.
        if let Some(first) = missing().min().filter(|_| !out.is_over()) {
            let reason = format!(
                "{} packages are needed that it does not list, such as `{first}`: it may have been \
                 cut off",
                missing().count()
            );
            out.gap(GapKind::Damaged, &reason);
        }
    }
}

/// Which of the entries of a lock file the project's roots lead to.
#[derive(Debug)]
pub(crate) struct Reached {
    direct: Vec<bool>,
    productive: Vec<bool>,
    development: Vec<bool>,
}

impl Reached {
    /// Follows the edges (indices of entries, for each entry) from what the
    /// project itself names: for production, and for development.
    pub(crate) fn new(edges: &[Vec<usize>], productive: &[usize], development: &[usize]) -> Self {
        let mut direct = vec![false; edges.len()];
        for root in productive.iter().chain(development) {
            if let Some(direct) = direct.get_mut(*root) {
                *direct = true;
            }
        }
        Reached {
            direct,
            productive: follow(edges, productive),
            development: follow(edges, development),
        }
    }

    /// Whether the project itself names it.
    pub(crate) fn is_direct(&self, index: usize) -> bool {
        self.direct.get(index) == Some(&true)
    }

    /// Whether it is needed for development only.
    pub(crate) fn is_development(&self, index: usize) -> bool {
        self.productive.get(index) == Some(&false) && self.development.get(index) == Some(&true)
    }
}

fn follow(edges: &[Vec<usize>], roots: &[usize]) -> Vec<bool> {
    let mut reached = vec![false; edges.len()];
    let mut next = roots.to_vec();
    while let Some(index) = next.pop() {
        if let Some(one) = reached.get_mut(index).filter(|reached| !**reached) {
            *one = true;
            next.extend(edges.get(index).into_iter().flatten());
        }
    }
    reached
}
