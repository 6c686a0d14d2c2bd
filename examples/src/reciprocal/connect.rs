//! `GET /reciprocal/connect/NAME`: a person connects this service with another in
//! their browser. It goes to party B and asks for access there, comes back to
//! `/reciprocal/callback/NAME`, is asked at `/reciprocal/consent` what B wants in
//! turn, and the code goes to B.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{
        HeaderMap, HeaderValue, Response, StatusCode,
        header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE},
    },
    routing::get,
};
use oauth_axum_rs::{
    AuthorizationServer, Secret,
    oauth_tower::client::{
        AuthorizationRequest, AuthorizationRequestBuilder, Discovery, PendingAuthorization, ResponseError,
    },
};
use oauth_core::{
    engine::fault::Fault, event::Event, metadata::AuthorizationServerMetadata, scope::Scope, secret::Digest,
};
use tokio::sync::OnceCell;

use super::{
    cookies::{Begun, Connected, LIFETIME, carried, carry, dropped},
    host::Host,
    said::Said,
};
use crate::config::{Config, Connect, Initiator};

/// This server as the party A that people connect.
#[derive(Clone, Debug)]
pub struct Connecting(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) server: AuthorizationServer,
    parties: Vec<Party>,
}

/// A party B.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) initiator: Initiator,
    metadata: OnceCell<AuthorizationServerMetadata>,
}

impl Connecting {
    /// `None` where no party B can be connected.
    #[must_use]
    pub fn new(config: &Config, server: &AuthorizationServer) -> Option<Self> {
        let initiators = config.reciprocal.as_ref()?.initiators.iter().filter(|one| one.connect.is_some());
        let party = |initiator: &Initiator| Party { initiator: initiator.clone(), metadata: OnceCell::new() };
        let parties: Vec<Party> = initiators.map(party).collect();
        (!parties.is_empty()).then(|| Self(Arc::new(Shared { server: server.clone(), parties })))
    }

    /// Where the browser begins, and where it comes back.
    pub fn router(&self) -> Router {
        let path = |rest: &str| format!("{}/reciprocal/{rest}", self.0.server.issuer_path());
        Router::new()
            .route(&path("connect/{name}"), get(connect))
            .route(&path("callback/{name}"), get(callback))
            .with_state(self.clone())
    }

    /// Where the person is asked.
    #[must_use]
    pub fn consent_path(&self) -> String {
        format!("{}/reciprocal/consent", self.0.server.issuer_path())
    }

    /// What is asked there, and who takes the answer.
    #[must_use]
    pub fn host(&self) -> Host {
        Host(Arc::clone(&self.0))
    }
}

async fn connect(State(connecting): State<Connecting>, Path(name): Path<String>) -> Response<Body> {
    connecting.begin(&name).await.unwrap_or_else(Said::page)
}

async fn callback(
    State(connecting): State<Connecting>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let (mut answer, is_over) = match connecting.come_back(&name, &query.unwrap_or_default(), &headers).await {
        Ok(answer) => (answer, true),
        // What somebody else has sent here ends nothing of this person's.
        Err(said) => (said.page(), !matches!(said, Said::Unasked | Said::Foreign)),
    };
    if is_over {
        answer.headers_mut().append(SET_COOKIE, dropped::<Begun>(&connecting.0.server));
    }
    answer
}

impl Connecting {
    async fn begin(&self, name: &str) -> Result<Response<Body>, Said> {
        let Shared { server, .. } = &*self.0;
        let (party, connect) = self.0.party(name).ok_or(Said::Nobody)?;
        let metadata = party.metadata(connect, server.is_development()).await?;
        let redirect_uri = format!("{}/reciprocal/callback/{name}", server.issuer().trim_end_matches('/'));
        let request = AuthorizationRequest::builder(metadata, &connect.our_client_id, redirect_uri);
        let request = connect.our_scope.iter().fold(request, AuthorizationRequestBuilder::scope);
        let request = if server.is_development() { request.insecure_http() } else { request };
        let request = request.build().map_err(|error| {
            tracing::warn!(name, %error, "nobody can be sent to this party");
            Said::Amiss
        })?;
        let begun = Begun {
            name: name.to_owned(),
            pending: request.pending().save().expose().to_owned(),
            ends: server.now().saturating_add(LIFETIME),
        };
        self.go(&request.url(), carry(server, &begun))
    }

