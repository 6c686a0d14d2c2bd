//! What clients publish elsewhere: each document is read once for as long as it
//! stays the same, and whoever watches hears when it cannot be had.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    event::Event,
    fetch::{FetchError, FetchUrl, Fetched, Purpose},
    server::AuthorizationServer,
};

/// Documents of so many bytes in all are kept with what was read. Beyond it all are
/// read anew: that costs time and no request.
pub(super) const MOST: usize = 4 * 1024 * 1024;

/// What was read from documents, each by the URL that it came from.
pub(crate) struct ReadOnce<T> {
    known: Mutex<Known<T>>,
}

struct Known<T> {
    read: HashMap<String, Read<T>>,
    /// Of all documents, and of those that they have replaced.
    bytes: usize,
}

struct Read<T> {
    document: Arc<[u8]>,
    value: T,
}

impl<T: Clone> ReadOnce<T> {
    /// What `read` makes of the document at `url`; it is called if this is another
    /// one than the last. What it refuses is not kept.
    pub(super) fn get<E>(
        &self,
        url: &str,
        fetched: &Fetched,
        read: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(value) = self.kept(url, &fetched.body) {
            return Ok(value);
        }
        // Without the lock: others must not wait for a long document.
        let value = read(&fetched.body)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.bytes += url.len() + fetched.body.len();
        if known.bytes > MOST {
            *known = Known::default();
        }
        known.read.insert(url.to_owned(), Read { document: Arc::clone(&fetched.body), value: value.clone() });
        Ok(value)
    }

    fn kept(&self, url: &str, document: &Arc<[u8]>) -> Option<T> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.read.get(url).filter(|read| read.document == *document).map(|read| read.value.clone())
    }
}

impl<T> Default for ReadOnce<T> {
    fn default() -> Self {
        Self { known: Mutex::default() }
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { read: HashMap::new(), bytes: 0 }
    }
}

impl<T> fmt::Debug for ReadOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnce").finish_non_exhaustive()
    }
}

impl AuthorizationServer {
    /// Tells that the document at `url` was not fetched: by its host alone, since a
    /// query may hold anything.
    pub(super) fn tell_not_fetched(&self, url: &str, purpose: Purpose, error: &FetchError) {
        let parsed = FetchUrl::insecure_parse_loopback(url).ok();
        let host = parsed.as_ref().map_or("(unknown)", FetchUrl::host);
        self.tell(&Event::FetchFailed { host, purpose, error });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixTime;

    fn fetched(document: &str) -> Fetched {
        Fetched::new(document.as_bytes(), UnixTime(1_000))
    }

    #[test]
    fn a_document_is_read_once_and_again_when_it_has_changed() {
        let cache = ReadOnce::<usize>::default();
        let read = |url: &str, document: &str, again: bool| {
            let mut asked = false;
            let length = cache.get(url, &fetched(document), |bytes| {
                asked = true;
                Ok::<_, ()>(bytes.len())
            });
            assert_eq!((length, asked), (Ok(document.len()), again), "{url}");
        };
        read("a", "12", true);
        read("a", "12", false);
        read("b", "12", true);
        read("a", "34", true);
        read("a", "34", false);
        assert_eq!(cache.get("a", &fetched("x"), |_| Err("no")), Err("no"));
        read("a", "34", false);
    }

    #[test]
    fn what_was_read_takes_bounded_room() {
        let cache = ReadOnce::<usize>::default();
        let document = " ".repeat(60_000);
        for number in 0..100 {
            cache.get(&number.to_string(), &fetched(&document), |bytes| Ok::<_, ()>(bytes.len())).unwrap();
            let known = cache.known.lock().unwrap();
            assert!(known.read.values().map(|read| read.document.len()).sum::<usize>() <= MOST + document.len());
        }
        assert!(cache.known.lock().unwrap().read.len() > 20);
    }
}
