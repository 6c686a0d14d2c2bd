//! `[client_authentication]`, and what limits and certificates have to do with
//! it.

use oauth_core::{
    client::AuthMethod,
    engine::client_auth::{AssertionAudience, ClientAuthentication},
};

use super::{limits::Limits, listen::Listen, reader::Reader};

/// How clients may authenticate.
pub(super) fn read(top: &mut Reader<'_>, listen: &Listen, limits: &Limits) -> ClientAuthentication {
    let mut section = top.section("client_authentication");
    let audiences = [
        ("issuer_or_token_endpoint", Some(AssertionAudience::IssuerOrTokenEndpoint)),
        ("issuer", Some(AssertionAudience::Issuer)),
    ];
    let mut authentication = ClientAuthentication::default();
    authentication.assertion_audience = section.choice("assertion_audience", &audiences).unwrap_or_default();
    authentication.failures_per_minute = limits.client_auth_failures_per_minute;
    if listen.mutual_tls {
        authentication.offer(AuthMethod::SelfSignedTlsClientAuth);
    }
    if listen.verified_certificates {
        authentication.offer(AuthMethod::TlsClientAuth);
    }
    authentication
}
