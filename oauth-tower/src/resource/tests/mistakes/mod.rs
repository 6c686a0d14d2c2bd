//! Mistakes that layers like this one have shipped with, each shown not to be
//! one of ours: through the layer, with the status, the challenge, and where
//! requests went.
//!
//! | Mistake | Test |
//! |---|---|
//! | `iss` or `aud` not checked where keys were configured by URL; absent or of another JSON type | `claims` |
//! | `crit`, `typ`, `nbf`, a missing `exp` ignored; a bound token taken as a bearer token | `claims` |
//! | one bad key spoils the set or stops rotation; a rotated key is never learned | `keys` |
//! | a set of keys that is fetched once per unknown `kid`, or over whatever the token says | `keys`, `floods` |
//! | a fetch that holds up other requests | `outages` |
//! | a remote panic; the wrong status; no challenge | `statuses` |
//! | the scheme compared by case, repeated headers, broken header grammar | `statuses` |
//! | a first caller that goes away takes the others along, or leaves them waiting | `crowds`, `flights`, `shared` |
//! | the service called unready | `contract`, `contract_inside` |
//! | verdicts kept beyond `exp`, introspection answers believed loosely | `answers_kept` |
//! | discovery: an issuer that is not the one, any status, any order | `discovery` |
//! | DPoP: method and target compared loosely, private keys, replay, nonces | `proofs` |
//! | optional authentication that makes a bad token anonymous | `statuses` |
//! | tokens and claims in logs, errors and `Debug` | `leaks` |
//! | routing by `iss` that is then believed | `tenants` |

mod answers_kept;
mod claims;
mod corpus;
mod discovery;
mod keys;
mod leaks;
mod statuses;
mod tenants;

use std::collections::BTreeMap;

use super::{
    introspection::{ENDPOINT, active, issuer},
    keys::JWKS,
    *,
};

/// A resource server, its network, and the only URLs it was told of.
struct World {
    server: ResourceServer,
    upstream: Upstream,
    urls: &'static [&'static str],
}

const METADATA: &str = "https://as.example/.well-known/oauth-authorization-server";

impl World {
    fn new(issuers: impl IntoIterator<Item = Issuer>, urls: &'static [&'static str]) -> Self {
        let upstream = Upstream::new();
        let builder = ResourceServer::builder(RESOURCE).issuers(issuers).clock(clock()).http(upstream.client());
        Self { server: builder.build().unwrap(), upstream, urls }
    }

    /// The keys are where the configuration says.
    fn explicit(key: &Key) -> Self {
        let world = Self::new([Issuer::jwt(ISSUER).jwks_uri(JWKS).into()], &[JWKS]);
        world.upstream.json(JWKS, &key.document());
        world
    }

    /// The keys are where the issuer's metadata say.
    fn discovered(key: &Key) -> Self {
        let world = Self::new([Issuer::jwt(ISSUER).into()], &[METADATA, JWKS]);
        world.upstream.json(METADATA, &json!({ "issuer": ISSUER, "jwks_uri": JWKS })).json(JWKS, &key.document());
        world
    }

    /// Beside the issuer of JWTs there is one that calls every token active.
    fn beside_a_gullible_one(key: &Key) -> Self {
        let asked = Issuer::introspection("https://asked.example", ENDPOINT).client_basic("api", "hush");
        let world = Self::new([Issuer::jwt(ISSUER).jwks_uri(JWKS).into(), asked.into()], &[JWKS, ENDPOINT]);
        world.upstream.json(JWKS, &key.document()).json(ENDPOINT, &changed(active(), json!({ "iss": null })));
        world
    }

    /// One that is asked about everything, and knows no token.
    fn asking() -> Self {
        let world = Self::new([issuer().into()], &[ENDPOINT]);
        world.upstream.json(ENDPOINT, &json!({ "active": false }));
        world
    }

    /// Sends `request`: it must be refused with `status`, and with `error` in
    /// the challenge of its scheme (`None`: with a challenge that has none).
    async fn refuses(&self, request: Request<String>, status: u16, error: Option<&str>) {
        self.refuses_at(&self.server.layer(), request, status, error).await;
    }

    async fn refuses_at(&self, layer: &ResourceLayer, request: Request<String>, status: u16, error: Option<&str>) {
        let shown = format!("{:?}", request.headers().get(AUTHORIZATION));
        let (response, served) = send(layer, request).await;
        assert_eq!((response.status().as_u16(), served), (status, false), "{shown}");
        assert!(response.body().is_empty());
        let challenges = challenges(&response);
        assert!(!challenges.is_empty(), "RFC 9110 section 11.6.1: a 401 has a challenge");
        let errors: Vec<_> = challenges.iter().filter_map(|challenge| challenge.1.get("error")).collect();
        assert_eq!(errors, Vec::from_iter(error), "{shown}");
        self.asked_nobody_else();
    }

    /// Nothing was sent anywhere but where the configuration says, and nothing
    /// of a token was in a URL.
    fn asked_nobody_else(&self) {
        for url in self.upstream.urls() {
            assert!(self.urls.contains(&&*url), "{url} was asked");
        }
    }
}

/// The challenges of a response: scheme, and parameters. Each header must be
/// one challenge in the grammar of RFC 9110 section 11.6.1, with every value
/// quoted (RFC 6750 section 3) and every parameter once.
pub(in crate::resource::tests) fn challenges<B>(response: &Response<B>) -> Vec<(String, BTreeMap<String, String>)> {
    let values = response.headers().get_all(WWW_AUTHENTICATE).iter();
    values.map(|value| read_challenge(value.to_str().unwrap())).collect()
}

fn read_challenge(text: &str) -> (String, BTreeMap<String, String>) {
    let (scheme, mut rest) = text.split_once(' ').expect("a scheme and at least one parameter");
    assert!(scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
    let mut parameters = BTreeMap::new();
    loop {
        let (name, quoted) = rest.split_once("=\"").expect("a quoted value");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{text}");
        let (value, after) = read_quoted(quoted);
        if matches!(name, "error" | "error_description" | "scope") {
            // RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E.
            let allowed = |byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            assert!(value.bytes().all(allowed), "{text}");
        }
        assert!(parameters.insert(name.to_owned(), value).is_none(), "{name} twice: {text}");
        match after {
            "" => return (scheme.to_owned(), parameters),
            more => rest = more.strip_prefix(", ").expect("a comma"),
        }
    }
}

/// The text up to the closing quote, and what follows that.
fn read_quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(characters.next().expect("an escaped character").1),
            other => value.push(other),
        }
    }
    panic!("the quote is never closed: {text}");
}
