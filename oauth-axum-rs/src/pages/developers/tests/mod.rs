use http::StatusCode;
use oauth_core::{
    client::{Developer, metadata::RegistrationError},
    clock::UnixTime,
    params::Params,
    server::AuthorizationServer,
};
use serde_json::json;

use super::{
    application::{Problem, Typed},
    terms::DeveloperTerms,
    views::{self, Sheet, in_words},
};
use crate::pages::{
    texts::{
        DeveloperProblemTexts, DeveloperTexts,
        pseudo::{self, Seen},
    },
    visit::Look,
};

#[test]
fn a_lifetime_is_rounded_down() {
    let words = [(0, "0 seconds"), (119, "119 seconds"), (7199, "119 minutes"), (172_799, "47 hours")];
    for (seconds, text) in words.into_iter().chain([(172_800, "2 days"), (90 * 86_400 + 5, "90 days")]) {
        assert_eq!(in_words(&DeveloperTexts::default(), seconds), text);
    }
}

async fn server() -> AuthorizationServer {
    AuthorizationServer::builder("https://1.0.0.1").registration(|it| it).build().await.unwrap()
}

/// What is wrong with a form.
async fn problems(texts: &DeveloperProblemTexts, form: &str) -> Vec<Problem> {
    let terms = DeveloperTerms::text("1", "1");
    Typed::read(&Params::parse(form).unwrap()).judge(&server().await, texts, Some(&terms), "2").unwrap_err()
}

#[tokio::test]
async fn the_form_has_no_text_that_is_not_of_a_language() {
    let texts = pseudo::texts();
    let look = Look { site: "1.0.0.1", texts: &texts };
    let (typed, mut seen) = (Typed::default(), Seen::default());
    let wrong = &texts.developer_problems;
    let many = format!("redirect_uris={}", "1%0A".repeat(1000));
    let mut problems = [problems(wrong, "").await, problems(wrong, &many).await].concat();
    problems.push(Problem::general(&*wrong.late));
    let (text, link) = (DeveloperTerms::text("4", "1"), DeveloperTerms::at("https://4.0.0.4", "1").unwrap());
    for (problems, terms) in [(&[][..], None), (&*problems, Some(&text)), (&[][..], Some(&link))] {
        let sheet = Sheet { look, user: "3", action: "", csrf: "", typed: &typed, problems, terms };
        seen.page(&sheet.page(StatusCode::OK), &[]);
    }
    // What a rule says is English.
    for member in
        ["client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri", "contacts", "redirect_uris", "description"]
            .into_iter()
            .chain(["grant_types", "jwks"])
    {
        let error = RegistrationError::ClientMetadata(format!("{member}: 5"));
        seen.text(&Problem::refused(wrong, &error).text, &[]);
    }
    let line = self::problems(wrong, "redirect_uris=6").await;
    line.iter().for_each(|problem| seen.text(&problem.text, &[]));
    assert_eq!(seen.unseen(&["developer_fields"]), Vec::<&str>::new());
    // What the desk says, past a limit and in an outage.
    assert_eq!(seen.unseen(&["developer_problems"]), ["developer_problems.limited", "developer_problems.unavailable"]);
}

#[tokio::test]
async fn what_comes_of_the_form_has_no_text_that_is_not_of_a_language() {
    let texts = pseudo::texts();
    let look = Look { site: "1.0.0.1", texts: &texts };
    let (mut seen, server) = (Seen::default(), server().await);
    for method in ["client_secret_basic", "none"] {
        let metadata =
            json!({"client_name": "2", "redirect_uris": ["https://4.0.0.4/"], "token_endpoint_auth_method": method});
        let metadata = server.read_client_metadata(metadata.to_string().as_bytes()).unwrap();
        let registered = server.register_for(metadata, Developer::new("3")).await.unwrap();
        let given = [&*registered.client.id.to_string(), "https", method];
        let secret = registered.secret.as_ref().map_or("", |secret| secret.expose()).to_owned();
        let token = registered.token.as_ref().map_or("", |token| token.expose()).to_owned();
        let uri = registered.uri.clone().unwrap_or_default();
        let known: Vec<&str> =
            [&*uri, &*secret, &*token].into_iter().chain(given).filter(|one| !one.is_empty()).collect();
        seen.page(&views::registered(look, "", &registered, UnixTime(0)), &known);
    }
    for page in [
        views::repeated(look, ""),
        views::out_of_date(look, ""),
        views::unreadable(StatusCode::OK, look, ""),
        views::not_for_you(look, "", "3", ""),
    ] {
        seen.page(&page, &[]);
    }
    for seconds in [1, 1000, 10_000, 1_000_000] {
        seen.text(&in_words(&texts.developers, seconds), &[]);
    }
    // Those of the form, of a secret that ends and of a client that manages itself.
    let form = ["title", "problems", "optional", "kind", "web", "web_hint", "app", "app_hint", "terms", "accept_above"];
    let form = form.into_iter().chain(["accept", "accept_link", "button", "secret_for", "token", "management"]);
    let unseen = seen.unseen(&["developers"]);
    let unseen = unseen
        .iter()
        .filter_map(|name| name.strip_prefix("developers."))
        .filter(|name| !form.clone().any(|one| one == *name));
    assert_eq!(unseen.collect::<Vec<_>>(), Vec::<&str>::new());
}
