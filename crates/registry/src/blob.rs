//! Blobs as streams that go on where they broke off.

use std::{
    fmt,
    io::{self, Read},
    sync::Arc,
};

use seawall_model::Digest;
use ureq::BodyReader;

use crate::{
    Client, Error, Repository,
    client::{Shared, no_encoding},
    http::Paced,
    places::Place,
    retry::Tries,
    transport::Got,
};

/// Bytes that are read at once where they are only passed over.
const PIECE: usize = 64 << 10;

/// A blob as it comes from a registry. A connection that is cut, stalls or
/// fails is taken up again where it ended, at the next place if this one has
/// had enough; its length is held against the one that is known. Dropping it
/// ends the connection.
///
/// Errors of reading hold an [`Error`].
pub struct Blob {
    shared: Arc<Shared>,
    name: String,
    digest: Digest,
    /// Where it can be had; the first one is being read.
    places: Vec<Place>,
    body: Option<Paced<BodyReader<'static>>>,
    /// Bytes in all, once they are known.
    size: Option<u64>,
    /// Bytes that were given out.
    given: u64,
    /// Bytes of the body that come before them.
    skip: u64,
    /// Whether a part can be asked for.
    has_ranges: bool,
    is_over: bool,
    tries: Tries,
    /// The registry that it belongs to.
    registry: String,
    /// Mirrors that some of its bytes came from.
    mirrors: Vec<String>,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("name", &self.name)
            .field("given", &self.given)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The stored bytes of a blob. Whoever reads them holds them against the
    /// digest.
    ///
    /// # Errors
    /// When it is not there or cannot be fetched.
    pub fn blob(
        &self,
        repository: &Repository,
        digest: Digest,
    ) -> Result<Box<dyn Read + Send>, Error> {
        Ok(Box::new(self.open(repository, digest, None)?))
    }

    /// The same, with the size that its descriptor says.
    ///
    /// # Errors
    /// When it is not there, cannot be fetched or has another size.
    pub fn open(
        &self,
        repository: &Repository,
        digest: Digest,
        size: Option<u64>,
    ) -> Result<Blob, Error> {
        let places = self.shared.places(repository)?;
        self.open_at(places, repository, digest, size)
    }

    /// The same from the registry itself, because the bytes that came from
    /// these mirrors do not have the digest. They are not asked again.
    ///
    /// # Errors
    /// As with [`Client::open`].
    pub fn open_anew(
        &self,
        repository: &Repository,
        digest: Digest,
        size: Option<u64>,
        mirrors: &[String],
    ) -> Result<Blob, Error> {
        for mirror in mirrors {
            self.shared.distrust(mirror, &digest);
        }
        let places = vec![self.shared.registry(repository)?];
        self.open_at(places, repository, digest, size)
    }

    fn open_at(
        &self,
        places: Vec<Place>,
        repository: &Repository,
        digest: Digest,
        size: Option<u64>,
    ) -> Result<Blob, Error> {
        let mut blob = Blob {
            places,
            shared: Arc::clone(&self.shared),
            name: format!("{repository}@{digest}"),
            digest,
            body: None,
            size,
            given: 0,
            skip: 0,
            has_ranges: true,
            is_over: false,
            tries: Tries::new(self.shared.settings()),
            registry: repository.host().to_owned(),
            mirrors: Vec::new(),
        };
        blob.resume()?;
        Ok(blob)
    }
}

impl Blob {
    /// The registry or mirror that it comes from: `host[:port]`.
    pub fn host(&self) -> &str {
        self.places.first().map_or("", Place::host)
    }

    /// Mirrors that some of the bytes came from that were read so far.
    pub fn mirrors(&self) -> &[String] {
        &self.mirrors
    }

