//! What a request says of who sends it: bytes in, at most one token out.

use std::sync::Arc;

use http::{HeaderMap, header::AUTHORIZATION};

use super::{refusal::InvalidRequest, scheme::TokenScheme};

/// The credentials of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credentials<'a> {
    /// None, or none that concern OAuth.
    None,
    /// What follows `Bearer` and spaces. Ask [`token68`] before trusting it.
    Bearer(&'a [u8]),
    /// What follows `DPoP` and spaces, or nothing; likewise.
    Dpop(&'a [u8]),
    /// What follows the name of the scheme at this index, and spaces.
    Other(usize, &'a [u8]),
}

/// How a token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Bearer,
    Dpop,
    /// That of the scheme at this index.
    Other(usize),
}

impl Scheme {
    /// The scheme of a request that was refused, for the challenge.
    pub(super) fn of(headers: &HeaderMap, schemes: &[Arc<dyn TokenScheme>]) -> Self {
        match Credentials::read(headers, None, schemes) {
            Ok(Credentials::Dpop(_)) => Self::Dpop,
            Ok(Credentials::Other(index, _)) => Self::Other(index),
            _ => Self::Bearer,
        }
    }
}

impl<'a> Credentials<'a> {
    /// Reads the `Authorization` header (OAuth 2.1 section 7.2.1.1) and sees
    /// to it that it is the only place with a token.
    ///
    /// A token in the query alone is no credential (OAuth 2.1 section 7.4.3.7).
    pub(super) fn read(
        headers: &'a HeaderMap,
        query: Option<&str>,
        schemes: &[Arc<dyn TokenScheme>],
    ) -> Result<Self, InvalidRequest> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(Self::None) };
        if values.next().is_some() {
            return Err(InvalidRequest::RepeatedHeader);
        }
        let credentials = Self::parse(value.as_bytes(), schemes)?;
        // RFC 6750 section 2: clients "MUST NOT use more than one method".
        if !matches!(credentials, Self::None) && query.is_some_and(has_token) {
            return Err(InvalidRequest::SeveralTokens);
        }
        Ok(credentials)
    }

    fn parse(value: &'a [u8], schemes: &[Arc<dyn TokenScheme>]) -> Result<Self, InvalidRequest> {
        let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
        let (scheme, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
        // RFC 9110 section 11.4: 1*SP between scheme and token.
        let start = rest.iter().position(|byte| *byte != b' ');
        let said = start.and_then(|start| rest.get(start..)).unwrap_or_default();
        // RFC 9110 section 11.1: the scheme is case-insensitive.
        if scheme.eq_ignore_ascii_case(b"dpop") {
            return Ok(Self::Dpop(said));
        }
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            let is_meant = |other: &Arc<dyn TokenScheme>| scheme.eq_ignore_ascii_case(other.name().as_bytes());
            return match schemes.iter().position(is_meant) {
                Some(index) => Ok(Self::Other(index, said)),
                None if starts_like(scheme, b"bearer") || starts_like(scheme, b"dpop") => {
                    Err(InvalidRequest::MalformedHeader)
                }
                None => Ok(Self::None),
            };
        }
        if said.is_empty() { Err(InvalidRequest::MalformedHeader) } else { Ok(Self::Bearer(said)) }
    }
}

/// `token` as text, if it is a token68 (RFC 9110 section 11.2).
pub(super) fn token68(token: &[u8]) -> Option<&str> {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let (body, _) = token.split_at_checked(token.len() - padding)?;
    // Without an early exit, so that it is done many bytes at a time.
    let legal = body.iter().fold(true, |legal, byte| legal & is_token68(*byte));
    if legal && !body.is_empty() { str::from_utf8(token).ok() } else { None }
}

const fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

/// `Bearer,`, `Bearer\tx`: meant as bearer, and not well said.
fn starts_like(scheme: &[u8], meant: &[u8]) -> bool {
    let token_end = scheme.iter().position(|byte| matches!(byte, b'\t' | b',' | b'=' | b'"'));
    token_end.and_then(|end| scheme.get(..end)).is_some_and(|scheme| scheme.eq_ignore_ascii_case(meant))
}

/// Whether a query has a parameter `access_token`, however it is encoded.
pub(super) fn has_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &str, query: Option<&str>) -> Result<Option<String>, InvalidRequest> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        match Credentials::read(&headers, query, &[])? {
            Credentials::Bearer(token) => match token68(token) {
                Some(token) => Ok(Some(token.to_owned())),
                None => Err(InvalidRequest::MalformedHeader),
            },
            Credentials::None | Credentials::Dpop(_) | Credentials::Other(..) => Ok(None),
        }
    }

    // spec: RS-01
    #[test]
    fn the_scheme_is_of_any_case_and_followed_by_one_or_more_spaces() {
        for good in ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR   abc"] {
            assert_eq!(read(good, None), Ok(Some("abc".into())), "{good}");
        }
        let alphabet = "Bearer AZaz09-._~+/==";
        assert_eq!(read(alphabet, None), Ok(Some("AZaz09-._~+/==".into())));
        let long = "x".repeat(12_000);
        assert_eq!(read(&format!("Bearer {long}"), None), Ok(Some(long)));
    }

    // spec: RS-02
    #[test]
    fn bearer_without_exactly_one_token68_is_malformed() {
        let bad = ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer a, Bearer b", "Bearer =", "Bearer a=b"];
        let worse = ["Bearer\ta", "Bearer a\t", "Bearer \"a\"", "Bearer é", "Bearer a%20b", "Bearer, a", "Bearer=a"];
        for header in bad.into_iter().chain(worse) {
            assert_eq!(read(header, None), Err(InvalidRequest::MalformedHeader), "{header}");
        }
    }

    // spec: RS-07
    #[test]
    fn another_scheme_is_no_credential_here() {
        for other in ["Basic YTpi", "Bear abc", "Bearers abc", "Digest username=\"x\"", "", " Bearer abc", "DPoP abc"] {
            assert_eq!(read(other, None), Ok(None), "{other}");
        }
    }

    // spec: RS-06
    #[test]
    fn a_token_in_the_header_and_one_in_the_query_are_too_many() {
        for query in ["access_token=x", "a=b&access_token=", "access_token", "access%5Ftoken=x", "%61ccess_token=x"] {
            assert_eq!(read("Bearer abc", Some(query)), Err(InvalidRequest::SeveralTokens), "{query}");
        }
        for query in ["", "a=access_token", "access_tokens=x", "xaccess_token=x"] {
            assert_eq!(read("Bearer abc", Some(query)), Ok(Some("abc".into())), "{query}");
        }
    }

    // spec: RS-05
    #[test]
    fn a_token_in_the_query_alone_is_no_credential() {
        let headers = HeaderMap::new();
        assert_eq!(Credentials::read(&headers, Some("access_token=abc"), &[]), Ok(Credentials::None));
    }
}
