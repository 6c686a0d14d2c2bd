//! What may stand in the fields.

use super::*;

const URL: &str = "must be an http or https URL without a user name.";

// spec: REG-16
#[tokio::test]
async fn each_wrong_field_keeps_what_was_typed_and_says_what_is_wrong() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let typed = [
        ("redirect_uris", "https://app.example/cb\r\nhttp://app.example/cb"),
        ("website", "app.example"),
        ("description", "Good."),
        ("logo", "data:image/png;base64,AA"),
        ("terms_of_service", "javascript:alert(1)"),
        ("privacy_policy", "https://bank.example@app.example/"),
        ("contact", "ada\u{202e}"),
    ];
    let refused = send(&mut browser, &page, &typed).await;
    assert_eq!((refused.status.as_u16(), refused.header("cache-control")), (422, "no-store"));
    assert!(refused.body.contains("<title>Error: Register an application"), "{refused}");
    for (field, expected) in [
        ("application_name", "Enter the name of the application.".to_owned()),
        ("client_type", "Choose where the application runs.".to_owned()),
        ("redirect_uris", "Line 2: http redirect URIs are for 127.0.0.1 and [::1] only.".to_owned()),
        ("website", format!("The website {URL}")),
        ("description", String::new()),
        ("logo", format!("The logo {URL}")),
        ("terms_of_service", format!("The link to the terms of service {URL}")),
        ("privacy_policy", format!("The link to the privacy policy {URL}")),
        ("contact", "The contact has control characters in it.".to_owned()),
        ("terms", "Accept the terms to register an application.".to_owned()),
    ] {
        assert_eq!(problem(&refused, field), expected, "{field}");
        let linked = refused.body.contains(&format!("<a href=\"#{field}\">"));
        assert_eq!(linked, !expected.is_empty(), "the summary leads to {field}");
        assert!(refused.body.contains(&format!(" id=\"{field}\"")), "{field}");
        let described = refused.body.contains(&format!("aria-describedby=\"{field}-problem"));
        assert_eq!(described, !expected.is_empty(), "{field}");
    }
    for (field, value) in &typed[1..] {
        assert!(refused.body.contains(value), "{field}");
    }
    assert!(refused.body.contains("https://app.example/cb\nhttp://app.example/cb</textarea>"), "{refused}");
    assert_eq!(w.events.count("client_registered"), 0);
    // Nobody is shown another host than the one that a browser goes to.
    let doubtful = [("website", "https://b%61nk.example/"), ("privacy_policy", "https:app.example/privacy")];
    let refused = send(&mut browser, &page, &good_but(&doubtful)).await;
    for (field, what) in [("website", "website"), ("privacy_policy", "link to the privacy policy")] {
        let expected = format!("The {what} must be an http or https URL whose host is spelled out.");
        assert_eq!(problem(&refused, field), expected);
    }
    // What was chosen and accepted stays so.
    let refused = send(&mut browser, &page, &good_but(&[("client_type", "app"), ("website", "x")])).await;
    let checked: Vec<&str> = refused.body.split(" checked>").collect();
    assert_eq!(checked.len(), 3, "{refused}");
    assert!(checked[0].rsplit("<input").next().unwrap().contains("value=\"app\""));
    assert!(checked[1].rsplit("<input").next().unwrap().contains("value=\"accepted\""));
}

// spec: REG-06
#[tokio::test]
async fn redirect_uris_are_what_the_registration_endpoint_takes() {
    let w = world(|it| it.per_minute(0)).await;
    let (mut browser, page) = form(&w).await;
    let (whole, fragment) = ("a redirect URI is one whole absolute URI", "a redirect URI has no fragment");
    let plain =
        "a redirect URI is of at most 2048 plain ASCII characters, without a wildcard or an escaped control character";
    let scheme = "this scheme can never be redirected to";
    let cleartext = "http redirect URIs are for 127.0.0.1 and [::1] only";
    for (uri, expected) in [
        ("javascript:alert(1)//", scheme),
        ("data:text/html,x", scheme),
        ("http://app.example/cb", cleartext),
        ("http://localhost/cb", cleartext),
        ("https://app.example/cb#x", fragment),
        ("https://app.example/cb#", fragment),
        ("https://ada@app.example/cb", "a redirect URI has no user information"),
        ("https://app.example/*", plain),
        ("https://app.example/a/../b", "a redirect URI has no segment that is . or .."),
        ("/cb", whole),
        ("https://app.example/cb https://evil.example/cb", plain),
        ("https://app.example", "a redirect URI has a path after the host, at least a slash"),
        ("myapp:/cb", "a private-use scheme is a reversed domain name, as in com.example.app:/callback"),
    ] {
        let refused = send(&mut browser, &page, &good_but(&[("redirect_uris", uri)])).await;
        assert_eq!(problem(&refused, "redirect_uris"), format!("Line 1: {expected}."), "{uri}");
        assert_eq!(refused.status, 422);
    }
    let many = |count: usize| (0..count).map(|n| format!("https://app.example/{n}\n")).collect::<String>();
    for (uris, expected) in [(" \n ", "Enter at least one"), (&*many(33), "Enter at most 32 redirect URIs.")] {
        let refused = send(&mut browser, &page, &good_but(&[("redirect_uris", uris)])).await;
        assert!(problem(&refused, "redirect_uris").starts_with(expected), "{refused}");
    }
    assert_eq!(w.events.count("client_registered"), 0);
    caller(&send(&mut browser, &page, &good_but(&[("redirect_uris", &many(32))])).await);
    let w = world(RegistrationSettings::allow_localhost).await;
    let (mut browser, page) = form(&w).await;
    caller(&send(&mut browser, &page, &good_but(&[("redirect_uris", "http://localhost/cb")])).await);
}

