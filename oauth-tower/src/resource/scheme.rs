//! [`TokenScheme`]: ways to present an access token that are not built in
//! (OAuth 2.1 section 7.1).

use std::{borrow::Cow, fmt, future::Future, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use http::{Extensions, HeaderMap, Method, Uri};
use oauth_core::{challenge::Challenge, error::ErrorCode, secret::Secret};

use super::{
    BuildError, ResourceServerBuilder,
    credentials::Scheme,
    refusal::{InvalidRequest, InvalidToken, RefusalKind},
    sender::Proof,
    token::{TokenClaims, ValidatedToken},
    validate::{Check, Judge, Judged},
};

/// A type of access token beside `Bearer` and `DPoP`: how it stands in the
/// `Authorization` header, and how its sender proves the right to use it
/// (RFC 6749 section 7.1).
///
/// The scheme says which access token a request carries. The issuers judge that
/// token like any other, through the same cache; then, for every request, the
/// scheme sees to the proof. Tokens of the scheme are refused under any other
/// scheme, and others under this.
///
/// ```
/// use oauth_core::{error::ErrorCode, secret::Secret};
/// use oauth_tower::resource::{Presented, SchemeError, SchemeRequest, TokenScheme};
///
/// /// `Authorization: Pin TOKEN PIN`. A toy: the example `mac_scheme` is not.
/// #[derive(Debug)]
/// struct Pin;
///
/// impl TokenScheme for Pin {
///     fn name(&self) -> &'static str {
///         "Pin"
///     }
///
///     fn read(&self, request: &SchemeRequest<'_>) -> Result<Presented, SchemeError> {
///         let malformed = || SchemeError::new(ErrorCode::InvalidRequest, "say TOKEN PIN");
///         let (token, pin) = request.credentials().split_once(' ').ok_or_else(malformed)?;
///         let pin = Secret::new(pin);
///         Ok(Presented::new(token, async move |token| {
///             let wanted = token.claim("pin").and_then(|pin| pin.as_str()).map(Secret::new);
///             // Secrets are compared in constant time.
///             if wanted.is_some_and(|wanted| wanted == pin) {
///                 return Ok(());
///             }
///             Err(SchemeError::new(ErrorCode::Other("wrong_pin".into()), "the pin is wrong"))
///         }))
///     }
/// }
/// ```
pub trait TokenScheme: fmt::Debug + Send + Sync + 'static {
    /// The name of the authentication scheme (RFC 9110 section 11.1), which is
    /// compared without regard to case. A token, other than `Bearer`, `DPoP` and
    /// the names of other schemes, or there is no resource server
    /// ([`BuildError`]).
    fn name(&self) -> &'static str;

    /// Reads the credentials of a request.
    ///
    /// # Errors
    /// [`SchemeError`] if they are not what they must be.
    fn read(&self, request: &SchemeRequest<'_>) -> Result<Presented, SchemeError>;

    /// Whether an access token is of this type. By default, if an introspection
    /// response says so in `token_type`. Where tokens are JWTs, look at `cnf`.
    fn is_type_of(&self, claims: &TokenClaims) -> bool {
        claims.token_type.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(self.name()))
    }

    /// Adds to the challenge (RFC 9110 section 11.6.1), which names the realm
    /// already.
    fn challenge(&self, challenge: Challenge) -> Challenge {
        challenge
    }
}

/// A request whose credentials are of a [`TokenScheme`].
#[derive(Clone, Copy)]
pub struct SchemeRequest<'a> {
    credentials: &'a str,
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
}

impl SchemeRequest<'_> {
    /// What follows the name of the scheme: visible ASCII and spaces.
    #[must_use]
    pub const fn credentials(&self) -> &str {
        self.credentials
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        self.method
    }

    /// The target, as the service sees it.
    #[must_use]
    pub const fn uri(&self) -> &Uri {
        self.uri
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        self.headers
    }
}

/// The access token of a request, and what is left to prove.
pub struct Presented {
    token: Secret,
    prove: Box<Prove>,
}

type Prove = dyn FnOnce(Arc<ValidatedToken>) -> BoxFuture<'static, Result<(), SchemeError>> + Send;

