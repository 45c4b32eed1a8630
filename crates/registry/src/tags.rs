//! Tags of a repository.

use std::collections::HashSet;

use crate::{Client, Error, Repository, address::plain, answers, reference::is_tag};

/// Tags of one repository, and how many are asked for at once.
const TAGS_LIMIT: usize = 200_000;
const PAGE: usize = 1000;

impl Client {
    /// The tags of a repository, in the registry's order, by all pages.
    ///
    /// # Errors
    /// When they cannot be fetched, one of them is no tag, or there are more
    /// than 200 000.
    pub fn tags(&self, repository: &Repository) -> Result<Vec<String>, Error> {
        self.tags_after(repository, None)
    }

    /// The tags that come after `last` in the registry's order.
    ///
    /// # Errors
    /// As with [`Client::tags`].
    pub fn tags_after(
        &self,
        repository: &Repository,
        last: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let place = self.shared.registry(repository)?;
        let last = match last {
            None => String::new(),
            // Checked, because it becomes a part of the address.
            Some(last) => {
                let tagged = repository.tagged(last);
                let tagged = tagged.map_err(|_| Error::NotThere(format!("{repository}:{last}")))?;
                format!("&last={}", tagged.wanted())
            }
        };
        let first = place.at(&format!("tags/list?n={PAGE}{last}"))?;
        let mut tags = Vec::new();
        let mut known = HashSet::new();
        let walked = self
            .shared
            .pages(&place, &first, "application/json", |page| {
                let malformed = |reason| Error::Malformed {
                    url: page.at.to_string(),
                    reason,
                };
                let listed = answers::tags(&page.bytes).map_err(malformed)?;
                // It could not be asked for, and may be as long as the page.
                if let Some(tag) = listed.iter().find(|tag| !is_tag(tag)) {
                    let reason = format!("it lists `{}`, which is no tag", plain(tag, 128));
                    return Err(malformed(reason));
                }
                tags.extend(listed.into_iter().filter(|tag| known.insert(tag.clone())));
                if tags.len() > TAGS_LIMIT {
                    let what = format!("the number of tags of `{repository}`");
                    let limit = TAGS_LIMIT as u64;
                    return Err(Error::Limit { what, limit });
                }
                Ok(())
            })?;
        match walked {
            Some(()) => Ok(tags),
            None => Err(Error::NotThere(repository.to_string())),
        }
    }
}
