//! A grant of the host's own, beside those that are built in (OAuth 2.1 section 4.3).

use oauth_core::{
    client::{Client, ClientId, ClientSecret, GrantType},
    clock::{Clock, SystemRandom, UnixTime},
    dpop::DpopKey,
    engine::fault::Fault,
    error::OAuthError,
    grant::{GrantFuture, NewGrant, TokenGrant, TokenRequest},
    jwt::Algorithm,
    params::Params,
    server::{AuthorizationServer, AuthorizationServerBuilder, BuildError},
};
use serde_json::json;

use crate::support::*;

const TICKET: &str = "https://example.com/oauth/ticket";
const GRANT: (&str, &str) = ("grant_type", TICKET);
/// May bring tickets, and has refresh tokens.
const DESK: Caller = Caller::Basic("desk", "desk-secret-6Yt2");
/// Stands for whoever says nothing of themselves.
const ANYBODY: &str = "anybody";

/// What a ticket says is what it is worth.
#[derive(Clone, Debug)]
struct Tickets(GrantType);

impl TokenGrant for Tickets {
    fn grant_type(&self) -> GrantType {
        self.0.clone()
    }

    fn issue<'a>(&'a self, server: &'a AuthorizationServer, request: TokenRequest<'a>) -> GrantFuture<'a> {
        Box::pin(async move {
            let new = match request.params().require("ticket")? {
                "alice" => {
                    NewGrant::for_subject("alice").scope("read".parse().unwrap()).acr("gold").auth_time(UnixTime(7))
                }
                "long" => NewGrant::for_subject("alice").refreshable(),
                "short" => NewGrant::for_subject("alice").until(server.now().saturating_add(10)),
                "over" => NewGrant::for_subject("alice").until(server.now()),
                "web" => NewGrant::for_subject("web"),
                "desk" => NewGrant::for_client(),
                "torn" => return Err(Fault::Host("the printer is on fire".into()).into()),
                _ => return Err(OAuthError::invalid_grant("no such ticket").into()),
            };
            Ok(request.issue(server, new).await?.into())
        })
    }

    fn client_of_nobody(&self, params: &Params) -> Option<ClientId> {
        params.get("anonymous").map(|_| ClientId::new(ANYBODY).unwrap())
    }
}

fn set(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let desk = Client::builder(DESK.id()).secret(ClientSecret::new(&"desk-secret-6Yt2".into())).scope("read write");
    let desk = desk.grant_type(GrantType::from(TICKET)).grant_type(GrantType::REFRESH_TOKEN).redirect_uri(CALLBACK);
    let anybody = Client::builder(ANYBODY).scope("read").grant_type(GrantType::from(TICKET));
    let builder = builder.client(desk.build().unwrap()).client(anybody.build().unwrap());
    builder.grant(Tickets(GrantType::from(TICKET)))
}

async fn bring(w: &World, caller: Caller, ticket: &str, more: &[(&str, &str)]) -> Answer {
    w.token(caller, &[&[GRANT, ("ticket", ticket)], more].concat()).await
}

// spec: TOK-05
#[tokio::test]
async fn a_grant_of_ones_own_is_for_the_clients_that_are_registered_for_it() {
    on_every_store_with(set, async |w| {
        let answer = bring(&w, DESK, "alice", &[("resource", JWT_API)]).await;
        let tokens = answer.tokens();
        assert_eq!((tokens.refresh, answer.member("scope")), (None, "read".into()));
        let known = w.introspect(AUDITOR, &tokens.access).await;
        assert_eq!((known.member("sub"), known.member("client_id")), ("alice".into(), "desk".into()));
        assert_eq!((known.member("acr"), known.member("auth_time")), ("gold".into(), 7.into()));
        bring(&w, WEB, "alice", &[]).await.is_refused(400, "unauthorized_client");
        bring(&w, DESK, "stolen", &[]).await.is_refused(400, "invalid_grant");
        bring(&w, Caller::Basic("desk", "wrong"), "alice", &[]).await.is_refused(401, "invalid_client");
        bring(&w, DESK, "torn", &[]).await.is_unavailable();
        w.revoke(DESK, &tokens.access).await.is_revoked();
        assert!(!w.lives(&tokens.access).await);
    })
    .await;
    on_memory().await.token(WEB, &[GRANT, ("ticket", "alice")]).await.is_refused(400, "unsupported_grant_type");
}

