//! Application services and limits: cases 27 to 30.

use serde_json::json;

use super::*;

async fn home() -> Home {
    let service = Service::new().await;
    service.good("t", json!({}));
    let home = Home::asking(&service, |settings| settings.appservice(bridge())).await;
    home.users.insert("bot_one", User::default());
    home
}

fn as_user(user: &str) -> String {
    format!("{WHOAMI}?user_id={user}")
}

#[tokio::test]
async fn case_27_an_application_service_is_its_sender_or_a_registered_user_of_its_namespace() {
    let home = home().await;
    is_user(&home.get(WHOAMI, AS_TOKEN).await, "@bot:example.org");
    is_user(&home.get(&as_user("@bot:example.org"), AS_TOKEN).await, "@bot:example.org");
    is_user(&home.get(&as_user("@bot_one:example.org"), AS_TOKEN).await, "@bot_one:example.org");
    for other in ["@bot_two:example.org", "@alice:example.org", "@bot_one:elsewhere.org", "bot_one", ""] {
        is_refused(&home.get(&as_user(other), AS_TOKEN).await, 403, "M_FORBIDDEN");
    }
    let twice = format!("{}&user_id=@alice:example.org", as_user("@bot_one:example.org"));
    is_refused(&home.get(&twice, AS_TOKEN).await, 400, "M_INVALID_PARAM");
    is_unknown(&home.get(WHOAMI, "the-as-token-4712").await, false);
}

#[tokio::test]
async fn case_28_a_device_that_the_user_has_not_is_unknown() {
    let home = home().await;
    home.change("bot_one", |user| {
        user.deleted_devices.insert(device("GONE"));
    });
    let with = |device: &str| format!("{}&device_id={device}", as_user("@bot_one:example.org"));
    let answer = home.get(&with("HERE"), AS_TOKEN).await;
    is_user(&answer, "@bot_one:example.org");
    assert_eq!(answer.member("device_id"), "HERE");
    is_refused(&home.get(&with("GONE"), AS_TOKEN).await, 400, "M_UNKNOWN_DEVICE");
    is_refused(&home.get(&with(""), AS_TOKEN).await, 400, "M_UNKNOWN_DEVICE");
    // Without a user, it is the sender's, who has none.
    is_refused(&home.get(&format!("{WHOAMI}?device_id=HERE"), AS_TOKEN).await, 400, "M_UNKNOWN_DEVICE");
}

#[tokio::test]
async fn case_29_an_ordinary_token_says_itself_whose_it_is() {
    let home = home().await;
    let path = format!("{}&device_id=OTHER", as_user("@bot_one:example.org"));
    let answer = home.get(&path, "t").await;
    is_user(&answer, "@alice:example.org");
    assert_eq!(answer.member("device_id"), "ABCDEFGHIJ");
}

#[tokio::test]
async fn what_holds_for_users_holds_for_those_an_application_service_acts_for() {
    let home = home().await;
    home.change("bot_one", |user| user.locked = true);
    is_refused(&home.get(&as_user("@bot_one:example.org"), AS_TOKEN).await, 401, "M_USER_LOCKED");
}

#[tokio::test]
async fn case_30_beyond_the_limit_of_a_user_it_is_429_until_there_is_more() {
    let service = Service::new().await;
    service.good("t", json!({}));
    service.good("same", json!({ "scope": SCOPE.replace("ABC", "XYZ") }));
    service.good("admin", json!({ "username": "root" }));
    let limited = |settings: Settings| settings.limit_users(2, Duration::from_secs(10)).appservice(bridge());
    let home = Home::asking(&service, limited).await;
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    is_user(&home.get(SYNC.replace("sync", "account/whoami").as_str(), "same").await, "@alice:example.org");
    for token in ["t", "same"] {
        let answer = home.get(SYNC, token).await;
        is_refused(&answer, 429, "M_LIMIT_EXCEEDED");
        assert_eq!((answer.header("retry-after"), answer.member("retry_after_ms")), ("5", json!(5000)), "{answer}");
    }
    is_user(&home.get(WHOAMI, "admin").await, "@root:example.org");
    for _ in 0..5 {
        is_user(&home.get(WHOAMI, AS_TOKEN).await, "@bot:example.org");
    }
    home.clock.advance(5);
    is_user(&home.get(WHOAMI, "t").await, "@alice:example.org");
    is_refused(&home.get(WHOAMI, "t").await, 429, "M_LIMIT_EXCEEDED");
}