impl Presented {
    /// `token` is judged first. If it is good, `prove` says whether this request
    /// may use it.
    pub fn new<F>(token: impl Into<Secret>, prove: impl FnOnce(Arc<ValidatedToken>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), SchemeError>> + Send + 'static,
    {
        Self { token: token.into(), prove: Box::new(|token| prove(token).boxed()) }
    }
}

/// Why credentials of a [`TokenScheme`] are no good: what the client hears
/// (RFC 6749 section 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeError {
    kind: SchemeErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SchemeErrorKind {
    Refused { code: ErrorCode, description: Cow<'static, str> },
    Unavailable { retry_after: u64 },
}

impl SchemeError {
    /// 401, with `error` and `error_description` in the challenge of the scheme.
    /// Neither may hold a secret.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: SchemeErrorKind::Refused { code, description: description.into() } }
    }

    /// 503: whether the credentials are good cannot be found out now. To try
    /// again in so many seconds.
    #[must_use]
    pub const fn unavailable(retry_after: u64) -> Self {
        Self { kind: SchemeErrorKind::Unavailable { retry_after } }
    }
}

impl SchemeError {
    pub(super) const fn code(&self) -> Option<&ErrorCode> {
        match &self.kind {
            SchemeErrorKind::Refused { code, .. } => Some(code),
            SchemeErrorKind::Unavailable { .. } => None,
        }
    }

    pub(super) fn description(&self) -> Option<&str> {
        match &self.kind {
            SchemeErrorKind::Refused { description, .. } => Some(description),
            SchemeErrorKind::Unavailable { .. } => None,
        }
    }
}

impl fmt::Display for SchemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description().unwrap_or("the credentials cannot be judged now"))
    }
}

impl std::error::Error for SchemeError {}

impl From<SchemeError> for RefusalKind {
    fn from(error: SchemeError) -> Self {
        match error.kind {
            SchemeErrorKind::Unavailable { retry_after } => Self::Unavailable { retry_after },
            SchemeErrorKind::Refused { .. } => Self::InvalidCredentials(error),
        }
    }
}

impl<I> ResourceServerBuilder<I> {
    /// Serves another type of access token too.
    pub fn scheme(self, scheme: impl TokenScheme) -> Self {
        self.with(|settings| settings.schemes.push(Arc::new(scheme)))
    }
}

impl Judge {
    /// Judges credentials of the scheme at `index`.
    pub(super) fn check_scheme(
        self: &Arc<Self>,
        index: usize,
        credentials: &[u8],
        headers: &HeaderMap,
        line: Option<(&Method, &Uri)>,
        extensions: Option<&Extensions>,
    ) -> Check {
        let Presented { token, prove } = match self.present(index, credentials, headers, line) {
            Ok(presented) => presented,
            Err(kind) => return self.at_once(Err(kind)),
        };
        self.check_token(token.expose().as_bytes(), extensions).then_prove(async move |token: Arc<ValidatedToken>| {
            if token.scheme() != Scheme::Other(index) {
                return Err(InvalidToken::NotBound.into());
            }
            prove(Arc::clone(&token)).await?;
            Ok(Judged { token, proof: Proof::Scheme(index), fresh_nonce: None })
        })
    }

    fn present(
        &self,
        index: usize,
        credentials: &[u8],
        headers: &HeaderMap,
        line: Option<(&Method, &Uri)>,
    ) -> Result<Presented, RefusalKind> {
        let scheme = self.terms.schemes.get(index).ok_or(RefusalKind::MissingCredentials)?;
        // Nobody knows what was signed.
        let (method, uri) = line.ok_or(InvalidToken::Bound)?;
        let malformed = RefusalKind::InvalidRequest(InvalidRequest::MalformedHeader);
        let visible = |byte: &u8| matches!(byte, b' '..=b'~');
        let text = str::from_utf8(credentials).ok().filter(|text| text.as_bytes().iter().all(visible));
        let credentials = text.ok_or(malformed)?;
        Ok(scheme.read(&SchemeRequest { credentials, method, uri, headers })?)
    }
}

/// Each scheme must be told apart from all others, and stand in a header.
pub(super) fn check_names(schemes: &[Arc<dyn TokenScheme>]) -> Result<(), BuildError> {
    let mut taken = vec!["Bearer", "DPoP"];
    for scheme in schemes {
        let name = scheme.name();
        if !is_token(name) {
            return Err(BuildError::MalformedScheme(name.into()));
        }
        if taken.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(BuildError::DuplicateScheme(name.into()));
        }
        taken.push(name);
    }
    Ok(())
}

/// RFC 9110 section 5.6.2.
fn is_token(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(legal)
}

pub(super) fn challenge(scheme: &dyn TokenScheme) -> Challenge {
    scheme.challenge(Challenge::new(scheme.name()))
}

impl fmt::Debug for SchemeRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SchemeRequest(..)")
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(..)")
    }
}