#[tokio::test]
async fn what_is_issued_is_never_more_than_client_and_grant_allow() {
    let w = on_memory_with(set).await;
    bring(&w, DESK, "alice", &[("scope", "write")]).await.is_refused(400, "invalid_scope");
    bring(&w, DESK, "long", &[("scope", "admin")]).await.is_refused(400, "invalid_scope");
    bring(&w, DESK, "alice", &[("resource", "https://elsewhere.example")]).await.is_refused(400, "invalid_target");
    assert_eq!(bring(&w, DESK, "short", &[]).await.member("expires_in"), 10);
    bring(&w, DESK, "over", &[]).await.is_refused(400, "invalid_grant");
    // OAuth 2.1 section 9.6: a user who is called like a client is none.
    bring(&w, DESK, "web", &[]).await.is_refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_comes_where_both_want_it_and_is_one_like_any_other() {
    on_every_store_with(set, async |w| {
        let tokens = bring(&w, DESK, "long", &[]).await.tokens();
        let first = tokens.refresh.unwrap();
        let second = w.refresh(DESK, &first).await.tokens().refresh.unwrap();
        w.refresh(DESK, &second).await.tokens();
        w.refresh(DESK, &first).await.is_refused(400, "invalid_grant");
        assert!(!w.lives(&tokens.access).await);
        assert_eq!(bring(&w, DESK, "short", &[]).await.tokens().refresh, None);
        // The other client is not registered for them.
        let anonymous = bring(&w, Caller::Nobody, "long", &[("anonymous", "yes")]).await.tokens();
        assert_eq!(anonymous.refresh, None);
    })
    .await;
}

#[tokio::test]
async fn nobody_may_stand_for_a_client_without_a_secret_where_the_grant_says_so() {
    let w = on_memory_with(set).await;
    bring(&w, Caller::Nobody, "alice", &[]).await.is_refused(401, "invalid_client");
    let tokens = bring(&w, Caller::Nobody, "alice", &[("anonymous", "yes")]).await.tokens();
    assert_eq!(w.introspect(AUDITOR, &tokens.access).await.member("client_id"), ANYBODY);
    // Who cannot prove who they are cannot act for themselves.
    bring(&w, Caller::Nobody, "desk", &[("anonymous", "yes")]).await.is_refused(400, "unauthorized_client");
    bring(&w, DESK, "desk", &[]).await.tokens();
    // Whoever says anything of themselves must prove it.
    for wrong in [Caller::Public("desk"), Caller::Post("desk", "wrong"), Caller::Basic("anybody", "x")] {
        bring(&w, wrong, "alice", &[("anonymous", "yes")]).await.is_refused(401, "invalid_client");
    }
    let request = post("/token?client_secret=x", Caller::Nobody, &[GRANT, ("ticket", "alice"), ("anonymous", "yes")]);
    w.send(request).await.is_refused(400, "invalid_request");
}

// spec: TOK-34
#[tokio::test]
async fn its_tokens_are_bound_to_the_key_that_is_proven() {
    let w = on_memory_with(set).await;
    let key = DpopKey::generate(Algorithm::ES256).unwrap();
    let url = format!("{ISSUER}/token");
    let proof = key.proof("POST", &url, None, None, w.clock.now(), &SystemRandom).unwrap();
    let mut request = post("/token", DESK, &[GRANT, ("ticket", "alice")]);
    request.headers_mut().insert("dpop", proof.parse().unwrap());
    let answer = w.send(request).await;
    assert_eq!(answer.member("token_type"), "DPoP");
    let known = w.introspect(AUDITOR, &answer.tokens().access).await;
    assert_eq!(known.member("cnf"), json!({ "jkt": key.jkt() }));
}

#[tokio::test]
async fn nothing_that_is_built_in_can_be_replaced_and_a_name_is_a_uri() {
    let built_in = ["authorization_code", "client_credentials", "refresh_token"];
    for name in built_in.into_iter().chain(["password", "implicit", "", "a b:c", "https://example.com/#a", TICKET]) {
        let builder = set(AuthorizationServer::builder(ISSUER)).grant(Tickets(GrantType::from(name)));
        let built = builder.build().await;
        assert!(matches!(&built, Err(BuildError::GrantType(grant)) if grant.as_str() == name), "{name}: {built:?}");
    }
}

// spec: TOK-05
#[tokio::test]
async fn the_metadata_and_the_registration_endpoint_know_it() {
    let open = |builder: AuthorizationServerBuilder| {
        set(builder).registration(|settings| settings.open().allow_grant_type(GrantType::from(TICKET)))
    };
    let w = on_memory_with(open).await;
    let metadata = w.get("/.well-known/oauth-authorization-server").await;
    let names = metadata.member("grant_types_supported");
    assert!(names.as_array().unwrap().contains(&TICKET.into()), "{names}");
    let wanted = json!({ "grant_types": [TICKET, "https://example.com/oauth/unknown"], "redirect_uris": [] });
    let request = http::Request::post("/register").header("content-type", "application/json");
    let registered = w.send(request.body(wanted.to_string().into()).unwrap()).await;
    assert_eq!(registered.member("grant_types"), json!([TICKET]), "{registered}");
    let plain = on_memory().await.get("/.well-known/oauth-authorization-server").await;
    assert!(!plain.member("grant_types_supported").as_array().unwrap().contains(&TICKET.into()));
}
