//! Documents over TLS, fetched by what guards the network.

use std::{
    fs, io,
    net::IpAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, response::IntoResponse};
use oauth_axum_rs::{TlsConfig, TlsListener};
use oauth_core::clock::ManualClock;
use oauth_tower::outgoing::{GuardedFetch, Resolve, ResolveFuture};
use tokio::net::TcpListener;

use super::*;

/// Each name but one is that of the site.
#[derive(Debug)]
struct Names;

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> ResolveFuture<'a> {
        let address: IpAddr = if host == "inside.example" { [10, 0, 0, 1].into() } else { [127, 0, 0, 1].into() };
        Box::pin(std::future::ready(io::Result::Ok(vec![address])))
    }
}

/// Status, headers, and body.
type Reply = (u16, Vec<(&'static str, String)>, String);

/// A site at `app.example`, behind TLS, that answers the same to all.
struct Site {
    port: u16,
    reply: Arc<Mutex<Reply>>,
    asked: Arc<AtomicUsize>,
    world: World,
    clock: ManualClock,
}

impl Site {
    async fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["app.example".to_owned()]).unwrap();
        let folder = Folder::new();
        let [certificate, secret] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&secret, made.signing_key.serialize_pem()).unwrap();
        let tls = TlsConfig::from_pem_files(&certificate, &secret).unwrap();
        let listener = TlsListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), &tls);
        let port = axum::serve::Listener::local_addr(&listener).unwrap().port();

        let reply = Arc::new(Mutex::<Reply>::new((404, Vec::new(), String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (Arc::clone(&reply), Arc::clone(&asked));
        let app = Router::new().fallback(async move || {
            count.fetch_add(1, Ordering::SeqCst);
            let (status, headers, body) = answers.lock().unwrap().clone();
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            response.headers_mut().clear();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        });
        tokio::spawn(async move { axum::serve(listener, app).await });

        let clock = ManualClock::new(UnixTime(NOW));
        let fetch = GuardedFetch::builder()
            .clock(clock.clone())
            .resolver(Names)
            .root_certificates(made.cert.pem())
            .insecure_allow_network("127.0.0.0/8".parse().unwrap())
            .build()
            .unwrap();
        let world = on_memory_with(|builder| {
            let builder = builder.clock(clock.clone()).fetch(fetch.clone());
            builder.registration(RegistrationSettings::client_id_metadata_documents)
        });
        Self { port, reply, asked, world: world.await, clock }
    }

    fn url(&self, path: &str) -> &'static str {
        format!("https://app.example:{}{path}", self.port).leak()
    }

    fn serves(&self, status: u16, headers: &[(&'static str, &str)], body: &Value) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        *self.reply.lock().unwrap() = (status, headers, body.to_string());
    }

    fn serves_json(&self, body: &Value) {
        self.serves(200, &[("content-type", "application/json")], body);
    }

    async fn authorize(&self, id: &'static str) -> Answer {
        self.world.get(&Ask::of(Caller::Public(id)).uri()).await
    }

    fn count(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

// spec: REG-28, REG-29, REG-31, REG-33
#[tokio::test]
async fn a_client_whose_document_is_fetched_over_tls_gets_its_tokens_and_is_asked_once() {
    let site = Site::new().await;
    let id = site.url("/client.json");
    site.serves_json(&document_at(id));
    let tokens = site.world.tokens(Caller::Public(id)).await;
    let next = site.world.refresh(Caller::Public(id), tokens.refresh.as_deref().unwrap()).await.tokens();
    assert!(site.world.lives(&next.access).await);
    assert_eq!(site.count(), 1);
}

// spec: REG-28
#[tokio::test]
async fn only_status_200_and_json_will_do_and_no_redirect_is_followed() {
    let site = Site::new().await;
    let json = ("content-type", "application/json");
    for (path, status, headers, good) in [
        ("/a", 200, vec![json], true),
        ("/b", 200, vec![("content-type", "application/cimd+json; charset=utf-8")], true),
        ("/c", 200, vec![("content-type", "text/html")], false),
        ("/d", 200, vec![("content-type", "text/json")], false),
        ("/e", 200, vec![], false),
        ("/f", 201, vec![json], false),
        ("/g", 302, vec![json, ("location", "/a")], false),
        ("/h", 308, vec![json, ("location", "/a")], false),
        ("/i", 404, vec![json], false),
        ("/j", 200, vec![json, ("content-encoding", "gzip")], false),
    ] {
        let (id, before) = (site.url(path), site.count());
        site.serves(status, &headers, &document_at(id));
        let answer = site.authorize(id).await;
        if good {
            is_parked(&answer);
        } else {
            answer.is_error_page();
        }
        assert_eq!(site.count(), before + 1, "{path}");
    }
    let id = site.url("/broken");
    site.serves(500, &[json], &document_at(id));
    is_unavailable_page(&site.authorize(id).await);
    let id = site.url("/large");
    let mut large = document_at(id);
    large["x"] = "x".repeat(6 * 1024).into();
    site.serves_json(&large);
    let page = site.authorize(id).await;
    page.is_error_page();
    assert!(page.body.contains("too large"), "{page}");
}

// spec: REG-28, REG-32
#[tokio::test]
async fn nobody_inside_is_asked_for_a_document() {
    let site = Site::new().await;
    let id = format!("https://inside.example:{}/client.json", site.port).leak();
    site.serves_json(&document_at(id));
    is_unavailable_page(&site.authorize(id).await);
    assert_eq!(site.count(), 0);
}

// spec: REG-33
#[tokio::test]
async fn errors_and_invalid_documents_are_forgotten_and_good_ones_are_kept_within_bounds() {
    let site = Site::new().await;
    let id = site.url("/client.json");
    let good = document_at(id);
    let json = ("content-type", "application/json");
    let long = ("cache-control", "max-age=86400");
    let mut with_secret = good.clone();
    with_secret["client_secret"] = "x".into();
    let mut without_redirect = good.clone();
    without_redirect["redirect_uris"] = json!([]);
    for bad in [&document(), &with_secret, &without_redirect, &json!([])] {
        site.serves(200, &[json, long], bad);
        site.authorize(id).await.is_error_page();
        site.clock.advance(10);
        let before = site.count();
        site.serves(404, &[json, long], &good);
        site.authorize(id).await.is_error_page();
        assert_eq!(site.count(), before + 1, "{bad}");
        site.clock.advance(10);
    }
    // An hour at most, whatever the headers say.
    site.serves(200, &[json, long], &good);
    let before = site.count();
    is_parked(&site.authorize(id).await);
    site.clock.advance(3_599);
    is_parked(&site.authorize(id).await);
    assert_eq!(site.count(), before + 1);
    site.clock.advance(1);
    // A minute at least.
    site.serves(200, &[json, ("cache-control", "no-store")], &good);
    is_parked(&site.authorize(id).await);
    site.clock.advance(59);
    is_parked(&site.authorize(id).await);
    assert_eq!(site.count(), before + 2);
    site.clock.advance(1);
    site.serves(200, &[json], &json!({}));
    site.authorize(id).await.is_error_page();
    assert_eq!(site.count(), before + 3);
}
