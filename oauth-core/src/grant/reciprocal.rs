//! `urn:ietf:params:oauth:grant-type:reciprocal`: a client brings a code of its own,
//! and gets nothing for it (draft-ietf-oauth-reciprocal-04 section 2.2.2).

use super::{Failure, GrantAnswer, GrantFuture, TokenGrant, TokenRequest, subject_may_act};
use crate::{
    client::GrantType,
    engine::{fault::Fault, reciprocal::Reciprocity},
    error::OAuthError,
    params::Params,
    server::AuthorizationServer,
    store::ReciprocalLink,
    token::TokenKind,
};

/// How long a code of the other party may be, in characters. What it looks like is
/// that party's own affair.
const MAX_CODE: usize = 4096;

/// `urn:ietf:params:oauth:grant-type:reciprocal`.
#[derive(Debug)]
pub(crate) struct Reciprocal;

impl TokenGrant for Reciprocal {
    fn grant_type(&self) -> GrantType {
        GrantType::RECIPROCAL
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        Box::pin(issue(server, request))
    }
}

async fn issue(server: &AuthorizationServer, request: TokenRequest<'_>) -> Result<GrantAnswer, Failure> {
    let reciprocity = peer(server, &request)?;
    let offered = Offered::read(request.params)?;
    let link = link(server, &request, &offered).await?.ok_or_else(refused)?;
    reciprocity.queue(server, link, offered.code).await?;
    // The code is as safe as the store now, and will be redeemed whatever happens.
    Ok(GrantAnswer::nothing())
}

/// Whether the client is one that may do this.
fn peer<'s>(server: &'s AuthorizationServer, request: &TokenRequest<'_>) -> Result<&'s Reciprocity, OAuthError> {
    let client = request.client;
    if client.is_public() {
        return Err(OAuthError::unauthorized_client("a client that cannot authenticate may not start this"));
    }
    let own =
        server.reciprocity().map(AsRef::as_ref).filter(|own: &&Reciprocity| own.settings.wish(&client.id).is_some());
    own.ok_or_else(|| OAuthError::unauthorized_client("no code of this client is redeemed here"))
}

/// What the request brings, all of which must be there.
struct Offered<'r> {
    code: &'r str,
    client_id: &'r str,
    access_token: &'r str,
}

impl<'r> Offered<'r> {
    fn read(params: &'r Params) -> Result<Self, OAuthError> {
        let (code, client_id) = (params.require("code")?, params.require("client_id")?);
        let access_token = params.require("access_token")?;
        // OAuth 2.1 appendix A.11: code = 1*VSCHAR.
        if code.len() > MAX_CODE || !code.bytes().all(|byte| (0x20..=0x7E).contains(&byte)) {
            return Err(OAuthError::invalid_request("the code is too long, or has characters that no code has"));
        }
        Ok(Self { code, client_id, access_token })
    }
}

/// For whom the code is: for whom the access token is that this server gave to the
/// client. `None` if it is not good, whatever the matter is.
async fn link(
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
    offered: &Offered<'_>,
) -> Result<Option<ReciprocalLink>, Fault> {
    let client = &request.client.id;
    if offered.client_id != client.as_str() {
        return Ok(None);
    }
    let located = server.locate(offered.access_token).filter(|located| located.kind == TokenKind::Access);
    let Some(located) = located else { return Ok(None) };
    let Some((grant, access)) = server.live_access(&located).await? else { return Ok(None) };
    // Whoever finds a token that is bound to a key has not the key (RFC 9449, RFC 8705).
    let mine = access.client(&grant) == client && request.sender.holds_all(access.confirmation.as_ref());
    if !mine || !subject_may_act(server, &grant).await? {
        return Ok(None);
    }
    Ok(Some(ReciprocalLink::new(client.clone(), grant.facts.subject)))
}

/// One answer for every token that is not good, so that nobody can try out whose
/// they are.
fn refused() -> OAuthError {
    OAuthError::invalid_grant("the access token is unknown, expired, or not one that this client can use")
}