    /// From the answer of B to the question of what it wants here.
    async fn come_back(&self, name: &str, query: &str, headers: &HeaderMap) -> Result<Response<Body>, Said> {
        let Shared { server, .. } = &*self.0;
        let begun: Begun = carried(server, headers).ok_or(Said::Unasked)?;
        // Mix-up: what was asked of one is not answered by another (RFC 9700
        // section 4.4).
        if begun.name != name {
            return Err(Said::Foreign);
        }
        let (party, connect) = self.0.party(name).ok_or(Said::Nobody)?;
        let pending = PendingAuthorization::restore(&Secret::new(begun.pending)).ok_or(Said::Unasked)?;
        // An answer that is not good uses nothing up; one that is, is good once.
        let code = pending.check(query).map_err(|error| why(&error))?;
        let once = Digest::of(&[b"reciprocal connect ", pending.state().expose().as_bytes()]);
        let first = server.store().first_use(once, begun.ends, server.now()).await;
        if !first.map_err(|error| self.fault(&error.into()))? {
            return Err(Said::Unasked);
        }
        let heard = code.reciprocal().cloned();
        let tokens = party.initiator.at.redeem(code).await.map_err(|error| {
            tracing::warn!(name, %error, "a code could not be redeemed");
            Said::from(&error)
        })?;
        // TOK-48: what B says, by its token response first; else what was agreed on.
        let scope: Scope = tokens.reciprocal.or(heard).unwrap_or_else(|| connect.agreed_scope.clone());
        let connected = Connected {
            name: name.to_owned(),
            access_token: tokens.access_token.expose().to_owned(),
            scope: scope.to_string(),
            ends: server.now().saturating_add(LIFETIME),
        };
        self.go(&self.consent_path(), carry(server, &connected))
    }

    /// A page without code and state in its address comes next (RFC 9700 section
    /// 4.2.4).
    fn go(&self, url: &str, cookie: Result<HeaderValue, Fault>) -> Result<Response<Body>, Said> {
        let cookie = cookie.map_err(|fault| self.fault(&fault))?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(LOCATION, HeaderValue::from_str(url).map_err(|_| Said::Ours)?);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.append(SET_COOKIE, cookie);
        Ok(response)
    }

    fn fault(&self, fault: &Fault) -> Said {
        self.0.server.tell(&Event::Fault { error: fault });
        Said::Ours
    }
}

impl Shared {
    /// The party `name`, and how people are sent there.
    pub(super) fn party(&self, name: &str) -> Option<(&Party, &Connect)> {
        let party = self.parties.iter().find(|party| party.initiator.name == name)?;
        Some((party, party.initiator.connect.as_ref()?))
    }
}

impl Party {
    /// Asked for until B has answered once.
    async fn metadata(&self, connect: &Connect, development: bool) -> Result<&AuthorizationServerMetadata, Said> {
        let discovery = Discovery::new(&connect.issuer);
        let discovery = if development { discovery.insecure_http() } else { discovery };
        self.metadata.get_or_try_init(async || discovery.fetch(&connect.http).await).await.map_err(|error| {
            tracing::warn!(issuer = connect.issuer, %error, "the metadata of a party are not known");
            Said::from(&error)
        })
    }
}

fn why(error: &ResponseError) -> Said {
    match error {
        ResponseError::WrongIssuer => Said::Foreign,
        ResponseError::Refused { .. } => Said::DeniedThere,
        _ => Said::Unasked,
    }
}
