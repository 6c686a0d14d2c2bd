//! `WWW-Authenticate` challenges ([RFC 9110] section 11.6.1, [RFC 6750] section 3).
//!
//! Whatever text goes in, a valid header value comes out: every parameter is
//! quoted and appears once, and characters that a parameter may not hold are
//! replaced by `'`.
//!
//! [RFC 6750]: https://www.rfc-editor.org/rfc/rfc6750
//! [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110

use std::{borrow::Cow, fmt};

use crate::{error::ErrorCode, jwt::Algorithm, scope::Scope};

/// One challenge: a scheme and its parameters. `Display` writes the value of
/// the header; a response with several challenges has one header for each.
///
/// ```
/// use oauth_core::{challenge::Challenge, error::ErrorCode};
/// let challenge = Challenge::bearer()
///     .realm("photos")
///     .error(&ErrorCode::InsufficientScope)
///     .scope(&"photos:write".parse()?);
/// assert_eq!(
///     challenge.to_string(),
///     r#"Bearer realm="photos", error="insufficient_scope", scope="photos:write""#,
/// );
/// # Ok::<_, oauth_core::scope::InvalidScope>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    scheme: Cow<'static, str>,
    parameters: Vec<(Cow<'static, str>, String)>,
}

impl Challenge {
    /// A challenge for any scheme. Characters that no scheme may have are
    /// dropped (RFC 9110 section 5.6.2, "token"); should none remain, it reads
    /// `Unknown`.
    pub fn new(scheme: impl Into<Cow<'static, str>>) -> Self {
        let scheme = token(scheme.into());
        let scheme = if scheme.is_empty() { "Unknown".into() } else { scheme };
        Self { scheme, parameters: Vec::new() }
    }

    /// A `Bearer` challenge (RFC 6750 section 3).
    #[must_use]
    pub fn bearer() -> Self {
        Self::new("Bearer")
    }

    /// A `DPoP` challenge (RFC 9449 section 7.1).
    #[must_use]
    pub fn dpop() -> Self {
        Self::new("DPoP")
    }

    /// A `Basic` challenge, which must have a realm (RFC 7617 section 2).
    #[must_use]
    pub fn basic(realm: &str) -> Self {
        Self::new("Basic").realm(realm)
    }

    /// `realm`: the protection space (RFC 9110 section 11.5).
    #[must_use]
    pub fn realm(self, realm: &str) -> Self {
        self.with("realm", sift(realm, is_text))
    }

    /// `error`: what went wrong (RFC 6750 section 3.1). Leave it out where the
    /// request had no credentials at all.
    #[must_use]
    pub fn error(self, code: &ErrorCode) -> Self {
        self.with("error", sift(code.as_str(), is_error_text))
    }

    /// `error_description`: for the developer of the client.
    #[must_use]
    pub fn error_description(self, description: &str) -> Self {
        self.with("error_description", sift(description, is_error_text))
    }

    /// `scope`: what this operation needs (RFC 6750 section 3). An empty scope
    /// is left out.
    #[must_use]
    pub fn scope(self, scope: &Scope) -> Self {
        if scope.is_empty() { self } else { self.with("scope", scope.to_string()) }
    }

    /// `resource_metadata`: the URL of the metadata of this resource
    /// (RFC 9728 section 5.1).
    #[must_use]
    pub fn resource_metadata(self, url: &str) -> Self {
        self.with("resource_metadata", sift(url, is_text))
    }

    /// `algs`: the algorithms of a DPoP proof (RFC 9449 section 7.1).
    #[must_use]
    pub fn algs(self, algorithms: &[Algorithm]) -> Self {
        let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
        self.with("algs", names.join(" "))
    }

