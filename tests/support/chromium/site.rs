//! What the browser can go to: an authorization server at [`ISSUER`] whose clock stands still, and an application that
//! takes its answers.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Uri},
    response::{Html, IntoResponse, Redirect},
};
use http_body_util::BodyExt;
use oauth_axum_rs::{AuthorizationServerExt, PeerExt, TlsConfig, TlsListener, pages::Pages};
use oauth_core::{
    client::Client,
    params::Params,
    server::{AuthorizationServer, AuthorizationServerBuilder},
};
use tokio::net::TcpListener;

use super::{Chromium, Habits};
use crate::support::{Ask, Authority, Caller, ISSUER, People, World, on_memory_with};

/// A program on the person's own machine.
pub(crate) const LOOPBACK_APP: Caller = Caller::Public("loopback-app");

/// A page of the application.
pub(crate) const APP_HOME: &str = "https://app.example/";

/// A server and an application, each behind a socket of its own.
pub(crate) struct Site {
    pub(crate) world: World,
    application: Arc<Application>,
    server_port: u16,
    app_port: u16,
    loopback_port: u16,
    _authority: Authority,
}

/// What the application was sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) body: String,
}

/// Takes whatever it is sent at its redirect URI.
#[derive(Default)]
struct Application {
    arrivals: Mutex<Vec<Arrival>>,
    /// Where it sends the browser then, if anywhere.
    next: Mutex<Option<&'static str>>,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder, |pages| pages).await
    }

    /// One whose server and whose pages are set otherwise.
    pub(crate) async fn with(
        set: impl Fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
        set_pages: impl Fn(Pages<People>) -> Pages<People>,
    ) -> Self {
        let world = on_memory_with(|builder| set(builder.client(loopback_app()))).await;
        let server = served(&world.server, set_pages);
        let (authority, application) = (Authority::new(), Arc::<Application>::default());
        let app = routes(&application);
        let server_port = serve_tls(&authority, server).await;
        let app_port = serve_tls(&authority, app.clone()).await;
        let loopback = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let loopback_port = loopback.local_addr().unwrap().port();
        tokio::spawn(axum::serve(loopback, app).into_future());
        Self { world, application, server_port, app_port, loopback_port, _authority: authority }
    }

    /// A browser that knows no other hosts.
    pub(crate) async fn browser(&self) -> Chromium {
        self.browser_with(Habits::default()).await
    }

    pub(crate) async fn browser_with(&self, habits: Habits) -> Chromium {
        Chromium::start(&self.hosts(), habits).await
    }

    /// One that knows the server behind this port too.
    pub(crate) async fn browser_at(&self, host: &str, port: u16) -> Chromium {
        Chromium::start(&[&self.hosts()[..], &[(host, port)]].concat(), Habits::default()).await
    }

    fn hosts(&self) -> [(&'static str, u16); 3] {
        [("as.example", self.server_port), ("app.example", self.app_port), ("*.app.example", self.app_port)]
    }

    /// From now on the application sends the browser there, once it has what it was sent.
    pub(crate) fn send_on_to(&self, url: &'static str) {
        *self.application.next.lock().unwrap() = Some(url);
    }

    /// What [`LOOPBACK_APP`] asks.
    pub(crate) fn ask_of_loopback(&self) -> Ask {
        Ask::of(LOOPBACK_APP).with("redirect_uri", &format!("http://127.0.0.1:{}/cb", self.loopback_port))
    }

    /// What the application was sent at its redirect URI so far.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.application.arrivals.lock().unwrap().clone()
    }

    /// The parameters that the application was sent last, where `count` were sent to it in all.
    #[track_caller]
    pub(crate) fn response(&self, count: usize) -> Params {
        let arrivals = self.arrivals();
        assert_eq!(arrivals.len(), count, "{arrivals:?}");
        let last = arrivals.last().unwrap();
        let sent = if last.method == Method::POST { &last.body } else { last.uri.query().unwrap_or_default() };
        Params::parse(sent).unwrap()
    }
}

/// Where a request to the authorization endpoint goes.
pub(crate) fn url_of(ask: &Ask) -> String {
    format!("{ISSUER}{}", ask.uri())
}

fn loopback_app() -> Client {
    let client = Client::builder(LOOPBACK_APP.id()).redirect_uri("http://127.0.0.1/cb").scope("read write");
    client.name("Notes for the command line").build().unwrap()
}

fn served(server: &AuthorizationServer, set: impl Fn(Pages<People>) -> Pages<People>) -> Router {
    let pages = Pages::new(server, People).scope_text("read", "Read your notes");
    server.router().merge(set(pages.scope_text("write", "Write and delete your notes")).router())
}

fn routes(application: &Arc<Application>) -> Router {
    let application = Arc::clone(application);
    Router::new().fallback(async move |request: Request<Body>| {
        let (head, body) = request.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let called = head.uri.path() == "/cb";
        if called {
            application.arrivals.lock().unwrap().push(Arrival { method: head.method, uri: head.uri, body });
        }
        match *application.next.lock().unwrap() {
            Some(next) if called => Redirect::to(next).into_response(),
            _ => Html(PAGE).into_response(),
        }
    })
}

const PAGE: &str = "<!DOCTYPE html><html lang=en><title>The application</title><link rel=icon href=data:,>\
                    <p id=back>Back in the application";

async fn serve_tls(authority: &Authority, app: Router) -> u16 {
    let tls = TlsConfig::from_pem_files(authority.file("cert.pem"), authority.file("key.pem")).unwrap();
    let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &tls);
    let port = axum::serve::Listener::local_addr(&listener).unwrap().port();
    tokio::spawn(axum::serve(listener, app.into_make_service_with_peer()).into_future());
    port
}
