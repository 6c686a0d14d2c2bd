//! A website whose people sign in elsewhere: a client of one or more
//! authorization servers, with everything that OAuth 2.1 and RFC 9700 ask of
//! one. The protocol is in `oauth_tower::client`; what stands here is what a
//! website adds: browsers, sessions, pages.
//!
//! - Every attempt has a `state` and a PKCE verifier of its own, tied to the
//!   browser by a cookie, good once (`attempts`).
//! - Each authorization server has a redirect URI of its own, and a response
//!   must name the issuer that was asked (RFC 9207), before its code goes
//!   anywhere (`callback`).
//! - The callback renders nothing: it moves the browser on to an address
//!   without code and state (RFC 9700 section 4.2.4).
//! - Tokens stay here; the browser has a cookie that says nothing (`sessions`).

mod attempts;
mod authority;
mod callback;
mod pages;
mod problem;
mod sessions;

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use authority::Authority;
use axum::{
    Router,
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Parser;
use examples::{
    complain, logs, say,
    serve::{Stop, serve},
};
use oauth_axum_rs::{
    Secret,
    oauth_core::clock::{Clock, Random, RandomError, SystemClock, SystemRandom, UnixTime},
    oauth_tower::outgoing::HttpClient,
};
use tokio::net::TcpListener;

/// A website whose people sign in at an authorization server.
///
/// Its client there has the redirect URI URL/callback/1; that of a second
/// --issuer URL/callback/2, and so on. Ready, it prints one line: `listening on
/// <url>`.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The website as browsers know it, without a slash at the end.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8081")]
    url: String,
    /// An authorization server: its issuer and this website's client id there.
    /// The client's secret, if it has one, is in the environment: WEB_CLIENT_SECRET_1
    /// for the first.
    #[arg(long = "issuer", value_name = "URL CLIENT_ID", num_args = 2, action = clap::ArgAction::Append, required = true)]
    issuers: Vec<String>,
    /// What to ask for.
    #[arg(long, default_value = "albums:read")]
    scope: String,
    /// An API that is asked who somebody is, with their token.
    #[arg(long, value_name = "URL")]
    api: Option<String>,
    /// Certificates to trust besides the system's, in PEM.
    #[arg(long, value_name = "FILE")]
    root_certificates: Option<std::path::PathBuf>,
    /// Binds tokens to a key that is made at start (RFC 9449).
    #[arg(long)]
    dpop: bool,
    /// Plain http on this machine: cookies without `Secure`.
    #[arg(long)]
    development: bool,
}

/// All that the pages know.
struct Site {
    url: String,
    scope: String,
    api: Option<String>,
    development: bool,
    authorities: Vec<Authority>,
    attempts: attempts::Attempts,
    sessions: sessions::Sessions,
    http: HttpClient,
}

impl Site {
    /// 256 random bits, in characters that every header and URL takes.
    fn random() -> Result<Secret, RandomError> {
        let mut bytes = [0; 32];
        SystemRandom.fill(&mut bytes)?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn now() -> UnixTime {
        SystemClock.now()
    }

    /// The authorization server with this number, from 1.
    fn authority(&self, number: usize) -> Option<&Authority> {
        self.authorities.get(number.checked_sub(1)?)
    }

    /// Where it answers.
    fn redirect_uri(&self, number: usize) -> String {
        format!("{}/callback/{number}", self.url)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    logs::start(logs::Format::Text);
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let loopback = arguments.url.starts_with("http://127.0.0.1") || arguments.url.starts_with("http://[::1]");
    // OAuth 2.1 section 3.1.2: codes travel over TLS, but on one's own machine.
    let permitted = arguments.url.starts_with("https://") || arguments.development && loopback;
    if !permitted {
        return Err("--url: must be https; plain http is for a loopback address with --development".into());
    }
    let mut http = HttpClient::builder();
    if let Some(file) = &arguments.root_certificates {
        http = http.root_certificates(std::fs::read(file)?);
    }
    let (http, how) = (http.build()?, (arguments.development, arguments.dpop));
    let pairs = arguments.issuers.chunks_exact(2).enumerate();
    let authorities = pairs.map(|(at, pair)| Authority::configured(at + 1, pair, &http, how));
    let site = Arc::new(Site {
        authorities: authorities.collect::<Result<_, _>>()?,
        attempts: attempts::Attempts::default(),
        sessions: sessions::Sessions::default(),
        http,
        url: arguments.url,
        scope: arguments.scope,
        api: arguments.api,
        development: arguments.development,
    });
    let listener = TcpListener::bind(arguments.listen).await?;
    let stop = Stop::on_signal()?;
    say(format_args!("listening on {}", site.url));
    serve(listener, None, app(site), stop).await;
    Ok(())
}

fn app(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/sign-in/{number}", get(pages::sign_in))
        .route("/sign-out", post(pages::sign_out))
        .route("/callback/{number}", get(callback::handle))
        .with_state(site)
}