    /// `acr_values`: how the user must have signed in (RFC 9470 section 3).
    #[must_use]
    pub fn acr_values<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        self.with("acr_values", sift(&values.join(" "), is_text))
    }

    /// `max_age`: how many seconds ago at most (RFC 9470 section 3).
    #[must_use]
    pub fn max_age(self, seconds: u64) -> Self {
        self.with("max_age", seconds.to_string())
    }

    /// Any other parameter. A name that is no token (RFC 9110 section 5.6.2)
    /// loses what it may not have; should nothing remain, nothing is added.
    #[must_use]
    pub fn parameter(self, name: impl Into<Cow<'static, str>>, value: &str) -> Self {
        let name = token(name.into());
        if name.is_empty() { self } else { self.with(name, sift(value, is_text)) }
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The value of the `WWW-Authenticate` header: visible ASCII and spaces.
    #[must_use]
    pub fn to_header_value(&self) -> String {
        self.to_string()
    }

    /// RFC 9110 section 11.2: a parameter name "MUST only occur once"; and
    /// names do not depend on case.
    fn with(mut self, name: impl Into<Cow<'static, str>>, value: String) -> Self {
        let name = name.into();
        match self.parameters.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(&name)) {
            Some((_, own)) => *own = value,
            None => self.parameters.push((name, value)),
        }
        self
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            write!(f, "{} {name}=\"", if index == 0 { "" } else { "," })?;
            for c in value.chars() {
                // RFC 9110 section 5.6.4: quoted-pair.
                if matches!(c, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}

/// What any quoted string holds here: visible ASCII and spaces. RFC 9110 would
/// allow more, but not every client copes with it.
const fn is_text(c: char) -> bool {
    matches!(c, '\x20'..='\x7E')
}

/// RFC 6750 section 3: `error` and `error_description` "MUST NOT include
/// characters outside the set %x20-21 / %x23-5B / %x5D-7E".
const fn is_error_text(c: char) -> bool {
    is_text(c) && !matches!(c, '"' | '\\')
}

fn sift(text: &str, allowed: fn(char) -> bool) -> String {
    text.chars().map(|c| if allowed(c) { c } else { '\'' }).collect()
}

fn token(name: Cow<'static, str>) -> Cow<'static, str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.chars().all(allowed) { name } else { name.chars().filter(|c| allowed(*c)).collect::<String>().into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Splits a challenge by the grammar of RFC 9110 section 11.6.1, or fails.
    fn read(value: &str) -> Option<(String, Vec<(String, String)>)> {
        let (scheme, mut rest) = value.split_once(' ').unwrap_or((value, ""));
        let mut parameters = Vec::new();
        while !rest.is_empty() {
            let (name, quoted) = rest.split_once("=\"")?;
            let mut text = String::new();
            let mut chars = quoted.char_indices();
            let end = loop {
                match chars.next()? {
                    (end, '"') => break end,
                    (_, '\\') => text.push(chars.next()?.1),
                    (_, c) => text.push(c),
                }
            };
            parameters.push((name.to_owned(), text));
            rest = quoted.get(end + 1..)?;
            rest = rest.strip_prefix(", ").unwrap_or(rest);
        }
        Some((scheme.to_owned(), parameters))
    }

    fn scope(text: &str) -> Scope {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn each_kind_of_challenge_reads_as_its_rfc_writes_it() {
        assert_eq!(Challenge::bearer().to_string(), "Bearer");
        assert_eq!(Challenge::basic("api").to_string(), r#"Basic realm="api""#);
        let dpop = Challenge::dpop().error(&ErrorCode::InvalidToken).algs(&[Algorithm::ES256, Algorithm::PS256]);
        assert_eq!(dpop.to_string(), r#"DPoP error="invalid_token", algs="ES256 PS256""#);
        let step_up = Challenge::bearer()
            .error(&ErrorCode::Other("insufficient_user_authentication".into()))
            .acr_values(["phr", "phrh"])
            .max_age(300);
        let expected = r#"Bearer error="insufficient_user_authentication", acr_values="phr phrh", max_age="300""#;
        assert_eq!(step_up.to_string(), expected);
        let metadata = Challenge::bearer().resource_metadata("https://r.example/.well-known/oauth-protected-resource");
        assert_eq!(
            metadata.to_string(),
            r#"Bearer resource_metadata="https://r.example/.well-known/oauth-protected-resource""#,
        );
    }

    // spec: RS-10
    #[test]
    fn each_parameter_appears_once_and_the_last_value_counts() {
        let challenge = Challenge::bearer()
            .scope(&scope("a"))
            .realm("one")
            .scope(&scope("b c"))
            .parameter("Realm", "two")
            .scope(&Scope::empty());
        assert_eq!(challenge.to_string(), r#"Bearer scope="b c", realm="two""#);
    }

    // spec: RS-10
    #[test]
    fn quotes_and_backslashes_are_escaped_where_they_may_stand_and_replaced_where_not() {
        let text = "a\"b\\c";
        let challenge = Challenge::bearer().realm(text).error_description(text);
        assert_eq!(challenge.to_string(), r#"Bearer realm="a\"b\\c", error_description="a'b'c""#);
    }

    // spec: RS-10
    #[test]
    fn no_text_can_end_the_header_or_begin_another() {
        let text = "a\r\nSet-Cookie: b=c\u{0}\u{7f}é\"";
        let challenge = Challenge::new("Bearer\r\nX: y")
            .realm(text)
            .error(&ErrorCode::Other(text.into()))
            .error_description(text)
            .resource_metadata(text)
            .acr_values([text])
            .parameter("own\r\n=\"", text)
            .parameter("\r\n", text);
        let value = challenge.to_header_value();
        assert!(value.bytes().all(|byte| matches!(byte, 0x20..=0x7e)), "{value}");
        let (scheme, parameters) = read(&value).unwrap_or_default();
        assert_eq!(scheme, "BearerXy");
        let names: Vec<_> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["realm", "error", "error_description", "resource_metadata", "acr_values", "own"]);
    }

    proptest! {
        #[test]
        fn whatever_goes_in_a_header_value_comes_out(scheme in ".*", name in ".*", one in ".*", two in ".*") {
            let challenge = Challenge::new(scheme).parameter(name, &one).error_description(&two);
            let value = challenge.to_header_value();
            prop_assert!(value.bytes().all(|byte| matches!(byte, 0x20..=0x7e)));
            let (_, parameters) = read(&value).unwrap_or_default();
            let description = parameters.last().map(|(_, text)| text.as_str()).unwrap_or_default();
            prop_assert!(description.chars().all(is_error_text));
            prop_assert_eq!(description.chars().count(), two.chars().count());
        }
    }
}