// spec: SEC-15
#[tokio::test]
async fn nothing_that_is_typed_becomes_markup() {
    const ATTACK: &str = "\"'></textarea></title><script>alert(1)</script><img src=x onerror=alert(1)>{{ 1 }}";
    let w = world(|it| it.per_minute(0)).await;
    let (mut browser, page) = form(&w).await;
    let fields = ["application_name", "client_type", "redirect_uris", "website", "description", "logo"];
    let more = ["terms_of_service", "privacy_policy", "contact", "terms"];
    let harmless = |answer: &Answer| {
        for markup in ["<script", "<img", "</textarea><", "'>", "\"'"] {
            assert!(!answer.body.replace("</textarea>\n", "").contains(markup), "{markup} in {answer}");
        }
    };
    for field in fields.into_iter().chain(more) {
        // Alone, it may be a good form: then the name stands on the page that shows the secret.
        harmless(&send(&mut browser, &page, &good_but(&[(field, ATTACK)])).await);
        harmless(&send(&mut browser, &page, &good_but(&[(field, ATTACK), ("website", "x")])).await);
    }
    let page = browser.get(PATH).await;
    let done = send(&mut browser, &page, &good_but(&[("application_name", ATTACK)])).await;
    caller(&done);
    harmless(&done);
    assert!(unescape(&done.body).contains(ATTACK));
    // Not in the sign-in form, either.
    let mut stranger = Browser::new(&w);
    let page = stranger.get(PATH).await;
    let mut fields = fields_of(&page, "sign_in");
    fields.extend([("username".into(), ATTACK.into()), ("password".into(), ATTACK.into())]);
    let refused = stranger.submit(PATH, &fields).await;
    assert_eq!(refused.status, 422);
    harmless(&refused);
}

// spec: REG-16
#[tokio::test]
async fn what_is_too_long_is_refused() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    for (field, length) in [("application_name", 513), ("description", 2001), ("contact", 513)] {
        let long = "x".repeat(length);
        let refused = send(&mut browser, &page, &good_but(&[(field, &long)])).await;
        assert!(refused.status == 422 && problem(&refused, field).contains("too long"), "{field}: {refused}");
    }
    let long = format!("https://app.example/{}", "x".repeat(2048));
    let refused = send(&mut browser, &page, &good_but(&[("website", &long)])).await;
    assert_eq!(problem(&refused, "website"), "The website is too long.");
    let huge = send(&mut browser, &page, &good_but(&[("description", &"x".repeat(70_000))])).await;
    assert_eq!(huge.status, 413);
    assert_eq!(w.events.count("client_registered"), 0);
}

#[tokio::test]
async fn every_field_has_a_label_and_what_describes_it_is_there() {
    let w = world(|it| it).await;
    let (mut browser, page) = form(&w).await;
    let wrong = send(&mut browser, &page, &[("website", "x"), ("redirect_uris", "x"), ("logo", "x")]).await;
    for page in [page, wrong] {
        let ids: Vec<&str> = page.body.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), ids.len(), "{ids:?}");
        for tag in page.body.split(['<']).filter(|tag| tag.starts_with("input type") || tag.starts_with("textarea")) {
            let attribute = |name: &str| Some(tag.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0);
            if attribute("type") == Some("hidden") {
                continue;
            }
            assert!(page.body.contains(&format!("<label for=\"{}\"", attribute("id").unwrap())), "{tag}");
            for id in attribute("aria-describedby").unwrap_or_default().split(' ').filter(|id| !id.is_empty()) {
                assert!(ids.contains(&id), "{id}");
            }
            let choice = ["radio", "checkbox"].contains(&attribute("type").unwrap_or_default());
            assert!(choice || attribute("autocomplete").is_some(), "{tag}");
        }
    }
}