    /// Bytes in all, where the descriptor or the registry told.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Asks for what is missing, at one place after the other.
    fn resume(&mut self) -> Result<(), Error> {
        loop {
            let Some(place) = self.places.first().cloned() else {
                return Err(Error::NotThere(self.name.clone()));
            };
            match self.ask(&place) {
                Ok(()) => {
                    self.shared.served(&place, &self.registry);
                    if place.is_mirror
                        && self.mirrors.last().is_none_or(|last| last != place.host())
                    {
                        self.mirrors.push(place.host().to_owned());
                    }
                    return Ok(());
                }
                Err(error) if self.places.len() > 1 => {
                    self.shared.missed(&place, &error);
                    self.next_place();
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn next_place(&mut self) {
        self.places.remove(0);
        self.has_ranges = true;
        self.tries = Tries::new(self.shared.settings());
    }

    fn ask(&mut self, place: &Place) -> Result<(), Error> {
        let at = place.at(&format!("blobs/{}", self.digest))?;
        loop {
            let mut headers = vec![("accept", "*/*".to_owned())];
            if self.given > 0 && self.has_ranges {
                headers.push(("range", format!("bytes={}-", self.given)));
            }
            let got = if place.is_mirror {
                let mut few = self.shared.tries(place);
                self.shared.get(place, &at, &headers, &mut few)?
            } else {
                self.shared.get(place, &at, &headers, &mut self.tries)?
            };
            let status = got.status();
            match status {
                200 => return self.begin(got, 0),
                206 if headers.len() > 1 => match self.is_rest(&got) {
                    Ok(()) => return self.begin(got, self.given),
                    // It does not understand what it was asked for: all of it
                    // again, then.
                    Err(error) => {
                        self.has_ranges = false;
                        if !self.tries.wait(None) {
                            return Err(error);
                        }
                    }
                },
                404 => return Err(Error::NotThere(self.name.clone())),
                416 if headers.len() > 1 && self.tries.wait(None) => self.has_ranges = false,
                _ => return Err(got.refused()),
            }
        }
    }

    /// Whether a partial answer is the part that is missing (RFC 9110, 14.4).
    fn is_rest(&mut self, got: &Got) -> Result<(), Error> {
        let range = got.header("content-range").unwrap_or_default();
        let parsed = content_range(range);
        let is_right = parsed.is_some_and(|(first, last, all)| {
            let ends = self
                .size
                .or(all)
                .is_none_or(|size| last.checked_add(1) == Some(size));
            let fits = self.size.is_none() || all.is_none() || all == self.size;
            first == self.given && ends && fits
        });
        if is_right {
            self.size = self.size.or(parsed.and_then(|(.., all)| all));
            return Ok(());
        }
        Err(Error::Malformed {
            url: got.at.to_string(),
            reason: format!(
                "it was asked for the bytes from {} on and answers with `{}`",
                self.given,
                crate::address::plain(range, 80)
            ),
        })
    }

    /// Takes a body that begins at `first`.
    fn begin(&mut self, got: Got, first: u64) -> Result<(), Error> {
        no_encoding(&got)?;
        let body = got.answer.into_body();
        if let Some(length) = body.content_length() {
            let all = first.saturating_add(length);
            match self.size {
                Some(size) if size != all => return Err(self.wrong_length(&format!("{all} bytes"))),
                _ => self.size = Some(all),
            }
        }
        self.skip = self.given - first.min(self.given);
        self.body = Some(Paced::new(body.into_reader(), got.pace));
        Ok(())
    }

    fn wrong_length(&self, got: &str) -> Error {
        Error::Length {
            name: self.name.clone(),
            expected: self.size.unwrap_or(0),
            got: got.to_owned(),
        }
    }

    /// Gives a connection up that ended too early, and waits for the next.
    fn broke(&mut self, cause: io::Error) -> io::Result<()> {
        self.body = None;
        if self.tries.wait(None) {
            return Ok(());
        }
        let kind = cause.kind();
        let url = self.name.clone();
        let error = Error::Body { url, cause };
        if self.places.len() > 1 {
            if let Some(place) = self.places.first() {
                self.shared.missed(place, &error);
            }
            self.next_place();
            return Ok(());
        }
        Err(io::Error::new(kind, error))
    }

    /// Passes over what was given out already.
    fn pass_over(&mut self) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        while self.skip > 0 {
            let Some(body) = &mut self.body else {
                return Ok(());
            };
            let length = self.skip.min(PIECE as u64) as usize;
            match body.read(piece.get_mut(..length).unwrap_or_default()) {
                Ok(0) => return self.broke(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.skip -= read as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.broke(error),
            }
        }
        Ok(())
    }
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while !self.is_over {
            if self.body.is_none() {
                self.resume().map_err(io::Error::other)?;
            }
            self.pass_over()?;
            let Some(body) = &mut self.body else { continue };
            match body.read(buffer) {
                Ok(0) if self.size.is_some_and(|size| self.given < size) => {
                    self.broke(io::ErrorKind::UnexpectedEof.into())?;
                }
                Ok(0) => self.is_over = true,
                Ok(read) => {
                    self.given += read as u64;
                    if self.size.is_some_and(|size| self.given > size) {
                        self.body = None;
                        self.is_over = true;
                        let at_least = format!("at least {} bytes", self.given);
                        return Err(io::Error::other(self.wrong_length(&at_least)));
                    }
                    self.tries.progressed(self.shared.settings());
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // All of it is there; how the connection ended does not matter.
                Err(_) if self.size == Some(self.given) => self.is_over = true,
                Err(error) => self.broke(error)?,
            }
        }
        // The connection serves the next request, or ends.
        self.body = None;
        Ok(0)
    }
}

/// First byte, last byte and, where it is known, the length of the whole.
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let number = |text: &str| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse().ok()).flatten()
    };
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, all) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let all = match all {
        "*" => None,
        all => Some(number(all)?),
    };
    let (first, last): (u64, u64) = (number(first)?, number(last)?);
    let is_sound = unit.eq_ignore_ascii_case("bytes")
        && first <= last
        && all.is_none_or(|all: u64| last < all);
    is_sound.then_some((first, last, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 9, Some(10))));
        assert_eq!(content_range("bytes 0-0/*"), Some((0, 0, None)));
        for bad in [
            "",
            "bytes",
            "bytes 5-9",
            "bytes */10",
            "bytes 9-5/10",
            "bytes 5-10/10",
            "bytes 5-9/x",
            "bytes +5-9/10",
            "items 5-9/10",
            "bytes 5-99999999999999999999/*",
        ] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
