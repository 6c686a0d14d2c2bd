//! What the certificate of a client must say (RFC 8705 section 2.1.2).

use std::net::IpAddr;

use super::{DistinguishedName, InvalidDistinguishedName};

/// Which certificates are a client's, for
/// [`AuthMethod::TlsClientAuth`](super::AuthMethod::TlsClientAuth): one of the
/// members of RFC 8705 section 2.1.2, and no more than one.
///
/// ```
/// use oauth_core::client::{AuthMethod, Client, TlsSubject};
/// let subject = TlsSubject::parse("tls_client_auth_san_dns", "app.example")?.expect("a member of RFC 8705");
/// let app = Client::builder("app").auth_method(AuthMethod::TlsClientAuth).tls_subject(subject).build()?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsSubject {
    /// `tls_client_auth_subject_dn`: the subject is this name.
    Dn(DistinguishedName),
    /// `tls_client_auth_san_dns`: one of the alternative names is this DNS name.
    Dns(String),
    /// `tls_client_auth_san_uri`: one of them is this URI.
    Uri(String),
    /// `tls_client_auth_san_ip`: one of them is this address.
    Ip(IpAddr),
    /// `tls_client_auth_san_email`: one of them is this address of e-mail.
    Email(String),
}

/// A member that is not what it must be. The message begins with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTlsSubject {
    /// Not a distinguished name.
    #[error("tls_client_auth_subject_dn: {0}")]
    Dn(#[from] InvalidDistinguishedName),
    /// Not a DNS name in ASCII. Wildcards name nobody.
    #[error("tls_client_auth_san_dns: is not a DNS name")]
    Dns,
    /// Not an absolute URI in ASCII.
    #[error("tls_client_auth_san_uri: is not an absolute URI")]
    Uri,
    /// Not an address in dotted decimal or colon-delimited hexadecimal form.
    #[error("tls_client_auth_san_ip: is not an IP address")]
    Ip,
    /// Not an address of e-mail.
    #[error("tls_client_auth_san_email: is not an e-mail address")]
    Email,
}

/// The longest value of a member.
const MAX_BYTES: usize = 2048;

impl TlsSubject {
    /// The names of the members.
    pub const MEMBERS: [&str; 5] = [
        "tls_client_auth_subject_dn",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_uri",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_email",
    ];

    /// Reads the member of this name; `None` if `name` is none of
    /// [`TlsSubject::MEMBERS`].
    ///
    /// # Errors
    /// [`InvalidTlsSubject`] if the value is not what it must be.
    pub fn parse(name: &str, value: &str) -> Result<Option<Self>, InvalidTlsSubject> {
        let text = |legal: bool, error| if legal { Ok(value.to_owned()) } else { Err(error) };
        Ok(Some(match name {
            "tls_client_auth_subject_dn" => Self::Dn(value.parse()?),
            "tls_client_auth_san_dns" => Self::Dns(text(is_dns_name(value), InvalidTlsSubject::Dns)?),
            "tls_client_auth_san_uri" => Self::Uri(text(is_uri(value), InvalidTlsSubject::Uri)?),
            "tls_client_auth_san_ip" => Self::Ip(value.parse().map_err(|_| InvalidTlsSubject::Ip)?),
            "tls_client_auth_san_email" => Self::Email(text(is_email(value), InvalidTlsSubject::Email)?),
            _ => return Ok(None),
        }))
    }

    /// The name of the member, and its value.
    #[must_use]
    pub fn member(&self) -> (&'static str, String) {
        let [dn, dns, uri, ip, email] = Self::MEMBERS;
        match self {
            Self::Dn(name) => (dn, name.as_str().to_owned()),
            Self::Dns(name) => (dns, name.clone()),
            Self::Uri(identifier) => (uri, identifier.clone()),
            Self::Ip(address) => (ip, address.to_string()),
            Self::Email(address) => (email, address.clone()),
        }
    }
}

/// RFC 5280 section 4.2.1.6: "in the 'preferred name syntax'", as ASCII.
fn is_dns_name(name: &str) -> bool {
    let in_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(in_label)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn is_uri(uri: &str) -> bool {
    let scheme = uri.split(':').next().unwrap_or_default();
    let legal_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    legal_scheme && uri.len() > scheme.len() + 1 && is_graphic(uri)
}

fn is_email(address: &str) -> bool {
    let parts = address.rsplit_once('@');
    is_graphic(address) && parts.is_some_and(|(local, domain)| !local.is_empty() && is_dns_name(domain))
}

fn is_graphic(text: &str) -> bool {
    text.len() <= MAX_BYTES && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    // spec: CAU-21
    #[test]
    fn each_member_is_read_back_and_what_it_cannot_be_is_refused_by_its_name() {
        let [dn, dns, uri, ip, email] = TlsSubject::MEMBERS;
        for (member, value) in [
            (dn, "CN=app,O=Example"),
            (dns, "app-1.example"),
            (uri, "spiffe://example/app"),
            (uri, "urn:example:app"),
            (ip, "192.0.2.1"),
            (ip, "2001:db8::1"),
            (email, "o'app@mail.example"),
        ] {
            let subject = TlsSubject::parse(member, value).unwrap().unwrap();
            assert_eq!(subject.member(), (member, value.to_owned()));
        }
        for (member, value) in [
            (dn, ""),
            (dn, "app"),
            (dns, ""),
            (dns, "*.example"),
            (dns, "app..example"),
            (dns, "app.example."),
            (dns, "-app.example"),
            (dns, "caf\u{e9}.example"),
            (dns, "app.example\0"),
            (uri, "app"),
            (uri, "https:"),
            (uri, "ht tp://app.example"),
            (uri, "https://app.example/ "),
            (ip, "192.0.2.1/32"),
            (ip, "192.0.2"),
            (ip, "[::1]"),
            (email, "app"),
            (email, "@example"),
            (email, "app@*.example"),
            (email, "a pp@example"),
        ] {
            let error = TlsSubject::parse(member, value).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{member}: ")), "{member} {value:?}: {error}");
        }
        assert_eq!(TlsSubject::parse("tls_client_auth", "x"), Ok(None));
    }
}
