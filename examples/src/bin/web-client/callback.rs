//! `GET /callback/{number}`: the redirect URI. It renders nothing, so that no
//! page ever has a code in its address: every way out of here is a 303.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use http::{HeaderMap, Response, header::SET_COOKIE};
use oauth_axum_rs::oauth_core::params::Params;

use super::{
    Site,
    authority::Authority,
    pages::{self, Page},
    problem::Problem,
    sessions::Session,
};

pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    Path(number): Path<usize>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Page> {
    match sign_in(&site, number, &query.unwrap_or_default(), &headers).await {
        Ok(session) => match site.sessions.begin(session, Site::now()) {
            Ok(cookie) => {
                let mut response = pages::go_home(Some(site.cookie(&cookie)));
                response.headers_mut().append(SET_COOKIE, site.no_problem());
                response
            }
            Err(_) => pages::go_home(Some(site.problem(Problem::Ours))),
        },
        Err(problem) => pages::go_home(Some(site.problem(problem))),
    }
}

async fn sign_in(site: &Site, number: usize, query: &str, headers: &HeaderMap) -> Result<Session, Problem> {
    let response = Params::parse(query).ok().filter(|params| params.refuse_repeated().is_ok());
    let response = response.ok_or(Problem::Unasked)?;
    let (authority, redirect_uri) = site.authority(number).ok_or(Problem::Unasked)?;
    let browser = site.browser(headers).ok_or(Problem::Unasked)?;
    let state = response.get("state").ok_or(Problem::Unasked)?;
    let attempt = site.attempts.finish(state, &browser, Site::now()).ok_or(Problem::Unasked)?;
    // Mix-up: what was asked of one server is not answered by another
    // (RFC 9700 section 4.4), and the answer says who gave it (RFC 9207
    // section 2.4). The code has gone nowhere yet.
    if attempt.number != number || !is_from(site, authority, response.get("iss")).await? {
        return Err(Problem::Foreign);
    }
    let Some(code) = response.get("code") else {
        return Err(match response.get("error") {
            Some("access_denied") => Problem::Denied,
            _ => Problem::Refused,
        });
    };
    let tokens = authority.redeem(&site.http, code, &redirect_uri, &attempt.verifier).await.map_err(|error| {
        tracing::warn!(issuer = authority.issuer, %error, "a code could not be redeemed");
        Problem::Unreachable
    })?;
    Ok(Session { number, access_token: tokens.access_token, refresh_token: tokens.refresh_token })
}

/// Compared byte for byte. Who does not send `iss` must not have promised to.
async fn is_from(site: &Site, authority: &Authority, iss: Option<&str>) -> Result<bool, Problem> {
    let metadata = authority.metadata(&site.http).await.map_err(|_| Problem::Unreachable)?;
    Ok(match iss {
        Some(iss) => iss == authority.issuer,
        None => !metadata.authorization_response_iss_parameter_supported,
    })
}
