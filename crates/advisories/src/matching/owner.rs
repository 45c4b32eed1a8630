//! Packages of languages that a distribution's package brought.
//!
//! Debian's `python3-urllib3` mends flaws without raising upstream's number,
//! so the ecosystem's advisories would call it affected for ever. Where the
//! distribution's own records know the package, they alone decide. Where they
//! have never named it (Docker's `docker-ce`, which is no package of Debian's)
//! they cannot clear it, and the ecosystem's decide.

use std::collections::{HashMap, HashSet};

use seawall_model::Package;

use crate::{
    Request, Store,
    distros::Names,
    matching::{Shards, subject},
};

/// Indices of the packages that are left to the distribution.
pub(crate) fn left_to_distribution(
    store: &dyn Store,
    shards: &Shards<'_>,
    request: &Request<'_>,
) -> HashSet<usize> {
    let mut left = HashSet::new();
    let Some((distro, _)) = subject::distribution(request.os) else {
        return left;
    };
    if shards.distribution.is_empty() {
        return left;
    }
    let mut known: HashMap<&str, bool> = HashMap::new();
    // Built when the first owned package is met: most targets have none.
    let mut owners: Option<HashMap<&str, &Package>> = None;
    for (index, package) in request.packages.iter().enumerate() {
        let Some(owner) = &package.owner else {
            continue;
        };
        if subject::is_system(&package.kind) {
            continue;
        }
        let owners = owners.get_or_insert_with(|| {
            let system = request.packages.iter();
            system
                .filter(|one| one.kind == distro.packages)
                .map(|one| (one.name.as_str(), one))
                .collect()
        });
        let is_known = *known.entry(&owner.name).or_insert_with(|| {
            let binary = (distro.names != Names::Source).then_some(owner.name.as_str());
            let source = owners
                .get(owner.name.as_str())
                .and_then(|one| one.source.as_ref())
                .map_or(owner.name.as_str(), |source| source.name.as_str());
            let source = (distro.names != Names::Binary).then_some(source);
            // The starter database has a choice of records only: silence of it
            // says nothing.
            request.starter
                || binary
                    .into_iter()
                    .chain(source)
                    .any(|name| is_named(store, shards, name))
        });
        if is_known {
            left.insert(index);
        }
    }
    left
}

/// Whether the distribution has a record of the package. A damaged shard is a
/// gap of its own; until it is mended nothing is taken to be known.
fn is_named(store: &dyn Store, shards: &Shards<'_>, name: &str) -> bool {
    shards.distribution.iter().any(|shard| {
        store
            .candidates(shard, name)
            .is_ok_and(|found| !found.is_empty())
    })
}
