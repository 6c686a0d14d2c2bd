//! What every answer has: cases 2 and 4 to 6.

use serde_json::json;

use super::*;

async fn home() -> (Service, Home) {
    let service = Service::new().await;
    service.good("t", json!({}));
    let home = Home::asking(&service, |settings| settings).await;
    (service, home)
}

#[track_caller]
fn is_open_to_scripts(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), "*", "{answer}");
    assert_eq!(answer.header("access-control-allow-methods"), "GET, POST, PUT, DELETE, OPTIONS", "{answer}");
    let headers = answer.header("access-control-allow-headers");
    assert_eq!(headers, "X-Requested-With, Content-Type, Authorization", "{answer}");
}

// spec: MTX-25
#[tokio::test]
async fn case_4_options_needs_no_token_and_runs_nothing() {
    let (service, home) = home().await;
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "POST")];
    for path in [WHOAMI, SYNC, JOIN, VERSIONS, "/_matrix/client/v1/auth_metadata", "/_matrix/client/v3/nothing"] {
        for headers in [&preflight[..], &[], &[("authorization", "Bearer t")]] {
            let answer = home.send("OPTIONS", path, headers, "").await;
            assert!(answer.status.is_success() && answer.body.is_empty(), "{path}: {answer}");
            is_open_to_scripts(&answer);
        }
    }
    assert_eq!(service.asked(), 0);
}

// spec: MTX-25
#[tokio::test]
async fn case_5_every_answer_is_open_to_scripts_and_refusals_most_of_all() {
    let (_, home) = home().await;
    let mut answers = vec![home.get(WHOAMI, "t").await, home.get(VERSIONS, "t").await];
    answers.push(home.send("GET", WHOAMI, &[], "").await);
    answers.push(home.get(WHOAMI, "junk").await);
    answers.push(home.get("/_matrix/client/v3/nothing", "t").await);
    answers.push(home.get(JOIN, "t").await);
    home.change("alice", |alice| alice.guest = true);
    answers.push(home.get(CAPABILITIES, "t").await);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [200, 200, 401, 401, 404, 405, 403]);
    answers.iter().for_each(is_open_to_scripts);
}

// spec: MTX-02
#[tokio::test]
async fn case_2_and_6_what_is_not_there_is_unrecognized() {
    let (_, home) = home().await;
    for path in ["/_matrix/client/v3/nothing", "/_matrix/client/v3/login", "/_matrix/client/v1/auth_metadata", "/"] {
        is_refused(&home.get(path, "t").await, 404, "M_UNRECOGNIZED");
    }
    for (method, path) in [("POST", WHOAMI), ("DELETE", SYNC), ("GET", JOIN), ("POST", VERSIONS)] {
        is_refused(&home.send(method, path, &[], "").await, 405, "M_UNRECOGNIZED");
    }
}
