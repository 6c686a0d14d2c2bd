//! From the authorization request to the API: the reference server, a program of its own, with its own API.

use bytes::Bytes;
use http::{Request, header::AUTHORIZATION};
use oauth_core::clock::SystemClock;

use super::*;

/// A client with a key, and the server it speaks to.
struct Holder {
    remote: Remote,
    issuer: String,
    key: DpopKey,
}

impl Holder {
    fn of(reference: &Reference) -> Self {
        let remote = Remote::new(plain_client(), &reference.issuer);
        Self { remote, issuer: reference.issuer.clone(), key: wallet() }
    }

    fn proof(&self, method: &str, path: &str, token: Option<&str>, nonce: Option<&str>) -> String {
        let url = format!("{}{path}", self.issuer);
        self.key.proof(method, &url, token, nonce, SystemClock.now(), &SystemRandom).unwrap()
    }

    /// A code for this key, on the server that says yes by itself.
    async fn code(&self) -> String {
        let ask = Ask::of(APP).with("dpop_jkt", self.key.jkt()).with("scope", "albums:read");
        let page = Visitor::new(plain_client()).go(&format!("{}{}", self.issuer, ask.uri())).await;
        page.response(CALLBACK).get("code").unwrap().to_owned()
    }

    async fn post(&self, params: &[(&str, &str)], nonce: Option<&str>) -> Answer {
        let mut request = post("/token", APP, params);
        let proof = self.proof("POST", "/token", None, nonce);
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        self.remote.send(request).await
    }

    async fn call(&self, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
        let request = Request::get("/api/whoami").header(AUTHORIZATION, format!("{scheme} {token}"));
        let request = proof.into_iter().fold(request, |request, proof| request.header("dpop", proof));
        self.remote.send(request.body(Bytes::new()).unwrap()).await
    }
}

// spec: TOK-34, RS-32
#[tokio::test]
async fn a_bound_token_opens_the_api_with_its_key_and_with_nothing_else() {
    let reference = Reference::in_development("");
    let _server = reference.start();
    let holder = Holder::of(&reference);
    let code = holder.code().await;
    holder.remote.token(APP, &redemption(&code)).await.is_refused(400, "invalid_grant");
    let token = holder.post(&redemption(&code), None).await.tokens().access;

    let proof = holder.proof("GET", "/api/whoami", Some(&token), None);
    let answer = holder.call("DPoP", &token, Some(&proof)).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(
        (answer.member("token_type"), answer.member("cnf")),
        ("DPoP".into(), serde_json::json!({ "jkt": holder.key.jkt() }))
    );

    assert_eq!(holder.call("DPoP", &token, Some(&proof)).await.status, 401, "a proof is good once");
    assert_eq!(holder.call("DPoP", &token, None).await.status, 401);
    let fresh = || holder.proof("GET", "/api/whoami", Some(&token), None);
    assert_eq!(holder.call("Bearer", &token, None).await.status, 401);
    assert_eq!(holder.call("Bearer", &token, Some(&fresh())).await.status, 401);
    let thief = Holder::of(&reference);
    let stolen = thief.proof("GET", "/api/whoami", Some(&token), None);
    assert_eq!(thief.call("DPoP", &token, Some(&stolen)).await.status, 401);
    assert_eq!(holder.call("DPoP", &token, Some(&fresh())).await.status, 200);
}

// spec: TOK-34, TOK-35
#[tokio::test]
async fn a_server_that_requires_proofs_with_nonces_says_so_at_each_of_its_ends() {
    let reference = Reference::in_development("[dpop]\nrequired = true\nnonce = true\n");
    let _server = reference.start();
    let holder = Holder::of(&reference);
    let code = holder.code().await;
    holder.remote.token(APP, &redemption(&code)).await.is_refused(400, "invalid_dpop_proof");
    let first = holder.post(&redemption(&code), None).await;
    first.is_refused(400, "use_dpop_nonce");
    let nonce = first.header("dpop-nonce");
    let token = holder.post(&redemption(&code), Some(nonce)).await.tokens().access;

    let without = holder.proof("GET", "/api/whoami", Some(&token), None);
    let answer = holder.call("DPoP", &token, Some(&without)).await;
    assert!(answer.status == 401 && answer.header("www-authenticate").contains("use_dpop_nonce"), "{answer}");
    let with = holder.proof("GET", "/api/whoami", Some(&token), Some(answer.header("dpop-nonce")));
    assert_eq!(holder.call("DPoP", &token, Some(&with)).await.status, 200);
}

// spec: TOK-35
#[tokio::test]
async fn a_configured_client_can_ask_for_bound_tokens_only() {
    let client = "[[clients]]\nclient_id = \"careful\"\nredirect_uris = [\"https://app.example/cb\"]\n\
        scope = \"albums:read\"\ndpop_bound_access_tokens = true\n";
    let reference = Reference::in_development(client);
    let _server = reference.start();
    let page = Visitor::new(plain_client()).go(&format!("{}{}", reference.issuer, Ask::of(CAREFUL).uri())).await;
    let response = page.response(CALLBACK);
    let remote = Remote::new(plain_client(), &reference.issuer);
    let answer = remote.token(CAREFUL, &redemption(response.get("code").unwrap())).await;
    answer.is_refused(400, "invalid_dpop_proof");
}
