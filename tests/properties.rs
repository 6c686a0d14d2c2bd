//! What holds for any input at all.

use std::{collections::HashSet, future::Future, sync::LazyLock};

use http::{Method, Request};
use proptest::{prelude::*, sample::select};

use crate::support::*;

/// One server for all cases: nothing that they send may matter to the next.
static WORLD: LazyLock<World> = LazyLock::new(|| block_on(on_memory()));

fn block_on<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(case)
}

/// The server is made before `case` begins: no runtime starts inside another.
fn at_the_server<T>(case: impl AsyncFnOnce(&World) -> T) -> T {
    let world = &*WORLD;
    block_on(case(world))
}

/// A value that is good, nearly good or nonsense.
fn value(good: Vec<String>) -> BoxedStrategy<String> {
    let bent = (select(good.clone()), any::<prop::sample::Index>(), "\\PC{0,2}", 0..2_usize);
    let bent = bent.prop_map(|(text, at, more, gone)| {
        let text: Vec<char> = text.chars().collect();
        let (before, after) = text.split_at(at.index(text.len() + 1));
        before.iter().copied().chain(more.chars()).chain(after.iter().copied().skip(gone)).collect::<String>()
    });
    prop_oneof![4 => select(good), 3 => bent, 1 => "\\PC{0,40}", 1 => "[ -~\r\n]{0,200}"].boxed()
}

fn parameter() -> impl Strategy<Value = (String, String)> {
    let known = [
        ("response_type", "code token"),
        ("client_id", "app web form api nobody"),
        ("redirect_uri", "https://app.example/cb https://evil.example/ //evil.example https://app.example"),
        ("scope", "read write admin"),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256 plain"),
        ("resource", "https://api.example https://jwt.example"),
        ("response_mode", "query fragment form_post"),
        ("prompt", "none login consent select_account create nonsense"),
        ("max_age", "0 60 -1"),
        ("acr_values", "gold silver"),
        ("login_hint", "alice https://evil.example/"),
        ("ui_locales", "de fr-CA"),
        ("request", "a.b.c e30.e30. https://evil.example/"),
        ("request_uri", "https://evil.example/ urn:ietf:params:oauth:request_uri:x //evil.example"),
        ("authorization_details", "[] [{\"type\":\"x\"}]"),
        ("post_logout_redirect_uri", "https://evil.example/"),
        ("grant_type", "authorization_code client_credentials refresh_token password"),
        ("client_secret", "form-secret-9Qz4"),
        ("code", "x oac_"),
        ("refresh_token", "x ort_"),
        ("token", "x oat_ a.b.c"),
    ];
    let pair = move |(name, good): (&'static str, &'static str)| {
        let good: Vec<String> = good.split(' ').map(str::to_owned).collect();
        value(good).prop_map(move |value| (name.to_owned(), value))
    };
    prop_oneof![30 => select(known.to_vec()).prop_flat_map(pair), 1 => ("\\PC{0,9}", "\\PC{0,9}")]
}

fn form(params: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

proptest! {
    // spec: AUZ-04, AUZ-05, AUZ-06, AUZ-17
    #[test]
    fn no_input_to_authorize_redirects_to_an_unregistered_uri(
        changes in prop::collection::vec(parameter(), 0..6), post in any::<bool>(),
    ) {
        let answer = at_the_server(async |w| {
            let changed: HashSet<&String> = changes.iter().map(|(name, _)| name).collect();
            let kept = changed.iter().fold(Ask::of(APP), |ask, name| ask.without(name));
            let form = changes.iter().fold(kept, |ask, (name, value)| ask.and(name, value)).form();
            if !post {
                return w.get(&format!("/authorize?{form}")).await;
            }
            let request = Request::post("/authorize").header("content-type", "application/x-www-form-urlencoded");
            w.send(request.body(form.into()).unwrap()).await
        });
        match answer.status.as_u16() {
            400 => answer.is_error_page(),
            303 if answer.location().starts_with("/interaction?id=") => {}
            303 => {
                let url = url::Url::parse(answer.location()).unwrap();
                prop_assert_eq!(&url[..url::Position::AfterPath], CALLBACK);
                let fragment = answer.location().starts_with(&format!("{CALLBACK}#error="));
                if !fragment {
                    let error = answer.redirected_to(CALLBACK).get("error").unwrap().to_owned();
                    answer.is_error_redirect(&error);
                }
            }
            // A form for the browser to post: there, and nowhere else.
            200 => {
                let actions = answer.body.matches(" action=").count() + answer.body.matches("http-equiv").count();
                let posts = answer.body.contains(&format!(r#"<form method="post" action="{CALLBACK}">"#));
                prop_assert!(actions == 1 && posts && answer.header("location").is_empty(), "{}", answer);
            }
            other => prop_assert!(false, "{}", other),
        }
    }

    // spec: TOK-08
    #[test]
    fn no_form_breaks_a_back_channel_endpoint(
        endpoint in select(vec!["/token", "/revoke", "/introspect"]),
        params in prop::collection::vec(parameter(), 0..8),
        caller in select(vec![Caller::Nobody, APP, WEB, FORM, AUDITOR]),
    ) {
        answers_as_it_may(post(endpoint, caller, &[]).map(|own| {
            [own.as_ref(), b"&", form(&params).as_bytes()].concat().into()
        }))?;
    }

    // spec: TOK-02, TOK-08
    #[test]
    fn no_request_breaks_a_back_channel_endpoint(
        endpoint in select(vec!["/token", "/revoke", "/introspect"]),
        method in select(vec![Method::GET, Method::POST, Method::PUT]),
        headers in prop::collection::vec((select(vec!["authorization", "content-type"]), "[ -~]{0,40}"), 0..3),
        is_form in any::<bool>(),
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "(([a-z_]{0,12}|client_id)=?[%0-9a-f&+=]{0,9}){0,9}".prop_map(String::into_bytes),
        ],
    ) {
        let mut request = Request::builder().method(method).uri(endpoint);
        if is_form {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        answers_as_it_may(request.body(body.into()).unwrap())?;
    }
}

/// Sends `request`: whatever comes back is one of the answers that a client understands.
fn answers_as_it_may(request: Request<bytes::Bytes>) -> Result<(), TestCaseError> {
    let answer = at_the_server(async |w| w.send(request).await);
    let status = answer.status.as_u16();
    answer.is_not_kept();
    match status {
        200 | 405 => {}
        400 | 401 | 413 | 503 => {
            let code = answer.member("error");
            let registered = ["invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "invalid_target"];
            let more =
                ["unauthorized_client", "unsupported_grant_type", "unsupported_token_type", "temporarily_unavailable"];
            let code = code.as_str().unwrap();
            prop_assert!(registered.iter().chain(&more).any(|known| *known == code), "{}", code);
            answer.is_refused(status, code);
        }
        other => prop_assert!(false, "{}", other),
    }
    Ok(())
}
