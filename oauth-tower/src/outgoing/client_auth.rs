//! How this crate authenticates to another party's endpoints.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{
    HeaderValue, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use oauth_core::{clock::UnixTime, keys::SigningKey, secret::Secret};
use zeroize::Zeroizing;

use super::private_key_jwt::{ASSERTION_TYPE, PrivateKeyJwt};

/// The credentials of this party at an authorization server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic` (OAuth 2.1 section 2.4.1).
    Basic {
        /// `client_id`.
        id: String,
        /// The client secret.
        secret: Secret,
    },
    /// `client_secret_post` (OAuth 2.1 section 2.4.1).
    Post {
        /// `client_id`.
        id: String,
        /// The client secret.
        secret: Secret,
    },
    /// A public client: its `client_id`, and nothing to prove it by.
    None {
        /// `client_id`.
        id: String,
    },
    /// An access token for the endpoint itself (RFC 7662 section 2.1).
    Bearer(Secret),
    /// `private_key_jwt`: an assertion that the client signs for each request
    /// (RFC 7523 section 2.2).
    PrivateKeyJwt(PrivateKeyJwt),
}

/// Why a request cannot be authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    /// A secret that no HTTP header can carry: it has a control character.
    #[error("the secret cannot be sent in a header")]
    UnsendableSecret,
    #[error("the source of randomness failed")]
    Random,
    #[error("the assertion cannot be signed")]
    Signature,
}

impl ClientAuth {
    /// `private_key_jwt` (RFC 7523 section 2.2) for the client `id`, whose key is
    /// `key`, at the server with the issuer identifier `audience`. Settings are
    /// on [`PrivateKeyJwt`].
    ///
    /// ```
    /// use oauth_core::{jwt::Algorithm, keys::SigningKey};
    /// use oauth_tower::outgoing::ClientAuth;
    /// let key = SigningKey::generate(Algorithm::ES256)?;
    /// let auth = ClientAuth::private_key_jwt("app", key, "https://as.example");
    /// # drop(auth);
    /// # Ok::<_, oauth_core::keys::KeyError>(())
    /// ```
    #[must_use]
    pub fn private_key_jwt(id: impl Into<String>, key: SigningKey, audience: impl Into<String>) -> Self {
        PrivateKeyJwt::new(id, key, audience).into()
    }

    /// The `client_id`, where there is one.
    pub(crate) fn client_id(&self) -> Option<&str> {
        match self {
            Self::Basic { id, .. } | Self::Post { id, .. } | Self::None { id } => Some(id),
            Self::PrivateKeyJwt(auth) => Some(auth.id()),
            Self::Bearer(_) => None,
        }
    }

    /// Whether [`ClientAuth::post`] will succeed, as far as that can be known.
    pub(crate) fn check(&self) -> Result<(), AuthError> {
        self.header().map(drop)
    }

    /// A form for `uri` with `fields`, authenticated. To be sent once, at `now`:
    /// an assertion is good for one use.
    pub(crate) fn post(&self, uri: &Uri, fields: &[(&str, &str)], now: UnixTime) -> Result<Request<Bytes>, AuthError> {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        match self {
            Self::Post { id, secret } => {
                form.append_pair("client_id", id).append_pair("client_secret", secret.expose());
            }
            Self::None { id } => {
                form.append_pair("client_id", id);
            }
            Self::PrivateKeyJwt(auth) => {
                // RFC 7521 section 4.2: `client_id` is optional beside it; some
                // servers will have it.
                form.append_pair("client_id", auth.id())
                    .append_pair("client_assertion_type", ASSERTION_TYPE)
                    .append_pair("client_assertion", &auth.assertion(now)?);
            }
            Self::Basic { .. } | Self::Bearer(_) => {}
        }
        let mut request = Request::new(Bytes::from(form.finish()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(value) = self.header()? {
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn header(&self) -> Result<Option<HeaderValue>, AuthError> {
        let text = match self {
            Self::Basic { id, secret } => {
                // RFC 6749 section 2.3.1: both are "encoded using the
                // application/x-www-form-urlencoded encoding algorithm" first.
                let pair = Zeroizing::new(format!("{}:{}", encode(id), *Zeroizing::new(encode(secret.expose()))));
                Zeroizing::new(format!("Basic {}", *Zeroizing::new(STANDARD.encode(pair.as_bytes()))))
            }
            Self::Bearer(token) => Zeroizing::new(format!("Bearer {}", token.expose())),
            Self::Post { .. } | Self::None { .. } | Self::PrivateKeyJwt(_) => return Ok(None),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| AuthError::UnsendableSecret)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl From<PrivateKeyJwt> for ClientAuth {
    fn from(auth: PrivateKeyJwt) -> Self {
        Self::PrivateKeyJwt(auth)
    }
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(auth: &ClientAuth) -> Request<Bytes> {
        auth.post(&Uri::from_static("https://as.example/introspect"), &[("token", "a+b/c=")], UnixTime(1_000)).unwrap()
    }

    #[test]
    fn basic_form_encodes_both_halves_before_base64() {
        let auth = ClientAuth::Basic { id: "a:b c".into(), secret: "s+ß%".into() };
        let request = post(&auth);
        let value = request.headers()[AUTHORIZATION].to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        assert_eq!(STANDARD.decode(value).unwrap(), b"a%3Ab+c:s%2B%C3%9F%25");
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert_eq!(request.body(), "token=a%2Bb%2Fc%3D");
    }

    #[test]
    fn post_puts_the_credentials_into_the_body_and_nowhere_else() {
        let request = post(&ClientAuth::Post { id: "rs".into(), secret: "s&t".into() });
        assert_eq!(request.body(), "token=a%2Bb%2Fc%3D&client_id=rs&client_secret=s%26t");
        assert!(!request.headers().contains_key(AUTHORIZATION));
    }

    #[test]
    fn an_assertion_stands_in_the_body_and_is_a_new_one_each_time() {
        let key = SigningKey::generate(oauth_core::jwt::Algorithm::ES256).unwrap();
        let auth = ClientAuth::private_key_jwt("rs", key, "https://as.example");
        let assertion = || {
            let request = post(&auth);
            assert!(!request.headers().contains_key(AUTHORIZATION));
            let mut fields: Vec<(String, String)> = form_urlencoded::parse(request.body()).into_owned().collect();
            let (name, assertion) = fields.pop().unwrap();
            let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            let others = [("token", "a+b/c="), ("client_id", "rs"), ("client_assertion_type", ASSERTION_TYPE)];
            assert_eq!(fields, others.map(own));
            assert_eq!(name, "client_assertion");
            assertion
        };
        let one = assertion();
        assert_eq!(one.split('.').count(), 3);
        assert_ne!(one, assertion());
        assert!(auth.check().is_ok());
    }

    #[test]
    fn a_secret_that_no_header_can_carry_is_found_beforehand() {
        assert!(ClientAuth::Bearer("a\nb".into()).check().is_err());
        assert!(ClientAuth::Bearer("ab".into()).check().is_ok());
        assert!(ClientAuth::Basic { id: "a".into(), secret: "a\nb".into() }.check().is_ok());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let shown = format!("{:?}", ClientAuth::Basic { id: "rs".into(), secret: "hush".into() });
        assert!(!shown.contains("hush"));
    }
}
