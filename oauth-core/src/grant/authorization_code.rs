//! `authorization_code`: a code and its verifier for tokens (OAuth 2.1 section
//! 4.1.3).

use super::{GrantAnswer, GrantFuture, TokenGrant, subject_may_act};
use crate::{
    client::{Client, GrantType},
    clock::UnixTime,
    engine::{
        fault::Failure,
        issue::{NewAccess, Target, TokenRequest},
        revocations::Revoked,
    },
    error::OAuthError,
    event::Event,
    params::Params,
    pkce::{CodeChallenge, CodeVerifier},
    secret::Digest,
    server::AuthorizationServer,
    store::{Code, Grant, RedeemCode, Redemption, Revocation},
    token::{MintedToken, ReadToken, TokenKind, TokenResponse},
};

const NAME: &str = "authorization_code";

/// How many wrong verifiers end a code.
const MOST_GUESSES: u64 = 5;

/// `authorization_code`.
#[derive(Debug)]
pub(super) struct AuthorizationCode;

impl TokenGrant for AuthorizationCode {
    fn grant_type(&self) -> GrantType {
        GrantType::AUTHORIZATION_CODE
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        GrantAnswer::tokens(issue(server, request))
    }
}

async fn issue(server: &AuthorizationServer, request: TokenRequest<'_>) -> Result<TokenResponse, Failure> {
    let TokenRequest { client, params, sender, .. } = request;
    let read = server.codec().read(TokenKind::Code, params.require("code")?).ok_or_else(refused)?;
    // Whose code it is decides first: nobody else learns anything about it.
    let grant = server.store().grant(read.grant).await?.filter(|grant| grant.facts.client == client.id);
    let grant = grant.ok_or_else(refused)?;
    // RFC 9449 section 10: bound like this it is of no use with another key, nor
    // without one; and it stays good for its owner.
    if grant.facts.dpop_jkt.as_deref().is_some_and(|jkt| !sender.holds(jkt)) {
        return Err(refused().into());
    }
    if !server.stands(&grant).await? {
        return Err(refused().into());
    }
    let challenge = read_verifier(params, grant.code.as_ref())?;
    if grant.code.as_ref().is_some_and(|code| is_guess(code, &read, challenge, server.now())) {
        count_guess(server, client, &grant).await?;
        return Err(refused().into());
    }
    let reciprocal = grant.code.as_ref().is_some_and(Code::is_reciprocal);
    if reciprocal {
        check_reciprocal(client, params)?;
    }
    if !subject_may_act(server, &grant).await? {
        return Err(refused().into());
    }
    let target = Target::read(server, &request, &grant.facts, false)?;

    let answers = |code: &Code| code.is_answered_by(read.digest, params.get("redirect_uri"), challenge);
    let turn = server.take_turn(client, &grant, answers).await?;
    let access = server.mint_access(&grant, 0, target).await?;
    let refresh = mint_refresh(server, &request, &grant)?;
    let redeem = redeem(server, client, params, &read, challenge, &access, refresh.as_ref());
    let announcement = server.announce(Revoked::Grant(grant.id)).at(&grant.facts.resources);
    match server.store().redeem_code(redeem).await? {
        Redemption::Redeemed => {
            announcement.withdraw();
            if let Some(turn) = turn
                && !server.end_older(&turn, grant.id).await?
            {
                return Err(refused().into());
            }
            server.tell(&Event::TokensIssued { grant: grant.id, client: &client.id, grant_type: NAME });
            let mut response = server.response(access.text, &access.record, refresh.map(|minted| minted.text));
            // Where this is the way back, the two know of each other.
            response.reciprocal = server.reciprocal_wish(client).filter(|_| !reciprocal).cloned();
            Ok(response)
        }
        Redemption::Replayed => {
            server.tell(&Event::CodeReplayed { grant: grant.id, client: &client.id });
            server.ended_by_replay(grant.id, announcement).await?;
            Err(OAuthError::invalid_grant("the code was used before; its tokens have been revoked").into())
        }
        Redemption::Refused => {
            announcement.withdraw();
            Err(refused().into())
        }
    }
}

/// One answer for every code that is not good, so that none of its bindings
/// can be probed.
fn refused() -> OAuthError {
    OAuthError::invalid_grant(
        "the code is unknown, expired, or not bound to this client, redirect_uri, code_verifier and key",
    )
}

/// The challenge that the request's verifier answers: a verifier must be there
/// if and only if a challenge was (OAuth 2.1 section 4.1.3).
fn read_verifier(params: &Params, code: Option<&Code>) -> Result<Option<CodeChallenge>, OAuthError> {
    let bound = code.is_some_and(|code| code.challenge.is_some());
    match params.get("code_verifier") {
        None if bound => Err(OAuthError::invalid_grant("the parameter code_verifier is missing")),
        None => Ok(None),
        Some(_) if !bound => Err(OAuthError::invalid_request("code_verifier without a code_challenge")),
        Some(verifier) => match CodeVerifier::parse(verifier) {
            Some(verifier) => Ok(Some(CodeChallenge::of(&verifier))),
            None => Err(OAuthError::invalid_grant("code_verifier must be 43 to 128 unreserved characters")),
        },
    }
}

/// Whether the verifier alone is wrong, of a code that is still to be redeemed.
fn is_guess(code: &Code, read: &ReadToken, challenge: Option<CodeChallenge>, now: UnixTime) -> bool {
    let is_open = code.redeemed_at.is_none() && now < code.expires_at;
    is_open && code.digest == read.digest && code.challenge.is_some() && code.challenge != challenge
}

/// With so many wrong verifiers, whoever has the code is not its client: the code is void.
async fn count_guess(server: &AuthorizationServer, client: &Client, grant: &Grant) -> Result<(), Failure> {
    let Some(code) = &grant.code else { return Ok(()) };
    let guesses = Digest::of(&[b"wrong verifier ", code.digest.as_bytes()]);
    if server.store().count_use(guesses, code.expires_at, server.now()).await? >= MOST_GUESSES {
        let ended = server.end_grant(grant).await?;
        if ended == Revocation::Revoked {
            server.tell(&Event::CodeVoided { grant: grant.id, client: &client.id });
        }
    }
    Ok(())
}

/// A reciprocal code is for whoever proves that they are its client, and came from
/// no redirect URI (draft-ietf-oauth-reciprocal-04 section 2.2.2).
fn check_reciprocal(client: &Client, params: &Params) -> Result<(), OAuthError> {
    if client.is_public() {
        return Err(OAuthError::unauthorized_client("this code is for a client that authenticates"));
    }
    if params.get("redirect_uri").is_some() {
        return Err(refused());
    }
    Ok(())
}

fn mint_refresh(
    server: &AuthorizationServer,
    request: &TokenRequest<'_>,
    grant: &Grant,
) -> Result<Option<MintedToken>, Failure> {
    if !request.client.may_use(&GrantType::REFRESH_TOKEN) {
        return Ok(None);
    }
    Ok(Some(server.mint_refresh(grant, 0, request.sender)?))
}

fn redeem(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
    read: &ReadToken,
    challenge: Option<CodeChallenge>,
    access: &NewAccess,
    refresh: Option<&MintedToken>,
) -> RedeemCode {
    RedeemCode {
        grant: read.grant,
        digest: read.digest,
        client: client.id.clone(),
        redirect_uri: params.get("redirect_uri").map(str::to_owned),
        challenge,
        now: server.now(),
        refresh: refresh.map(|minted| minted.digest),
        access: access.record.clone(),
    }
}
