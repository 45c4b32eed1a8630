//! What is about an image: the referrers API and the tag that stands in for it
//! (OCI distribution-spec 1.1, "Listing Referrers").

use std::collections::HashSet;

use seawall_model::{Digest, in_full};
use serde_json::{Map, Value};

use crate::{
    Client, Error, Listed, Manifest, Repository,
    address::plain,
    answers::{self, About, Index},
    client::{Shared, Small},
    lock::lock,
    places::Place,
};

/// Referrers of one subject, and bytes of all their manifests.
const REFERRERS_LIMIT: usize = 1000;
const BYTES_LIMIT: usize = 64 << 20;
/// How often the list under a tag is written again, because somebody else
/// wrote it at the same time.
const WRITES: usize = 5;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Something that is about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// What it is, by its own manifest.
    pub artifact_type: String,
    /// What it notes about itself, by its own manifest.
    pub annotations: Vec<(String, String)>,
    /// The manifest, which has the digest and names the subject.
    pub manifest: Manifest,
}

/// What is about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrers {
    /// In the list's order.
    pub list: Vec<Referrer>,
    /// Who keeps the list; a registry without any has it under a tag.
    pub listed: Listed,
    /// Entries of the list that do not hold, and why: those that are gone,
    /// that are about something else, that are no manifests.
    pub passed_over: Vec<String>,
}

impl Client {
    /// What is about `subject`, of one type or of all.
    ///
    /// The list is only where to look: each manifest is fetched, held against
    /// its digest, has to name the subject and tells its own type.
    ///
    /// # Errors
    /// When the list cannot be fetched, or has more than 1000 entries.
    pub fn referrers(
        &self,
        repository: &Repository,
        subject: Digest,
        artifact_type: Option<&str>,
    ) -> Result<Referrers, Error> {
        let place = self.shared.registry(repository)?;
        let (mut index, mut listed) = (Index::default(), Listed::Tag);
        // First by the registry's filter, which spares many requests. Where
        // that leaves nothing, without: a registry's own idea of types is not
        // believed.
        let filters: &[_] = match artifact_type {
            Some(wanted) => &[Some(wanted), None],
            None => &[None],
        };
        for filter in filters {
            let Some((answer, is_filtered)) = self.shared.by_api(&place, subject, *filter)? else {
                let tagged = self.shared.by_tag(&place, subject)?;
                index = tagged.map(|(index, _)| index).unwrap_or_default();
                break;
            };
            (index, listed) = (answer, Listed::Registry);
            if !is_filtered || !index.entries.is_empty() {
                break;
            }
        }
        let mut found = Referrers {
            list: Vec::new(),
            listed,
            passed_over: Vec::new(),
        };
        if index.foreign > 0 {
            let count = index.foreign;
            found.passed_over.push(format!(
                "{count} entries have no SHA-256 digest, which cannot be followed"
            ));
        }
        let mut known = HashSet::new();
        let mut bytes = 0;
        for digest in index.entries {
            if !known.insert(digest) {
                continue;
            }
            match self.shared.referrer(&place, repository, subject, digest) {
                Ok(referrer) => {
                    bytes += referrer.manifest.bytes.len();
                    if bytes > BYTES_LIMIT {
                        let what =
                            format!("the size of all that is about `{repository}@{subject}`");
                        let limit = BYTES_LIMIT as u64;
                        return Err(Error::Limit { what, limit });
                    }
                    if artifact_type.is_none_or(|wanted| wanted == referrer.artifact_type) {
                        found.list.push(referrer);
                    }
                }
                Err(why) => found.passed_over.push(format!("{digest}: {why}")),
            }
        }
        Ok(found)
    }
}

