//! What a consent covers, and what becomes of it when its person agrees to
//! more: decided here, for every store.

use std::collections::BTreeMap;

use super::record::Consent;
use crate::{
    client::{Client, ClientId},
    clock::UnixTime,
    scope::Scope,
    secret::Digest,
};

impl Consent {
    /// The most resources that one consent may name. What goes beyond it is
    /// not remembered.
    pub const MAX_RESOURCES: usize = 32;

    /// The most scope tokens of one consent, at all its resources together.
    pub const MAX_TOKENS: usize = 1024;

    /// One to nothing yet, from `now` on: it covers no request, and ends at
    /// once. [`Consent::with`] makes something of it.
    ///
    /// ```
    /// use oauth_core::{client::ClientId, clock::UnixTime, store::Consent};
    /// let (now, until) = (UnixTime(1_800_000_000), UnixTime(1_807_776_000));
    /// let albums = ["https://albums.example/".to_owned()];
    /// let read = "albums:read".parse()?;
    /// let consent = Consent::new("alice", ClientId::new("app")?, now).with(&albums, &read, now, until);
    /// let consent = consent.ok_or("too much")?;
    /// assert!(consent.covers(&albums, &read));
    /// assert!(!consent.covers(&[], &read), "nor anywhere else");
    /// assert_eq!(consent.missing(&albums, &"albums:read albums:write".parse()?), "albums:write".parse()?);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(subject: impl Into<String>, client: ClientId, now: UnixTime) -> Self {
        let (subject, granted) = (subject.into(), BTreeMap::new());
        Self { subject, client, granted, given_at: now, expires_at: now, revision: 0 }
    }

    /// Whether it is about this client, and not about one of the same
    /// identifier that was there before: one that was removed may have left
    /// what people agreed to.
    #[must_use]
    pub fn is_for(&self, client: &Client) -> bool {
        let since = client.registration.as_deref().map(|registration| registration.issued_at);
        self.client == client.id && since.is_none_or(|since| since <= self.given_at)
    }

    /// Whether all of `scope` was agreed to at each of `resources`, so that
    /// the person need not be asked. To nothing at all of a resource they must
    /// have agreed too.
    ///
    /// Where `resources` is empty, it is about what was agreed to without a
    /// resource. Whether it has expired is not asked here: stores show none
    /// that has.
    #[must_use]
    pub fn covers(&self, resources: &[String], scope: &Scope) -> bool {
        places(resources).all(|place| self.granted.get(place).is_some_and(|granted| scope.is_subset_of(granted)))
    }

    /// The part of `scope` that is new at one of `resources` at least: what a
    /// page may point out. It is empty too where nothing is new but a resource:
    /// [`Consent::covers`] decides whether to ask.
    #[must_use]
    pub fn missing(&self, resources: &[String], scope: &Scope) -> Scope {
        let new_at = |place| self.granted.get(place).map_or(scope.clone(), |granted| scope.without(granted));
        places(resources).fold(Scope::empty(), |missing, place| missing.union(&new_at(place)))
    }

    /// The same, with `scope` at each of `resources` beside what was agreed to
    /// before; `None` if that is more than a consent may hold
    /// ([`Consent::MAX_RESOURCES`], [`Consent::MAX_TOKENS`]).
    ///
    /// It lasts until `expires_at`, but no longer than what it had before: no
    /// yes outlives its time because of another. Only where the person has
    /// said yes to everything that it holds, it begins anew.
    #[must_use]
    pub fn with(mut self, resources: &[String], scope: &Scope, now: UnixTime, expires_at: UnixTime) -> Option<Self> {
        let held = std::mem::take(&mut self.granted);
        let agreed: BTreeMap<String, Scope> =
            places(resources).map(|place| (place.to_owned(), scope.clone())).collect();
        let anew = held.iter().all(|(place, held)| agreed.get(place).is_some_and(|agreed| held.is_subset_of(agreed)));
        self.granted = held;
        for (place, scope) in agreed {
            let held = self.granted.entry(place).or_default();
            *held = held.union(&scope);
        }
        (self.given_at, self.expires_at) =
            if anew { (now, expires_at) } else { (self.given_at.min(now), self.expires_at.min(expires_at)) };
        self.revision = self.next_revision();
        self.fits().then_some(self)
    }

    /// Whose it is, and to what client: no other has the same.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(super) fn names(&self) -> (&str, &str) {
        (&self.subject, self.client.as_str())
    }

    fn fits(&self) -> bool {
        let few = self.granted.len() <= Self::MAX_RESOURCES;
        few && self.granted.values().map(Scope::len).sum::<usize>() <= Self::MAX_TOKENS
            // Else it could be written, but not be read again.
            && self.granted.values().all(|scope| scope.len() <= Scope::MAX_TOKENS)
    }

    /// A digest of what it follows and of what it says. So one that was
    /// forgotten and one that was given since are two, unless they say the
    /// same, and then either may be replaced.
    fn next_revision(&self) -> u64 {
        let number = |number: u64| number.to_be_bytes();
        let numbers = [number(self.revision), number(self.given_at.0), number(self.expires_at.0)].concat();
        let granted = self.granted.iter().map(|(place, scope)| format!("{place}\n{scope}\n")).collect::<String>();
        let parts = [self.subject.as_bytes(), self.client.as_str().as_bytes(), &numbers, granted.as_bytes()];
        let digest = Digest::of(&[b"consent", &Digest::of(&parts).as_bytes()[..]]);
        digest.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

/// The names under which consents are kept: of no resource, the empty one. A
/// request without a resource must not be one that every consent covers.
fn places(resources: &[String]) -> impl Iterator<Item = &str> {
    let nowhere = resources.is_empty().then_some("");
    resources.iter().map(String::as_str).chain(nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Registration;

    const NOW: UnixTime = UnixTime(1_800_000_000);
    const LATER: UnixTime = UnixTime(1_800_086_400);
    const END: UnixTime = UnixTime(1_807_776_000);

    fn scope(tokens: &str) -> Scope {
        tokens.parse().unwrap()
    }

    fn at(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn nothing() -> Consent {
        Consent::new("alice", ClientId::new("app").unwrap(), NOW)
    }

    fn given(places: &[&str], tokens: &str) -> Consent {
        nothing().with(&at(places), &scope(tokens), NOW, END).unwrap()
    }

    #[test]
    fn it_covers_what_was_agreed_to_at_every_resource_and_no_more() {
        let consent = given(&["one", "two"], "a b");
        for (places, tokens, covered) in [
            (&["one"][..], "a", true),
            (&["one", "two"], "b a", true),
            (&["two"], "", true),
            (&["one"], "c", false),
            (&["one"], "A", false),
            (&["one", "three"], "a", false),
            (&["three"], "", false),
            (&[], "a", false),
            (&[], "", false),
            (&[""], "", false),
        ] {
            assert_eq!(consent.covers(&at(places), &scope(tokens)), covered, "{tokens:?} at {places:?}");
        }
        assert!(!nothing().covers(&[], &scope("")) && !nothing().covers(&at(&["one"]), &scope("")));
    }

    #[test]
    fn a_request_without_a_resource_is_covered_by_one_without_a_resource() {
        let consent = given(&[], "a");
        assert!(consent.covers(&[], &scope("a")) && !consent.covers(&at(&["one"]), &scope("a")));
    }

    #[test]
    fn a_scope_of_one_resource_is_not_one_of_another() {
        let consent = given(&["one"], "a").with(&at(&["two"]), &scope("b"), NOW, END).unwrap();
        assert!(consent.covers(&at(&["one"]), &scope("a")) && consent.covers(&at(&["two"]), &scope("b")));
        assert!(!consent.covers(&at(&["one"]), &scope("b")) && !consent.covers(&at(&["one", "two"]), &scope("a")));
    }

    #[test]
    fn what_is_missing_is_what_is_new_at_one_resource_at_least() {
        let consent = given(&["one"], "a b").with(&at(&["two"]), &scope("a"), NOW, END).unwrap();
        for (places, tokens, missing) in [
            (&["one"][..], "a b", ""),
            (&["one"], "c a", "c"),
            (&["one", "two"], "a b c", "b c"),
            (&["three"], "a", "a"),
            (&["three"], "", ""),
            (&[], "a", "a"),
        ] {
            assert_eq!(consent.missing(&at(places), &scope(tokens)), scope(missing), "{tokens:?} at {places:?}");
        }
    }

    #[test]
    fn no_yes_outlives_its_time_because_of_another() {
        let first = given(&["one"], "a b");
        let end = LATER.saturating_add(90 * 86_400);
        let more = first.clone().with(&at(&["one"]), &scope("c"), LATER, end).unwrap();
        assert_eq!((more.given_at, more.expires_at), (NOW, END));
        assert!(more.covers(&at(&["one"]), &scope("a b c")));
        let shorter = first.clone().with(&at(&["two"]), &scope("c"), LATER, LATER.saturating_add(1)).unwrap();
        assert_eq!((shorter.given_at, shorter.expires_at), (NOW, LATER.saturating_add(1)));
        // To all of it, and more.
        let anew = first.clone().with(&at(&["two", "one"]), &scope("c b a"), LATER, end).unwrap();
        assert_eq!((anew.given_at, anew.expires_at), (LATER, end));
        let part = first.with(&at(&["two"]), &scope("a b"), LATER, end).unwrap();
        assert_eq!((part.given_at, part.expires_at), (NOW, END), "the resource is another");
    }

    #[test]
    fn what_is_beyond_its_bounds_is_not_remembered() {
        let many = |number: usize| (0..number).map(|n| format!("t{n}")).collect::<Vec<_>>();
        let wide = |number: usize| scope(&many(number).join(" "));
        let full = nothing().with(&many(Consent::MAX_RESOURCES), &scope("a"), NOW, END).unwrap();
        assert_eq!(full.clone().with(&at(&["more"]), &scope("a"), NOW, END), None);
        assert!(full.with(&many(1), &scope("b"), NOW, END).is_some());
        assert_eq!(nothing().with(&many(Consent::MAX_RESOURCES + 1), &scope("a"), NOW, END), None);
        // 256 tokens at each of four resources are all that there may be.
        let full = nothing().with(&many(4), &wide(256), NOW, END).unwrap();
        assert_eq!(full.clone().with(&at(&["more"]), &scope("a"), NOW, END), None);
        assert!(full.with(&at(&["more"]), &scope(""), NOW, END).is_some());
        let full = nothing().with(&many(1), &wide(256), NOW, END).unwrap();
        assert_eq!(full.clone().with(&many(1), &scope("one-more"), NOW, END), None, "no scope has so many");
        let text = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Consent>(&text).unwrap(), full);
    }

    #[test]
    fn one_that_was_given_again_has_another_revision() {
        let first = given(&["one"], "a");
        assert_eq!(first.revision, given(&["one"], "a").revision, "it says the same");
        let with = |places: &[&str], tokens: &str, now, end| {
            nothing().with(&at(places), &scope(tokens), now, end).unwrap().revision
        };
        let next = first.clone().with(&at(&["one"]), &scope("a"), NOW, END).unwrap();
        let others = [
            nothing().revision,
            next.revision,
            with(&["one"], "b", NOW, END),
            with(&["two"], "a", NOW, END),
            with(&["one", "a"], "", NOW, END),
            with(&[], "a", NOW, END),
            with(&["one"], "a", LATER, END),
            with(&["one"], "a", NOW, LATER),
        ];
        assert!(others.iter().all(|other| *other != first.revision), "{others:?}");
    }

    #[test]
    fn nobody_inherits_what_was_agreed_to_for_another_of_the_same_name() {
        let client = |registered: Option<UnixTime>| {
            let mut client = Client::builder("app").redirect_uri("https://app.example/").build().unwrap();
            client.registration = registered.map(|at| Box::new(Registration::new(at, Scope::empty())));
            client
        };
        let consent = given(&[], "a");
        assert!(consent.is_for(&client(None)) && consent.is_for(&client(Some(NOW))));
        assert!(!consent.is_for(&client(Some(NOW.saturating_add(1)))));
        let other = Client::builder("other").redirect_uri("https://app.example/").build().unwrap();
        assert!(!consent.is_for(&other));
    }
}
