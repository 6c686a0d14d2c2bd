//! Whether whoever sends a token is the one it was issued to.
//!
//! The one place where a binding (`cnf`, RFC 7800) meets the request. It is
//! asked for every request, whether the verdict on the token came from the
//! cache or not: the token may be known, a proof of possession is new each
//! time.

use http::Extensions;
use oauth_core::{claims::Confirmation, mtls::ClientCertificate};

use super::{ResourceServerBuilder, credentials::Scheme, refusal::InvalidToken, token::ValidatedToken};

/// What is known of the sender.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) proof: Proof,
    /// Where the client's certificate is, if certificates count here.
    pub(super) connection: Option<&'a Extensions>,
}

/// What the sender of a token proved for this very request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing: a bearer.
    None,
    /// That it holds the DPoP key of the token.
    Dpop,
    /// What the scheme at this index asks for.
    Scheme(usize),
}

/// Checks the binding of `token`: every member of it.
pub(super) fn check(token: &ValidatedToken, sender: Sender<'_>) -> Result<(), InvalidToken> {
    // The rest of the token need not be looked at, which may be far away in memory.
    if token.is_plain && sender.proof == Proof::None {
        return Ok(());
    }
    // RFC 9449 section 7.2: "MUST reject a DPoP-bound access token received as a
    // bearer token". So it is with every other type that asks for a proof.
    let is_proven = match token.scheme() {
        Scheme::Bearer => sender.proof == Proof::None,
        Scheme::Dpop => sender.proof == Proof::Dpop,
        Scheme::Other(index) => sender.proof == Proof::Scheme(index),
    };
    if !is_proven {
        return Err(InvalidToken::Bound);
    }
    match token.confirmation() {
        None => Ok(()),
        Some(cnf) => check_bound(cnf, sender),
    }
}

fn check_bound(cnf: &Confirmation, sender: Sender<'_>) -> Result<(), InvalidToken> {
    // RFC 7800 section 3.1: a member that is not understood must not be ignored.
    // A scheme that is not built in has looked at what is its own.
    if !cnf.is_understood() && !matches!(sender.proof, Proof::Scheme(_)) {
        return Err(InvalidToken::Bound);
    }
    if cnf.x5t_s256.is_some() {
        let certificate = sender.connection.ok_or(InvalidToken::Bound)?.get::<ClientCertificate>();
        // RFC 8705 section 3: else "invalid_token".
        if !certificate.is_some_and(|certificate| certificate.is_bound_to(cnf)) {
            return Err(InvalidToken::WrongCertificate);
        }
    }
    Ok(())
}

impl<I> ResourceServerBuilder<I> {
    /// Accepts tokens that are bound to a client certificate (RFC 8705 section
    /// 3), and says so in the metadata. Without this, they are refused.
    ///
    /// The certificate of the connection is expected in the extensions of the
    /// request, as a [`ClientCertificate`]: the TLS listener puts it there, or
    /// whatever believes the header of a trusted proxy.
    pub fn mutual_tls(self) -> Self {
        self.with(|settings| settings.mutual_tls = true)
    }
}
