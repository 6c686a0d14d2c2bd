//! The reference server, and a homeserver in another process that was away when something ended.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;
use oauth_core::store::{Grant, GrantFacts, Grants, sqlite::SqliteStore};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::*;

/// A homeserver that takes what it is told by Synapse's contract, or is away.
struct StandIn {
    port: u16,
    away: Arc<AtomicBool>,
    told: UnboundedReceiver<String>,
}

#[derive(Clone)]
struct Ears(Arc<AtomicBool>, UnboundedSender<String>);

impl StandIn {
    async fn start() -> Self {
        let (says, told) = unbounded_channel();
        let away = Arc::new(AtomicBool::new(false));
        let app = Router::new().route("/_synapse/mas/{what}", post(hear)).with_state(Ears(Arc::clone(&away), says));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { port, away, told }
    }

    fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// The next thing that it does. Only a server that says nothing takes so long.
    async fn hears(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(60), self.told.recv()).await.expect("nothing was told").unwrap()
    }
}

async fn hear(State(Ears(away, says)): State<Ears>, Path(what): Path<String>, Json(body): Json<Value>) -> Response {
    if away.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let device = body.get("device_id").and_then(Value::as_str).unwrap_or_default();
    drop(says.send(format!("{what} {} {device}", body["localpart"].as_str().unwrap())));
    match what.as_str() {
        "delete_device" => StatusCode::NO_CONTENT.into_response(),
        _ => Json(json!({})).into_response(),
    }
}

/// A reference server with alice that is yet to be started, beside a homeserver at `port`.
fn reference(port: u16) -> Reference {
    let reference = Reference::in_development("");
    let text = format!(
        "issuer = \"{}\"\nlisten = \"127.0.0.1:{}\"\nstore = \"sqlite:oauth.db\"\nprofile = \"matrix\"\n\
         development = true\n[keys]\nsecret_file = \"oauth.key\"\n\
         [matrix]\nserver_name = \"{NAME}\"\nintrospection_secret = \"{SECRET}\"\nsynapse = true\n\
         homeserver_url = \"http://127.0.0.1:{port}\"\n\
         [[users]]\nusername = \"alice\"\npassword = \"{PASSWORD}\"\n\
         [[clients]]\nclient_id = \"element\"\nclient_name = \"Element\"\nredirect_uris = [\"{CALLBACK}\"]\n\
         grant_types = [\"authorization_code\", \"refresh_token\"]\ntoken_endpoint_auth_method = \"none\"\n",
        reference.issuer, reference.port,
    );
    fs::write(reference.config(), text).unwrap();
    reference
}

async fn tokens(reference: &Reference, remote: &Remote) -> Tokens {
    let url = format!("{}{}", reference.issuer, Ask::of(ELEMENT).with("scope", SCOPE).uri());
    let page = Visitor::new(plain_client()).decide(&url, ("alice", PASSWORD), "approve").await;
    let code = page.response(CALLBACK).get("code").unwrap().to_owned();
    remote.token(ELEMENT, &redemption(&code)).await.tokens()
}

/// A session of alice on the device `OVER`, whose time is over: the first sweep takes it.
async fn insert_one_that_is_over(reference: &Reference) {
    let store = SqliteStore::open(reference.authority.file("oauth.db")).await.unwrap();
    let grant = fresh_grant();
    let (client, scope) = ("element".parse().unwrap(), scope_of("OVER").parse().unwrap());
    let facts = GrantFacts { client, scope, ..grant.facts.clone() };
    store.insert_grant(Grant { facts, expires_at: now(), code: None, ..grant }, None).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn what_a_homeserver_missed_while_it_was_away_and_what_ended_while_nothing_ran_it_hears_at_the_start() {
    let mut home = StandIn::start().await;
    let reference = reference(home.port);
    let program = reference.start();
    let remote = Remote::new(plain_client(), &reference.issuer);
    let tokens = tokens(&reference, &remote).await;
    assert_eq!(home.hears().await, "provision_user alice ");
    assert_eq!(home.hears().await, "upsert_device alice ABCDEFGHIJ");
    home.is_away(true);
    assert_eq!(remote.revoke(ELEMENT, &tokens.access).await.status, 200);
    assert_eq!(program.terminate().code, Some(0));
    insert_one_that_is_over(&reference).await;
    home.is_away(false);
    let _program = reference.start();
    let mut told = [home.hears().await, home.hears().await];
    told.sort();
    assert_eq!(told, ["delete_device alice ABCDEFGHIJ", "delete_device alice OVER"]);
}
