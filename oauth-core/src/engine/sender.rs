//! Who sends a request: the keys that it proves possession of, so that nobody
//! else can use what comes of it ([RFC 9449 section 5], [RFC 8705 section 3]).
//!
//! First [`Shown::read`], which uses nothing up: whoever is told to come back
//! with a nonce can do so with the same client assertion. Then, once the client is
//! known, [`Shown::sender`], after which the proof is spent.
//!
//! [RFC 9449 section 5]: https://www.rfc-editor.org/rfc/rfc9449#section-5
//! [RFC 8705 section 3]: https://www.rfc-editor.org/rfc/rfc8705#section-3

use http::{HeaderName, Request};
use subtle::ConstantTimeEq;

use super::fault::{Failure, Fault};
use crate::{
    claims::Confirmation,
    client::Client,
    dpop::{DpopError, Proof, ProofRequest, TargetUri, VerifiedProof},
    error::OAuthError,
    mtls::ClientCertificate,
    server::AuthorizationServer,
};

/// What a request shows of its sender's keys.
pub(crate) struct Shown {
    proof: Option<VerifiedProof>,
    certificate: Option<ClientCertificate>,
}

/// Who has sent a token request: the keys that it proves possession of.
#[derive(Clone, Debug)]
pub struct Sender {
    /// What an access token is bound to.
    pub(crate) confirmation: Option<Confirmation>,
    /// The thumbprint of the certificate that was shown, whatever becomes of it.
    certificate: Option<String>,
    /// Whether refresh tokens are bound too.
    is_public: bool,
}

impl Shown {
    /// Reads what `request` shows, which was sent to the endpoint at `path` below
    /// the issuer.
    pub(crate) fn read<B>(server: &AuthorizationServer, request: &Request<B>, path: &str) -> Result<Self, OAuthError> {
        let certificate = request.extensions().get::<ClientCertificate>();
        let certificate = certificate.filter(|_| server.binds_to_certificates()).cloned();
        Ok(Self { proof: read_proof(server, request, path)?, certificate })
    }

    /// The thumbprint of the key that is proven, if one is. The proof is spent.
    pub(crate) async fn jkt(&self, server: &AuthorizationServer) -> Result<Option<&str>, Failure> {
        let Some(proof) = &self.proof else { return Ok(None) };
        // RFC 9449 section 11.1: once, on whichever node.
        let first = server.store().first_use(proof.digest(), proof.good_until(), server.now()).await;
        if !first.map_err(Fault::from)? {
            return Err(OAuthError::from(DpopError::Replayed).into());
        }
        Ok(Some(proof.jkt()))
    }

    /// The sender, which is `client`. The proof is spent.
    pub(crate) async fn sender(&self, server: &AuthorizationServer, client: &Client) -> Result<Sender, Failure> {
        // RFC 9449 section 5.2: "MUST reject token requests from the client that do
        // not contain the DPoP header". No bearer token instead.
        if self.proof.is_none() && (server.dpop().required || client.tokens.dpop_bound_access_tokens) {
            return Err(OAuthError::from(DpopError::Missing).into());
        }
        let bound = client.tokens.tls_client_certificate_bound_access_tokens;
        let certificate = self.certificate.as_ref().filter(|_| bound);
        // RFC 8705 section 3.4 leaves it to the server: no bearer token here either.
        if bound && certificate.is_none() {
            let missing = "the tokens of this client are bound to its certificate, and none was shown";
            return Err(OAuthError::invalid_request(missing).into());
        }
        let mut confirmation = self.jkt(server).await?.map(Confirmation::dpop);
        if let Some(certificate) = certificate {
            confirmation.get_or_insert_default().x5t_s256 = Some(certificate.thumbprint().to_owned());
        }
        let certificate = self.certificate.as_ref().map(|shown| shown.thumbprint().to_owned());
        Ok(Sender { confirmation, certificate, is_public: client.is_public() })
    }
}

impl Sender {
    /// What its access tokens are bound to; `None` for bearer tokens.
    #[must_use]
    pub const fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_ref()
    }

    /// Whether it holds the key with this thumbprint, in constant time.
    pub(crate) fn holds(&self, jkt: &str) -> bool {
        let own = self.confirmation.as_ref().and_then(|cnf| cnf.jkt.as_deref());
        own.is_some_and(|own| own.as_bytes().ct_eq(jkt.as_bytes()).into())
    }

    /// Whether it holds every key that `cnf` names, so that it may use what is bound to
    /// them.
    pub(crate) fn holds_all(&self, cnf: Option<&Confirmation>) -> bool {
        let Some(cnf) = cnf else { return true };
        let shown =
            |x5t: &String| self.certificate.as_ref().is_some_and(|own| own.as_bytes().ct_eq(x5t.as_bytes()).into());
        // What is bound in a way that is not known here is nobody's.
        cnf.is_understood()
            && cnf.jkt.as_ref().is_none_or(|jkt| self.holds(jkt))
            && cnf.x5t_s256.as_ref().is_none_or(shown)
    }

    /// What a token is bound to that is given for one bound to `cnf`: those keys
    /// too.
    pub(crate) fn bound_like(&self, cnf: Option<&Confirmation>) -> Option<Confirmation> {
        let Some(cnf) = cnf else { return self.confirmation.clone() };
        let mut both = self.confirmation.clone().unwrap_or_default();
        both.jkt = both.jkt.or_else(|| cnf.jkt.clone());
        both.x5t_s256 = both.x5t_s256.or_else(|| cnf.x5t_s256.clone());
        Some(both)
    }

    /// The name of the key that its refresh tokens are bound to.
    ///
    /// RFC 9449 section 5: those of public clients only. Those of other clients
    /// are bound to the client, and it may change its key.
    pub(crate) fn refresh_binding(&self) -> Option<String> {
        let cnf = self.confirmation.as_ref().filter(|_| self.is_public)?;
        let [jkt, x5t] = [&cnf.jkt, &cnf.x5t_s256].map(|part| part.as_deref().unwrap_or_default());
        Some(format!("jkt {jkt} x5t#S256 {x5t}"))
    }
}

const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The one proof of `request`, good in every respect but for having been used.
fn read_proof<B>(
    server: &AuthorizationServer,
    request: &Request<B>,
    path: &str,
) -> Result<Option<VerifiedProof>, DpopError> {
    let mut headers = request.headers().get_all(DPOP).iter();
    let settings = server.dpop();
    let Some(header) = headers.next().filter(|_| settings.is_on()) else { return Ok(None) };
    // RFC 9449 section 4.3, item 1.
    if headers.next().is_some() {
        return Err(DpopError::Several);
    }
    let header = header.to_str().map_err(|_| DpopError::Malformed)?;
    // From the configuration: nothing in the request says where this is.
    let here = TargetUri::parse(&format!("{}{path}", server.issuer())).map_err(|_| DpopError::WrongTarget)?;
    let targets = [here];
    let expected = ProofRequest::without_token(request.method().as_str(), &targets, server.now());
    let expected = expected.with_window(settings.window).with_algorithms(&settings.algorithms);
    let proof = Proof::verify(header, &expected)?;
    if settings.nonces {
        let _age = proof.check_nonce(&server.dpop_nonces(), server.now())?;
    }
    Ok(Some(proof))
}
