//! The three modes, row by row of area E of the checklist: what each says is one table here, held against the one in
//! the crate and against what is answered. This file: who asks, and how.

mod tokens;

use http::{Method, Request};
use oauth_core::engine::revocation::{RevocationMode, RevocationPolicy, Said};

use super::jwt;
use crate::support::*;

/// A column: what the checklist has of one mode.
pub(super) struct Column {
    pub(super) mode: RevocationMode,
    /// The status, and `error` where it is not 200.
    pub(super) of_confidential_client_by_nobody: (u16, &'static str),
    pub(super) of_public_client_by_nobody: (u16, &'static str),
    pub(super) of_another_client: (u16, &'static str),
    pub(super) unknown: (u16, &'static str),
    pub(super) access_ends_grant: bool,
    pub(super) body: &'static str,
    pub(super) advertised: bool,
}

pub(super) const TABLE: [Column; 3] = [
    Column {
        mode: RevocationMode::Rfc7009,
        of_confidential_client_by_nobody: (401, "invalid_client"),
        of_public_client_by_nobody: (401, "invalid_client"),
        of_another_client: (400, "invalid_grant"),
        unknown: (200, ""),
        access_ends_grant: false,
        body: "",
        advertised: true,
    },
    Column {
        mode: RevocationMode::Draft2011,
        of_confidential_client_by_nobody: (401, "invalid_client"),
        of_public_client_by_nobody: (403, "unauthorized_client"),
        of_another_client: (403, "unauthorized_client"),
        unknown: (400, "invalid_token"),
        access_ends_grant: false,
        body: "",
        advertised: false,
    },
    Column {
        mode: RevocationMode::Matrix,
        of_confidential_client_by_nobody: (200, ""),
        of_public_client_by_nobody: (200, ""),
        of_another_client: (200, ""),
        unknown: (200, ""),
        access_ends_grant: true,
        body: "{}",
        advertised: true,
    },
];

/// A world in this mode.
pub(super) async fn in_mode(mode: RevocationMode) -> World {
    on_memory_with(|builder| builder.revocation(|policy| *policy = RevocationPolicy::new(mode))).await
}

impl Column {
    async fn world(&self) -> World {
        in_mode(self.mode).await
    }

    async fn on_every_store(&self, test: impl AsyncFn(World)) {
        on_every_store_with(|builder| builder.revocation(|policy| *policy = RevocationPolicy::new(self.mode)), test)
            .await;
    }

    /// It is 200, in the words of the mode.
    #[track_caller]
    pub(super) fn is_revoked(&self, answer: &Answer) {
        self.is(answer, (200, ""));
    }

    #[track_caller]
    pub(super) fn is(&self, answer: &Answer, (status, error): (u16, &str)) {
        if status != 200 {
            return answer.is_refused(status, error);
        }
        assert_eq!((answer.status.as_u16(), &*answer.body), (200, self.body), "{:?}: {answer}", self.mode);
        let json = if self.body.is_empty() { "" } else { "application/json" };
        assert_eq!(answer.header("content-type"), json, "{:?}: {answer}", self.mode);
        answer.is_not_kept();
    }
}

#[test]
fn the_table_of_the_crate_is_that_of_the_checklist() {
    let said = |said: &Said| match said {
        Said::Refused { status, error } => (*status, error.as_str().to_owned()),
        _ => (200, String::new()),
    };
    let expected = |(status, error): (u16, &str)| (status, error.to_owned());
    for column in TABLE {
        let rules = column.mode.rules();
        assert_eq!(said(&rules.of_another_client), expected(column.of_another_client));
        assert_eq!(said(&rules.unknown), expected(column.unknown));
        assert_eq!(said(&rules.of_public_client_by_nobody), expected(column.of_public_client_by_nobody));
        assert_eq!(said(&rules.of_confidential_client_by_nobody), expected(column.of_confidential_client_by_nobody));
        assert_eq!((rules.body, rules.advertised), (column.body, column.advertised));
        assert_eq!(rules.access_revokes_grant.unwrap_or(false), column.access_ends_grant);
    }
}

// spec: REV-01
#[tokio::test]
async fn the_metadata_name_the_endpoint_as_the_mode_has_it_and_parameters_come_from_the_body_alone() {
    for column in TABLE {
        let w = column.world().await;
        let metadata = w.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata.get("revocation_endpoint").is_some(), column.advertised, "{:?}", column.mode);
        let tokens = w.tokens(APP).await;
        w.post(&format!("/revoke?token={}", tokens.access), APP, &[]).await.is_refused(400, "invalid_request");
        assert!(w.lives(&tokens.access).await);
        column.is_revoked(&w.post("/revoke?tenant=1", APP, &[("token", &tokens.access)]).await);
        assert!(!w.lives(&tokens.access).await);
    }
    // The draft leaves it to documentation, unless somebody wants it; Matrix cannot be without.
    let told = on_memory_with(|builder| {
        builder.revocation(|policy| {
            *policy = RevocationPolicy::new(RevocationMode::Draft2011);
            policy.advertise = true;
        })
    });
    let metadata = told.await.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("revocation_endpoint"), format!("{ISSUER}/revoke"));
}

// spec: REV-02, REV-21
#[tokio::test]
async fn in_no_mode_does_get_revoke_unless_that_was_asked_for() {
    for column in TABLE {
        let w = column.world().await;
        let token = w.tokens(APP).await.access;
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
            let uri = format!("/revoke?client_id=app&token={token}&callback=pkg.fn");
            let answer = w.send(Request::builder().method(method).uri(uri).body(Default::default()).unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{:?}", column.mode);
        }
        assert!(w.lives(&token).await);
        column.is_revoked(&w.post("/revoke", APP, &[("token", &token), ("callback", "pkg.fn")]).await);
    }
}

// spec: REV-03, REV-17
#[tokio::test]
async fn in_every_mode_a_request_without_its_token_is_an_error_with_details() {
    for column in TABLE {
        let w = column.world().await;
        let token = w.tokens(APP).await.access;
        for bad in [&[][..], &[("token", "")], &[("token", &token), ("token", &token)]] {
            for caller in [APP, Caller::Nobody] {
                let answer = w.post("/revoke", caller, bad).await;
                if answer.status != 401 {
                    answer.is_refused(400, "invalid_request");
                    assert!(!answer.member("error_description").as_str().unwrap().is_empty());
                }
            }
        }
        let json = Request::post("/revoke").header("content-type", "application/json");
        let body = format!(r#"{{"client_id":"app","token":"{token}"}}"#);
        w.send(json.body(body.into()).unwrap()).await.is_refused(400, "invalid_request");
        assert!(w.lives(&token).await, "{:?}", column.mode);
    }
}

// spec: REV-04
#[tokio::test]
async fn in_no_mode_does_a_hint_change_the_outcome() {
    for column in TABLE {
        let w = column.world().await;
        for hint in ["access_token", "refresh_token", "pat", "\u{0}", ""] {
            let (opaque, jwt) = (w.tokens(APP).await, jwt(&w, APP).await);
            for token in [&opaque.access, &jwt.access, opaque.refresh.as_ref().unwrap()] {
                let answer = w.post("/revoke", APP, &[("token", token), ("token_type_hint", hint)]).await;
                let gone = column.access_ends_grant && Some(token) == opaque.refresh.as_ref();
                column.is(&answer, if gone { column.unknown } else { (200, "") });
            }
            assert!(!w.lives(&opaque.access).await && !w.lives(&jwt.access).await, "{:?} {hint}", column.mode);
            w.refresh(APP, &opaque.refresh.unwrap()).await.is_refused(400, "invalid_grant");
            // Nor that of nothing.
            let answer = w.post("/revoke", APP, &[("token", "x"), ("token_type_hint", hint)]).await;
            column.is(&answer, column.unknown);
        }
    }
}

// spec: REV-05
#[tokio::test]
async fn who_says_nothing_of_themselves_is_heard_as_the_mode_has_it() {
    for column in TABLE {
        let w = column.world().await;
        for (owner, expected) in
            [(WEB, column.of_confidential_client_by_nobody), (APP, column.of_public_client_by_nobody)]
        {
            let tokens = w.tokens(owner).await;
            for token in [&tokens.access, tokens.refresh.as_ref().unwrap()] {
                column.is(&w.revoke(Caller::Nobody, token).await, expected);
                assert_eq!(w.lives(&tokens.access).await, expected.0 != 200, "{:?}", column.mode);
            }
        }
        // Whoever does say who they are is heard in every mode.
        for owner in [APP, WEB, FORM] {
            column.is_revoked(&w.revoke(owner, &w.tokens(owner).await.access).await);
        }
    }
}

// spec: REV-05, REV-06
#[tokio::test]
async fn in_every_mode_credentials_that_are_there_are_right_or_refused() {
    for column in TABLE {
        let w = column.world().await;
        let tokens = w.tokens(WEB).await;
        for impostor in [
            Caller::Basic("web", "wrong"),
            Caller::Post("web", "web-secret-7Xk2"),
            Caller::Basic("nobody", "x"),
            // A public client has no secret to show.
            Caller::Post("app", "x"),
        ] {
            w.revoke(impostor, &tokens.access).await.is_refused(401, "invalid_client");
        }
        assert!(w.lives(&tokens.access).await, "{:?}", column.mode);
        w.post("/revoke?client_secret=x", APP, &[("token", &tokens.access)]).await.is_refused(400, "invalid_request");
        // A name that proves nothing is no credential.
        let named = w.revoke(Caller::Public("web"), &tokens.access).await;
        column.is(&named, column.of_confidential_client_by_nobody);
    }
}

// spec: REV-16
#[tokio::test]
async fn in_every_mode_a_store_that_fails_is_503_and_never_a_success() {
    for column in TABLE {
        column
            .on_every_store(async |w| {
                let (opaque, jwt) = (w.tokens(APP).await, jwt(&w, APP).await);
                let refresh = opaque.refresh.unwrap();
                w.store.set_down(true);
                for token in [&opaque.access, &jwt.access, &refresh] {
                    for caller in [APP, Caller::Nobody] {
                        if (column.mode, caller) != (RevocationMode::Rfc7009, Caller::Nobody) {
                            w.revoke(caller, token).await.is_unavailable();
                        }
                    }
                }
                w.store.set_down(false);
                assert!(w.lives(&opaque.access).await && w.lives(&jwt.access).await);
                // Whatever step it is that fails.
                for verb in ["grant", "access", "revoke_access", "revoke_grant"] {
                    for token in [&jwt.access, &refresh] {
                        w.store.lose_the_answer_of(verb);
                        let answer = w.revoke(APP, token).await;
                        if answer.status == 503 { answer.is_unavailable() } else { w.store.calm() }
                    }
                }
            })
            .await;
    }
}

// spec: REV-18
#[tokio::test]
async fn in_no_mode_is_a_cleartext_endpoint_published() {
    for column in TABLE {
        let metadata = column.world().await.get("/.well-known/oauth-authorization-server").await.json();
        let url = metadata.get("revocation_endpoint").and_then(serde_json::Value::as_str);
        assert!(url.is_none_or(|url| url.starts_with("https://")), "{:?}", column.mode);
    }
}

// spec: REV-19
#[tokio::test]
async fn scripts_of_other_origins_are_let_in_by_the_mode_of_matrix_alone() {
    for column in TABLE {
        let w = column.world().await;
        let preflight = Request::builder().method(Method::OPTIONS).uri("/revoke").header("origin", "https://a.example");
        let preflight = preflight.header("access-control-request-method", "POST");
        let preflight =
            preflight.header("access-control-request-headers", "x-requested-with,content-type,authorization");
        let asked = w.send(preflight.body(Default::default()).unwrap()).await;
        let mut request = post("/revoke", Caller::Basic("web", "wrong"), &[("token", "x")]);
        request.headers_mut().insert("origin", "https://a.example".parse().unwrap());
        let refused = w.send(request).await;
        assert_eq!(refused.status, 401);
        if column.mode != RevocationMode::Matrix {
            assert_eq!(asked.status, 405);
            assert!(!asked.headers.contains_key("access-control-allow-origin"));
            assert!(!refused.headers.contains_key("access-control-allow-origin"));
            continue;
        }
        assert_eq!((asked.status.as_u16(), asked.header("access-control-allow-origin")), (200, "*"), "{asked}");
        assert_eq!(asked.header("access-control-allow-methods"), "GET,POST,PUT,DELETE,OPTIONS");
        assert_eq!(asked.header("access-control-allow-headers"), "x-requested-with,content-type,authorization");
        // Also on refusals, or browsers hide them.
        assert_eq!(refused.header("access-control-allow-origin"), "*");
        // For revocation; the rest is for the host to say.
        let other = Request::builder().method(Method::OPTIONS).uri("/token").header("origin", "https://a.example");
        let other = other.header("access-control-request-method", "POST").body(Default::default()).unwrap();
        assert!(!w.send(other).await.headers.contains_key("access-control-allow-origin"));
    }
}
