//! The resource server's layer in front of a small API, for the tokens of
//! anybody's authorization server.

use std::{convert::Infallible, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use examples::{
    admin, api, bus, complain, health,
    homeserver::{Homeserver, Users},
    logs,
    prometheus::Prometheus,
    proxy::Front,
    say,
    serve::{Stop, serve},
};
use http::HeaderName;
use oauth_axum_rs::{
    ClientCertificates, Issuer, ResourceServer, Scope, Secret, TlsConfig,
    matrix::{EveryAccount, Matrix},
    oauth_tower::{
        outgoing::HttpClient,
        proxy::Cidr,
        resource::{BuildError, Dpop, IntrospectionIssuer},
    },
};
use tokio::net::TcpListener;

/// A small API behind the resource-server layer.
///
/// Serves `/api/whoami` for any valid token, and `/api/albums` for tokens with
/// `albums:read` (GET) or `albums:write` (POST). Ready, it prints one line:
/// `listening on <address>`.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9500")]
    listen: SocketAddr,
    /// Another port than that of --listen.
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The identifier of this API: the audience that tokens must name.
    #[arg(long, value_name = "URI")]
    resource: String,
    /// The authorization server whose tokens are accepted.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// Ask the issuer about each token, instead of verifying JWTs.
    #[arg(long, requires = "client_id")]
    introspect: bool,
    /// Who asks.
    #[arg(long, value_name = "ID", requires = "introspect", requires = "client_secret")]
    client_id: Option<String>,
    /// Their secret.
    #[arg(long, value_name = "SECRET", requires = "client_id")]
    client_secret: Option<String>,
    /// Whether tokens are bound to a key that their sender proves (RFC 9449).
    #[arg(long, value_enum, default_value_t)]
    dpop: Proofs,
    /// Require this scope for everything.
    #[arg(long, value_name = "SCOPE", default_value = "")]
    require_scope: Scope,
    /// How long an answer of the issuer is remembered; 0 asks every time.
    #[arg(long, value_name = "SECONDS")]
    cache_ttl: Option<u64>,
    /// Serve plain http, and accept an issuer that does: on loopback
    /// addresses only.
    #[arg(long)]
    development: bool,
    /// Serve TLS with this certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Whether clients show certificates, for tokens that are bound to one
    /// (RFC 8705).
    #[arg(long, value_enum, default_value_t)]
    client_certificates: Certificates,
    /// Take those only that these authorities vouch for, in PEM; without,
    /// any is taken.
    #[arg(long, value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Believe the proxies at these addresses: Forwarded, X-Forwarded-For and
    /// X-Forwarded-Proto, and the header with the certificate. They may ask in
    /// plain http, since they end TLS.
    #[arg(long = "trusted-proxy", value_name = "CIDR")]
    trusted_proxies: Vec<Cidr>,
    /// Where such a proxy passes on the client's certificate (RFC 9440), as in
    /// Client-Cert.
    #[arg(long, value_name = "NAME")]
    certificate_header: Option<HeaderName>,
    /// Trust these certificates too when asking the issuer, in PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Hear on this bus what the issuer revokes: postgres://.., or redis://..
    /// (several with commas between them: a cluster). It may know nothing else:
    /// a role that can connect, or a user that can subscribe.
    #[arg(long, value_name = "URL", value_parser = |url: &str| Ok::<_, Infallible>(Secret::new(url)))]
    revocations: Option<Secret>,
    /// Serve metrics on this address, in the text format of Prometheus.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// How lines of the log look. They go to stderr; `RUST_LOG` selects them.
    #[arg(long, value_enum, default_value_t)]
    log: logs::Format,
    /// Be the homeserver of this name as well: the client-server API under
    /// `/_matrix/client`, for tokens of the authentication service beside it.
    #[arg(long, value_name = "SERVER_NAME", conflicts_with = "introspect")]
    matrix: Option<String>,
    /// Where that service is asked about tokens.
    #[arg(long, value_name = "URL")]
    introspection_endpoint: Option<String>,
    /// The secret that both share.
    #[arg(long, value_name = "SECRET")]
    introspection_secret: Option<String>,
}

