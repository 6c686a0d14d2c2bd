//! `GET /callback/{number}`: the redirect URI. It renders nothing, so that no
//! page ever has a code in its address: every way out of here is a 303.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use http::{HeaderMap, Response, header::SET_COOKIE};
use oauth_axum_rs::{
    oauth_core::params::Params,
    oauth_tower::client::{ResponseError, TokenError},
};

use super::{
    Site,
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
    let params = Params::parse(query).map_err(|_| Problem::Unasked)?;
    let authority = site.authority(number).ok_or(Problem::Unasked)?;
    let browser = site.browser(headers).ok_or(Problem::Unasked)?;
    let state = params.get("state").ok_or(Problem::Unasked)?;
    let attempt = site.attempts.finish(state, &browser, Site::now()).ok_or(Problem::Unasked)?;
    // Mix-up: what was asked of one server is not answered by another (RFC 9700
    // section 4.4). The code has gone nowhere yet.
    if attempt.number != number {
        return Err(Problem::Foreign);
    }
    let code = attempt.pending.check(query)?;
    let tokens = match authority.known(&site.http).await {
        Ok(known) => known.tokens.redeem(code).await,
        Err(_) => return Err(Problem::Unreachable),
    };
    let tokens = tokens.map_err(|error| {
        tracing::warn!(issuer = authority.issuer, %error, "a code could not be redeemed");
        if matches!(error, TokenError::Refused { .. }) { Problem::Refused } else { Problem::Unreachable }
    })?;
    let (access_token, token_type) = (tokens.access_token, tokens.token_type);
    Ok(Session { number, access_token, token_type, refresh_token: tokens.refresh_token })
}

impl From<ResponseError> for Problem {
    fn from(error: ResponseError) -> Self {
        match error {
            ResponseError::WrongIssuer => Self::Foreign,
            ResponseError::Refused { error, .. } if error == "access_denied" => Self::Denied,
            ResponseError::WrongState => Self::Unasked,
            _ => Self::Refused,
        }
    }
}
