//! What is served, and where.

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, Request, StatusCode, header::STRICT_TRANSPORT_SECURITY},
    routing::get,
};
use examples::{
    api,
    config::{Config, Mistakes},
    homeserver,
    reciprocal::Connecting,
    start,
};
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, AuthorizationServerService, ResourceServer, Scope,
    oauth_tower::{
        resource::{Dpop, Issuer},
        server::Endpoint,
    },
    pages::{Pages, User},
};
use oauth_core::matrix;
use tower_http::{set_header::SetResponseHeaderLayer, trace::TraceLayer};

/// The services of the program.
pub(crate) struct App {
    server: AuthorizationServer,
    service: AuthorizationServerService,
    api: ResourceServer,
}

impl App {
    pub(crate) fn new(config: &Config, server: &AuthorizationServer) -> Result<Self, Mistakes> {
        let wrong = |error| Mistakes::one("resources", error);
        // No limit is a limit that no body reaches.
        let most = Some(config.limits.body_bytes).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let identifier = api_identifier(config);
        let api = ResourceServer::builder(identifier).issuer(Issuer::local(server.clone()));
        let api = api::published(api, identifier, config.listen.development);
        let api = if config.listen.mutual_tls { api.mutual_tls() } else { api };
        let api = api.dpop(proofs(config, server));
        let service = AuthorizationServerService::new(server.clone()).body_limit(most);
        Ok(Self {
            server: server.clone(),
            service: config.cors.iter().cloned().fold(service, AuthorizationServerService::cors),
            api: api.build().map_err(wrong)?,
        })
    }

    /// What protects `/api`.
    pub(crate) const fn api(&self) -> &ResourceServer {
        &self.api
    }

    /// Everything.
    pub(crate) fn router(&self, config: &Config) -> Result<Router, Mistakes> {
        let api = api::router(&self.api, &Scope::empty());
        let api = config.cors.iter().cloned().fold(api, Router::layer);
        let app = self.service.router().merge(self.pages(config)?).merge(api);
        let app = app.merge(homeserver::local::router(config, &self.server)?);
        let mut app = config.listen.front().guard(app);
        // Whoever watches over this process need not come through a proxy.
        app = app.merge(health(&self.server));
        if !config.listen.development {
            let year = HeaderValue::from_static("max-age=31536000");
            app = app.layer(SetResponseHeaderLayer::if_not_present(STRICT_TRANSPORT_SECURITY, year));
        }
        // The query is left out: an authorization request is a person's business.
        let span = |request: &Request<_>| tracing::debug_span!("request", method = %request.method(), path = request.uri().path());
        Ok(app.layer(TraceLayer::new_for_http().make_span_with(span)))
    }

    /// `POST /revoke` and nothing else: a client that can reach only this
    /// still gets rid of its tokens (RFC 7009 section 2).
    pub(crate) fn revocation_alone(&self, config: &Config) -> Router {
        let path = format!("{}/revoke", self.server.issuer_path());
        let alone = Router::new().route_service(&path, self.service.endpoint(Endpoint::Revoke));
        // Limits count each client, whoever passes its requests on.
        config.listen.front().introduce(alone)
    }

    fn pages(&self, config: &Config) -> Result<Router, Mistakes> {
        let wrong = |error| Mistakes::one("consent.auto_approve", error);
        let pages = Pages::new(&self.server, start::members(config))
            .sign_in_failures_per_minute(config.limits.sign_in_failures_per_minute)
            .session_lifetime(config.sessions.lifetime)
            .session_idle_lifetime(config.sessions.idle)
            .scope_text("albums:read", "See your albums")
            .scope_text("albums:write", "Add albums")
            .scope_text(matrix::API, "Use your account of this homeserver")
            .scope_text(matrix::UNSTABLE_API, "Use your account of this homeserver");
        let pages = match &config.auto_approve {
            Some(name) => pages.insecure_auto_approve(User::new(name)).map_err(wrong)?,
            None => pages,
        };
        let wrong = |error| Mistakes::one("registration.developers_page", error);
        let pages = match &config.registration.developers {
            Some(developers) => pages.developers(developers.clone()).map_err(wrong)?,
            None => pages,
        };
        let connecting = Connecting::new(config, &self.server);
        let pages = connecting
            .iter()
            .fold(pages, |pages, connecting| pages.reciprocal(connecting.consent_path(), connecting.host()));
        let others = connecting.as_ref().map(Connecting::router).unwrap_or_default();
        Ok(pages.router().merge(others))
    }
}

/// The audience of `/api`: the resource that is named after it, else the one
/// that tokens are for when nobody asks.
fn api_identifier(config: &Config) -> &str {
    let own = format!("{}/api", config.issuer);
    let named = config.resources.iter().find(|resource| resource.identifier == own);
    named.or(config.resources.first()).map_or("", |resource| &resource.identifier)
}

/// How `/api` takes proofs of possession: as the server does, whose nodes
/// all know which were used.
fn proofs(config: &Config, server: &AuthorizationServer) -> Dpop {
    let dpop = if config.dpop.required { Dpop::required() } else { Dpop::optional() };
    let dpop = dpop.replay(server.replay_cache()).base_url(origin(&config.issuer));
    if config.dpop.nonces { dpop.nonces(server.dpop_nonces()) } else { dpop }
}

/// `/api` is where the server is, whatever its identifier.
fn origin(issuer: &str) -> &str {
    let authority = issuer.find("://").map_or(0, |at| at + 3);
    let end = issuer.get(authority..).and_then(|rest| rest.find('/')).map_or(issuer.len(), |at| authority + at);
    issuer.get(..end).unwrap_or(issuer)
}

/// `/healthz`: the process is up; `/readyz`: its store can be reached.
fn health(server: &AuthorizationServer) -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(server.clone())
}

async fn ready(State(server): State<AuthorizationServer>) -> (StatusCode, &'static str) {
    match server.store().check().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be reached\n")
        }
    }
}
