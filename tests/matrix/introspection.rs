//! An authentication service that is asked: cases 16 and 19 to 22.

use http::StatusCode;
use serde_json::json;

use super::*;

async fn home() -> (Service, Home) {
    let service = Service::new().await;
    let home = Home::asking(&service, |settings| settings).await;
    (service, home)
}

#[tokio::test]
async fn the_question_is_the_one_that_homeservers_ask() {
    let (service, home) = home().await;
    service.good("t", json!({}));
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    let (headers, body) = service.0.last.lock().unwrap().clone().unwrap();
    assert_eq!(headers["authorization"], "Bearer the-shared-secret");
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(headers["x-mas-supports-device-id"], "1");
    assert_eq!(body, "token=t&token_type_hint=access_token");
}

#[tokio::test]
async fn case_16_servers_that_disagree_sign_nobody_out_and_nobody_in() {
    let (service, home) = home().await;
    let two = format!("{SCOPE} urn:matrix:client:device:KLMNOPQRST");
    let disagreements = [
        json!({ "scope": two }),
        json!({ "device_id": "KLMNOPQRST" }),
        json!({ "device_id": 7 }),
        json!({ "username": null }),
        json!({ "username": null, "sub": "alice" }),
        json!({ "username": "@alice:example.org" }),
        json!({ "username": "nobody" }),
        json!({ "username": "" }),
    ];
    for (number, changes) in disagreements.into_iter().enumerate() {
        let token = format!("t{number}");
        service.good(&token, changes);
        is_refused(&home.get(WHOAMI, &token).await, 500, "M_UNKNOWN");
    }
}

#[tokio::test]
async fn the_device_may_stand_beside_the_scope() {
    let (service, home) = home().await;
    service.good("t", json!({ "scope": "urn:matrix:client:api:*", "device_id": "LEGACY" }));
    service.good("u", json!({ "device_id": "ABCDEFGHIJ" }));
    assert_eq!(home.get(WHOAMI, "t").await.member("device_id"), "LEGACY");
    assert_eq!(home.get(WHOAMI, "u").await.member("device_id"), "ABCDEFGHIJ");
    service.good("v", json!({ "scope": "urn:matrix:client:api:*" }));
    is_refused(&home.get(WHOAMI, "v").await, 403, "M_FORBIDDEN");
    let lenient = Home::asking(&service, Settings::device_optional).await;
    assert!(lenient.get(WHOAMI, "v").await.json().get("device_id").is_none());
}

#[tokio::test]
async fn case_19_an_outage_is_503_and_never_a_sign_out() {
    let (service, home) = home().await;
    let outages = [
        Said::Text(StatusCode::UNAUTHORIZED, ""),
        Said::Text(StatusCode::INTERNAL_SERVER_ERROR, ""),
        Said::Text(StatusCode::OK, "no json"),
        Said::Text(StatusCode::OK, "[true]"),
        Said::Json(json!({})),
        Said::Json(json!({ "active": "true", "username": "alice", "scope": SCOPE })),
        Said::Json(json!({ "active": true, "username": "alice", "scope": SCOPE, "expires_in": 1.5 })),
        Said::Json(json!({ "active": true, "username": "alice", "scope": [SCOPE] })),
        Said::Nothing,
    ];
    for (number, said) in outages.into_iter().enumerate() {
        let token = format!("t{number}");
        service.say(&token, said);
        let answer = home.get(WHOAMI, &token).await;
        is_refused(&answer, 503, "M_UNKNOWN");
        assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{answer}");
        // The failure is remembered for two seconds, and no longer.
        service.good(&token, json!({}));
        home.clock.advance(120);
        is_user(&home.get(WHOAMI, &token).await, "@alice:example.org");
    }
}

#[tokio::test]
async fn case_19_with_nobody_there_it_is_503_too() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let issuer = Issuer::introspection("https://as.example", format!("http://{free}/")).bearer(SECRET).for_homeserver();
    let home = Home::taking(issuer, clock(), |settings| settings).await;
    is_refused(&home.get(WHOAMI, "t").await, 503, "M_UNKNOWN");
}

#[tokio::test]
async fn case_20_a_verdict_ends_with_the_token_and_not_with_its_place_in_the_cache() {
    let (service, home) = home().await;
    service.good("t", json!({ "expires_in": 1 }));
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    service.say("t", Said::Json(json!({ "active": false })));
    home.clock.advance(2);
    is_unknown(&home.get(WHOAMI, "t").await, true);
}

#[tokio::test]
async fn case_12_an_expired_token_that_was_good_here_is_a_soft_logout_for_as_long_as_it_is_known() {
    let (service, home) = home().await;
    service.good("t", json!({ "expires_in": 300 }));
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    service.say("t", Said::Json(json!({ "active": false })));
    // Long after the answer was forgotten, and again.
    for _ in 0..3 {
        home.clock.advance(300);
        is_unknown(&home.get(WHOAMI, "t").await, true);
    }
    // One that ended before its time is over for good.
    service.good("u", json!({ "expires_in": 300 }));
    is_user(&home.get(WHOAMI, "u").await, "@alice:example.org");
    service.say("u", Said::Json(json!({ "active": false })));
    home.clock.advance(299);
    is_unknown(&home.get(WHOAMI, "u").await, false);
    home.clock.advance(300);
    is_unknown(&home.get(WHOAMI, "u").await, false);
    // As is one that nobody here has seen.
    is_unknown(&home.get(WHOAMI, "v").await, false);
}

#[tokio::test]
async fn case_20_of_two_ends_the_first_counts_and_a_past_one_is_a_soft_logout() {
    let (service, home) = home().await;
    service.good("t", json!({ "exp": 1_800_000_005_u64, "expires_in": 300 }));
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    home.clock.advance(40);
    is_unknown(&home.get(WHOAMI, "t").await, true);
}

#[tokio::test]
async fn case_21_a_token_of_a_deleted_device_is_refused_at_once_though_it_is_cached() {
    let (service, home) = home().await;
    service.good("t", json!({}));
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    home.change("alice", |alice| {
        alice.deleted_devices.insert(device("ABCDEFGHIJ"));
    });
    is_unknown(&home.get(WHOAMI, "t").await, false);
    assert_eq!(service.asked(), 1);
}

#[tokio::test]
async fn case_22_many_first_uses_of_a_token_are_one_question() {
    let (service, home) = home().await;
    service.good("t", json!({}));
    let all = futures_util::future::join_all((0..20).map(|_| home.get(WHOAMI, "t"))).await;
    all.iter().for_each(|answer| is_user(answer, "@alice:example.org"));
    assert_eq!(service.asked(), 1);
}