impl Shared {
    /// The registry's own list, and whether it has left something out; `None`
    /// where it keeps none.
    fn by_api(
        &self,
        place: &Place,
        subject: Digest,
        artifact_type: Option<&str>,
    ) -> Result<Option<(Index, bool)>, Error> {
        let mut at = place.at(&format!("referrers/{subject}"))?;
        if let Some(wanted) = artifact_type {
            at = at.with(&format!("artifactType={}", escaped(wanted)));
        }
        let mut index = Index::default();
        let (mut is_index, mut is_filtered) = (true, false);
        let walked = self.pages(place, &at, INDEX, |page| {
            let form = page.header("content-type").unwrap_or_default();
            is_filtered |= page.header("oci-filters-applied").is_some();
            let read = answers::index(&page.bytes);
            match read {
                Ok(read) => {
                    index.entries.extend(read.entries);
                    index.foreign += read.foreign;
                }
                // A page for people, as old registries have one for everything.
                Err(_) if !form.contains("json") => is_index = false,
                Err(reason) => {
                    let url = page.at.to_string();
                    return Err(Error::Malformed { url, reason });
                }
            }
            if index.entries.len() > REFERRERS_LIMIT {
                let what = format!("the number of what is about `{place}@{subject}`");
                let limit = REFERRERS_LIMIT as u64;
                return Err(Error::Limit { what, limit });
            }
            Ok(())
        });
        match walked {
            Ok(Some(())) if is_index => Ok(Some((index, is_filtered))),
            Ok(_) => Ok(None),
            // Registries that know no such address.
            Err(Error::Refused {
                status: 400 | 405 | 501,
                ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The list that clients keep under a tag, and how it is written there;
    /// `None` where there is none.
    fn by_tag(&self, place: &Place, subject: Digest) -> Result<Option<(Index, Small)>, Error> {
        let at = place.at(&format!("manifests/{}", tag_of(subject)))?;
        let answer = self.small(place, &at, INDEX, &mut self.tries(place))?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let index = answers::index(&answer.bytes).map_err(|reason| Error::Malformed {
            url: answer.at.to_string(),
            reason,
        })?;
        if index.entries.len() > REFERRERS_LIMIT {
            let what = format!("the number of what is about `{place}@{subject}`");
            let limit = REFERRERS_LIMIT as u64;
            return Err(Error::Limit { what, limit });
        }
        Ok(Some((index, answer)))
    }

    /// An entry of a list, as its own manifest has it.
    fn referrer(
        &self,
        place: &Place,
        repository: &Repository,
        subject: Digest,
        digest: Digest,
    ) -> Result<Referrer, String> {
        let manifest = self.manifest_at(place, &repository.at(digest));
        let manifest = manifest.map_err(|error| in_full(&error))?;
        let About {
            subject: named,
            artifact_type,
            annotations,
            ..
        } = answers::about(&manifest.bytes)?;
        match named {
            None => Err("it is about nothing".to_owned()),
            Some(named) if named != subject.to_string() => {
                Err(format!("it is about `{}`", plain(&named, 100)))
            }
            Some(_) => Ok(Referrer {
                artifact_type,
                annotations,
                manifest,
            }),
        }
    }

    /// Adds a manifest to the list under a tag (distribution-spec 1.1,
    /// "Pushing Manifests with Subject"): read, changed, written under the
    /// condition that nobody else did, and looked at again.
    pub(crate) fn list_under_tag(
        &self,
        place: &Place,
        subject: Digest,
        referrer: &Value,
        digest: Digest,
    ) -> Result<(), Error> {
        let _guard = lock(&self.lists);
        let mut last = None;
        for _ in 0..WRITES {
            let (mut list, condition) = match self.by_tag(place, subject)? {
                None => (Map::new(), Some(("if-none-match", "*".to_owned()))),
                Some((index, _)) if index.entries.contains(&digest) => return Ok(()),
                Some((_, small)) => {
                    let state = small.header("etag").map(str::to_owned);
                    (object(&small)?, state.map(|etag| ("if-match", etag)))
                }
            };
            let conditions: Vec<_> = condition.into_iter().collect();
            let mut manifests = self.living(place, list.remove("manifests"))?;
            manifests.push(referrer.clone());
            list.insert("schemaVersion".to_owned(), 2.into());
            list.insert("mediaType".to_owned(), INDEX.into());
            list.insert("manifests".to_owned(), manifests.into());
            let bytes = Value::from(list).to_string().into_bytes();
            match self.put_manifest(place, &tag_of(subject), INDEX, &bytes, &conditions) {
                Ok(_) => {}
                // Somebody else was faster, or an entry went away meanwhile.
                Err(
                    error @ Error::Refused {
                        status: 400 | 409 | 412,
                        ..
                    },
                ) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        let there = self.by_tag(place, subject)?;
        match last {
            _ if there.is_some_and(|(index, _)| index.entries.contains(&digest)) => Ok(()),
            Some(error) => Err(error),
            None => Err(Error::Malformed {
                url: format!("{place}:{}", tag_of(subject)),
                reason: "what is written to it is gone again".to_owned(),
            }),
        }
    }

    /// The entries of a list whose manifests are still there: registries refuse
    /// an index with others. Those that cannot be followed are somebody else's,
    /// and stay.
    fn living(&self, place: &Place, manifests: Option<Value>) -> Result<Vec<Value>, Error> {
        let mut living = Vec::new();
        let mut known = HashSet::new();
        let entries = match manifests {
            Some(Value::Array(entries)) => entries,
            _ => Vec::new(),
        };
        for entry in entries {
            let digest = entry.get("digest").and_then(Value::as_str);
            let Some(digest) = digest.and_then(|digest| digest.parse::<Digest>().ok()) else {
                living.push(entry);
                continue;
            };
            if !known.insert(digest) {
                continue;
            }
            let at = place.at(&format!("manifests/{digest}"))?;
            let accept = format!("{INDEX}, {}, */*", crate::push::IMAGE);
            if self.head(place, &at, &accept, &place.push())?.is_some() {
                living.push(entry);
            }
        }
        Ok(living)
    }
}

/// A list with all that its writers noted in it.
fn object(list: &Small) -> Result<Map<String, Value>, Error> {
    serde_json::from_slice(&list.bytes).map_err(|error| Error::Malformed {
        url: list.at.to_string(),
        reason: error.to_string(),
    })
}

/// The tag that stands in for the referrers API.
fn tag_of(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// A text in a query: all but unreserved characters (RFC 3986, 2.3) escaped.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}
