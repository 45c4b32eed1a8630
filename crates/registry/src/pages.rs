//! Lists that come in pages.

use std::collections::HashSet;

use crate::{
    Address, Error,
    address::shown,
    answers::next_link,
    client::{Shared, Small},
    places::Place,
    retry::Tries,
};

/// Pages of one list.
const PAGES: usize = 1000;
/// Bytes of all pages of one list. 200 000 tags of 128 letters have 26 MB.
const BYTES: usize = 64 << 20;

impl Shared {
    /// Walks the pages of a list from `first` on, as long as `take` wants
    /// more. `None` where the first page is not there.
    pub(crate) fn pages(
        &self,
        place: &Place,
        first: &Address,
        accept: &str,
        mut take: impl FnMut(&Small) -> Result<(), Error>,
    ) -> Result<Option<()>, Error> {
        let mut tries = Tries::new(self.settings());
        let mut seen = HashSet::new();
        let mut at = first.clone();
        let mut bytes = 0;
        loop {
            let Some(page) = self.small(place, &at, accept, &mut tries)? else {
                if seen.is_empty() {
                    return Ok(None);
                }
                let reason = "a page that it points to is not there".to_owned();
                let url = at.to_string();
                return Err(Error::Malformed { url, reason });
            };
            bytes += page.bytes.len();
            if bytes > BYTES {
                let what = format!("the size of all pages of `{first}`");
                let limit = BYTES as u64;
                return Err(Error::Limit { what, limit });
            }
            take(&page)?;
            let link = page.headers.get_all("link").iter();
            let link = link
                .filter_map(|link| link.to_str().ok())
                .find_map(next_link);
            let Some(link) = link else {
                return Ok(Some(()));
            };
            seen.insert(at.path().to_owned());
            if seen.len() >= PAGES {
                let what = format!("the number of pages of `{first}`");
                let limit = PAGES as u64;
                return Err(Error::Limit { what, limit });
            }
            at = next(first, &at, link, &seen)?;
        }
    }
}

/// The next page: of the same list, and a new one.
fn next(
    first: &Address,
    at: &Address,
    link: &str,
    seen: &HashSet<String>,
) -> Result<Address, Error> {
    let refused = |to: String, why: &str| Error::Redirect {
        from: at.to_string(),
        to,
        why: why.to_owned(),
    };
    let next = at.join(link);
    let next = next.map_err(|error| refused(shown(link), &error.to_string()))?;
    // A proxy that takes TLS off makes the registry believe in plain HTTP.
    let next = next.secured_as(first);
    let path = |address: &Address| address.path().split('?').next().map(str::to_owned);
    if !next.is_same_origin(first) || path(&next) != path(first) {
        return Err(refused(next.to_string(), "it is no page of the same list"));
    }
    if seen.contains(next.path()) {
        return Err(refused(next.to_string(), "that page came already"));
    }
    Ok(next)
}