/// How tokens that are bound to a key are taken.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Proofs {
    /// Not at all.
    #[default]
    Off,
    /// With a proof; bearer tokens are taken too.
    Optional,
    /// With a proof, and nothing else is taken.
    Required,
}

/// Whether clients show certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Certificates {
    /// Nobody asks for them.
    #[default]
    Off,
    /// They may.
    Optional,
    /// Nobody is served who does not.
    Required,
}

/// An option and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
struct Wrong(&'static str, String);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logs::start(arguments.log);
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(all) => {
            all.iter().for_each(complain);
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Vec<Wrong>> {
    let wrong = arguments.contradictions();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    serve_api(arguments).await.map_err(|one| vec![one])
}

async fn serve_api(arguments: &Arguments) -> Result<(), Wrong> {
    let tls = arguments.tls()?;
    let prometheus = Prometheus::install();
    let api = arguments.resource_server()?;
    let homeserver = arguments.homeserver(&api)?;
    let bus = arguments.revocations.as_ref().map(bus::open).transpose();
    let bus = bus.map_err(|error| Wrong("--revocations", error.to_string()))?;
    let _following = bus.map(|bus| bus::spawn_api(bus, &api));
    let stop = Stop::on_signal().map_err(|error| Wrong("signals", error.to_string()))?;
    let mut address = arguments.listen;
    arguments.port.into_iter().for_each(|port| address.set_port(port));
    let wrong = |error| Wrong("--listen", format!("{address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    if let Some(address) = arguments.admin {
        serve_metrics(address, prometheus, api.clone(), stop.clone()).await?;
    }
    say(format_args!("listening on {address}"));
    let mut app = api::router(&api, &arguments.require_scope);
    if let Some(homeserver) = homeserver {
        app = app.merge(homeserver.app());
    }
    let app = arguments.front().guard(app);
    // Whoever watches over this process need not come through a proxy.
    let app = app.merge(health::router(&api));
    serve(listener, tls, app, stop).await;
    Ok(())
}

/// `/metrics`, where the clients of the API do not come.
async fn serve_metrics(
    address: SocketAddr,
    prometheus: Prometheus,
    api: ResourceServer,
    stop: Stop,
) -> Result<(), Wrong> {
    let wrong = |error| Wrong("--admin", format!("{address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    tracing::info!(%address, "metrics");
    let metrics = move || {
        api.update_gauges();
        prometheus.text()
    };
    tokio::spawn(serve(listener, None, admin::router(metrics, None), stop));
    Ok(())
}

impl Arguments {
    fn contradictions(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        if !api::is_identifier(&self.resource) {
            wrong.push(Wrong("--resource", "must be an absolute URI without a fragment".to_owned()));
        }
        if self.development && !self.listen.ip().is_loopback() {
            wrong.push(Wrong("--development", "needs a loopback address in --listen".to_owned()));
        }
        if !self.development && self.tls_certificate.is_none() && self.trusted_proxies.is_empty() {
            let what = "is missing: plain http needs --development or --trusted-proxy";
            wrong.push(Wrong("--tls-certificate", what.to_owned()));
        }
        if self.client_certificates != Certificates::Off && self.tls_certificate.is_none() {
            wrong.push(Wrong("--client-certificates", "needs --tls-certificate".to_owned()));
        }
        if self.client_ca.is_some() && self.client_certificates == Certificates::Off {
            wrong.push(Wrong("--client-ca", "needs --client-certificates".to_owned()));
        }
        if self.introspect && self.client_id.is_none() {
            wrong.push(Wrong("--client-id", "is missing".to_owned()));
        }
        // All three, or none.
        let homeserver = [
            ("--matrix", self.matrix.is_some()),
            ("--introspection-endpoint", self.introspection_endpoint.is_some()),
            ("--introspection-secret", self.introspection_secret.is_some()),
        ];
        if homeserver.iter().any(|(_, is_there)| *is_there) {
            let missing = homeserver.iter().filter(|(_, is_there)| !is_there);
            wrong.extend(missing.map(|(name, _)| Wrong(name, "is missing".to_owned())));
        }
        wrong
    }

    fn tls(&self) -> Result<Option<TlsConfig>, Wrong> {
        let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) else { return Ok(None) };
        let tls = TlsConfig::from_pem_files(certificate, key);
        let tls = tls.map_err(|error| Wrong("--tls-certificate", error.to_string()))?;
        let Some(certificates) = self.asked_for() else { return Ok(Some(tls)) };
        tls.client_certificates(&certificates).map(Some).map_err(|error| Wrong("--client-ca", error.to_string()))
    }

    fn asked_for(&self) -> Option<ClientCertificates> {
        let certificates = match self.client_certificates {
            Certificates::Off => return None,
            Certificates::Optional => ClientCertificates::optional(),
            Certificates::Required => ClientCertificates::required(),
        };
        Some(match &self.client_ca {
            Some(file) => certificates.verified_by(file),
            None => certificates,
        })
    }

    fn front(&self) -> Front {
        let proxies = self.trusted_proxies.iter().copied().collect();
        let certificate_header = self.certificate_header.clone();
        Front { proxies, certificate_header, development: self.development, ..Front::default() }
    }

    fn resource_server(&self) -> Result<ResourceServer, Wrong> {
        let builder = ResourceServer::builder(&self.resource).issuer(self.issuer()).http(self.http_client()?);
        let mut builder = api::published(builder, &self.resource, self.development);
        builder = match self.dpop {
            Proofs::Off => builder,
            Proofs::Optional => builder.dpop(Dpop::optional()),
            Proofs::Required => builder.dpop(Dpop::required()),
        };
        if self.client_certificates != Certificates::Off || self.certificate_header.is_some() {
            builder = builder.mutual_tls();
        }
        builder.build().map_err(|error| {
            let option = if matches!(error, BuildError::NoResource) { "--resource" } else { "--issuer" };
            Wrong(option, error.to_string())
        })
    }

    /// Who the users are, the service beside it knows: whoever has a token has an account.
    fn homeserver(&self, api: &ResourceServer) -> Result<Option<Homeserver>, Wrong> {
        let Some(name) = &self.matrix else { return Ok(None) };
        let matrix = Matrix::builder(api.clone(), name).accounts(EveryAccount).user_from_username().device_optional();
        let matrix = matrix.build().map_err(|error| Wrong("--matrix", error.to_string()))?;
        Ok(Some(Homeserver::new(matrix, Users::default())))
    }

    fn issuer(&self) -> Issuer {
        if let (Some(endpoint), Some(secret)) = (&self.introspection_endpoint, &self.introspection_secret) {
            let issuer = Issuer::introspection(&self.issuer, endpoint).bearer(secret.as_str()).for_homeserver();
            return self.cached(issuer);
        }
        let (Some(id), Some(secret)) = (&self.client_id, &self.client_secret) else {
            return Issuer::jwt(&self.issuer).into();
        };
        // An answer about a token without a user need not have `sub` (RFC 7662 section
        // 2.2). This API gives nobody more for being called like a user.
        let issuer =
            Issuer::introspection_discovered(&self.issuer).client_basic(id, secret.as_str()).client_as_subject();
        self.cached(issuer)
    }

    fn cached(&self, issuer: IntrospectionIssuer) -> Issuer {
        match self.cache_ttl {
            Some(seconds) => issuer.cache_for(Duration::from_secs(seconds)).into(),
            None => issuer.into(),
        }
    }

    fn http_client(&self) -> Result<HttpClient, Wrong> {
        let wrong =
            |error: &dyn std::fmt::Display, file: &PathBuf| Wrong("--ca", format!("{}: {error}", file.display()));
        let mut builder = HttpClient::builder();
        if let Some(file) = &self.ca {
            builder = builder.root_certificates(std::fs::read(file).map_err(|error| wrong(&error, file))?);
        }
        builder.build().map_err(|error| match &self.ca {
            Some(file) => wrong(&error, file),
            None => Wrong("--issuer", error.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }
}
