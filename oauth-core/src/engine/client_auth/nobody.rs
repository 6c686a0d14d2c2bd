//! Credentials that nobody has: what is presented for a client that does not
//! exist is proven against these, so that it takes as long.

use super::{super::fault::Fault, presented::Credential};
use crate::{
    client::{AuthMethod, Client, ClientBuilder, ClientId, ClientJwks, ClientSecret, TlsSubject},
    clock::{Random, random_bytes},
    jwk::JwkSet,
    secret::{Sealer, Secret},
};

/// One client for each method that has work to do.
pub(crate) struct Nobody {
    secret: Client,
    secret_jwt: Client,
    key: Client,
    keys: JwkSet,
    subject: Client,
    certificate: Client,
}

impl Nobody {
    pub(crate) fn new(sealer: &Sealer, random: &dyn Random) -> Result<Self, Fault> {
        let jwks = ClientJwks::parse(KEYS.as_bytes()).map_err(|_| INTERNAL)?;
        let subject = TlsSubject::parse("tls_client_auth_subject_dn", "CN=nobody,O=nobody").ok().flatten();
        let with = |method| Client::builder(NAME).auth_method(method);
        Ok(Self {
            secret: build(with(AuthMethod::ClientSecretBasic).secret(ClientSecret::generate(random)?.1))?,
            secret_jwt: build(with(AuthMethod::ClientSecretJwt).secret(sealed_secret(sealer, random)?))?,
            keys: jwks.keys().clone(),
            key: build(with(AuthMethod::PrivateKeyJwt).jwks(jwks.clone()))?,
            subject: build(with(AuthMethod::TlsClientAuth).tls_subject(subject.ok_or(INTERNAL)?))?,
            certificate: build(with(AuthMethod::SelfSignedTlsClientAuth).jwks(jwks))?,
        })
    }

    /// Whom to compare `credential` with, and how.
    pub(super) fn with(&self, credential: &Credential<'_>) -> Vec<(AuthMethod, &Client)> {
        match credential {
            Credential::Basic(_) => vec![(AuthMethod::ClientSecretBasic, &self.secret)],
            Credential::Post(_) => vec![(AuthMethod::ClientSecretPost, &self.secret)],
            // An assertion is either the one or the other, as its header has it.
            Credential::Assertion(_) => {
                vec![(AuthMethod::ClientSecretJwt, &self.secret_jwt), (AuthMethod::PrivateKeyJwt, &self.key)]
            }
            Credential::NameAlone(Some(_)) => {
                vec![
                    (AuthMethod::TlsClientAuth, &self.subject),
                    (AuthMethod::SelfSignedTlsClientAuth, &self.certificate),
                ]
            }
            Credential::NameAlone(None) => Vec::new(),
        }
    }

    /// One key for each algorithm.
    pub(super) const fn keys(&self) -> &JwkSet {
        &self.keys
    }
}

const NAME: &str = "nobody";

const INTERNAL: Fault = Fault::Internal("nobody has no credentials");

fn build(client: ClientBuilder) -> Result<Client, Fault> {
    client.build().map_err(|_| INTERNAL)
}

fn sealed_secret(sealer: &Sealer, random: &dyn Random) -> Result<ClientSecret, Fault> {
    let secret: String = random_bytes::<32>(random)?.iter().map(|byte| format!("{byte:02x}")).collect();
    let id = ClientId::new(NAME).map_err(|_| INTERNAL)?;
    Ok(ClientSecret::sealed_by(sealer, &Secret::new(secret), &id, random)?)
}

/// Made for this, and their private halves thrown away; the certificate is none.
/// What they verify is refused all the same.
const KEYS: &str = r#"{"keys":[
    {"kty":"RSA","e":"AQAB","x5c":["MAA="],"n":"wAXURVuGPen2rem9uKpspaXZkrDj_xtxKA-0vP9Ew0HyIKnn33uRTMG_N2w9_nNDzecSgPRiVYW_8r_A7AcJzTP1DZpviC0p671g8Tkiq6VHzopxwTzrUFhev_XHg75hrAzv1XFo_i7G3zmWdywuElEHttlkjoyjbEd9WDCj8gXlZc_NX8zyjqkpSqPJnNtdwR5_w-h0y6e84lSSIONPD0G3-4veq2jHJUO_pJvc_ol4s8rcZZnwV4eLpNZM7MIuv82NILsgUbERkwA8PXpBDI6FhasffXR3GmVvbO4u0vOqHmpjWRqgD67kUn6ku2SC4z7magRQTqD-jywoxzFmMQ"},
    {"kty":"EC","crv":"P-256","x":"nhtVLWIgGOBmdy8P41qQ3xkmcU1sLI8MX6HGUcfQ-8E",
     "y":"4wyCid_TRhIg6Jtbcj4D5hDSKxnRb3-Y3M5tMokyy80"},
    {"kty":"EC","crv":"P-384","x":"E9RMhQ6N9CH9VI_-WA_EWCzxeoLdz6XFd7PIJ8kjTskAJFg7KwwwNfIGN8mjCzRy",
     "y":"bvHwKxbNJvUUP2tDtb7T2dJUrRUU5zO_Q8VBJMrHLgdbKS4-iINrYaf2NQI-ZIQA"},
    {"kty":"OKP","crv":"Ed25519","x":"sVrTBQAB94cfYG1EK-eSuwgn9S8hHPEx6jsC627IQvc"}
]}"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SystemRandom, jwt::Algorithm, secret::RootSecret};

    #[test]
    fn there_is_a_key_of_nobody_for_each_algorithm() {
        let nobody = Nobody::new(&RootSecret::new([7; 32]).sealer(b"x"), &SystemRandom).unwrap();
        for algorithm in Algorithm::ALL {
            assert_eq!(nobody.keys().candidates(None, *algorithm).count(), 1, "{algorithm}");
        }
    }
}
