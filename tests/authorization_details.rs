//! `authorization_details` (RFC 9396): what is asked for beyond the scope, and what comes of it.

mod grants;
mod requests;

use oauth_core::{
    authorization_details::{AuthorizationDetail, AuthorizationDetails},
    client::{Client, ClientSecret, GrantType},
    engine::detail_types::{DetailType, InvalidDetail},
    server::AuthorizationServerBuilder,
};
use serde_json::{Value, json};

use crate::support::*;

/// `{"type": "account", "actions": […], "locations": […]}`
#[derive(Debug)]
struct Account;

impl DetailType for Account {
    fn check(&self, detail: &AuthorizationDetail) -> Result<(), InvalidDetail> {
        let known = |name: &String| ["type", "actions", "locations"].contains(&name.as_str());
        match !detail.texts("actions").is_empty() && detail.members().keys().all(known) {
            true => Ok(()),
            false => Err(InvalidDetail::new("an account has actions, and no \"other\" member")),
        }
    }

    fn covers(&self, wider: &AuthorizationDetail, narrower: &AuthorizationDetail) -> bool {
        let within = |name| narrower.texts(name).iter().all(|one| wider.texts(name).contains(one));
        within("actions") && narrower.get("locations") == wider.get("locations")
    }
}

/// `{"type": "payment", …}`: all or nothing.
#[derive(Debug)]
struct Payment;

impl DetailType for Payment {
    fn check(&self, detail: &AuthorizationDetail) -> Result<(), InvalidDetail> {
        match detail.get("amount").is_some_and(Value::is_string) {
            true => Ok(()),
            false => Err(InvalidDetail::new("a payment has an amount")),
        }
    }
}

/// May ask for accounts and payments, and for something that the server knows no more.
const BANK_APP: Caller = Caller::Public("bank-app");
/// May ask for accounts, for itself too.
const BANK: Caller = Caller::Basic("bank", "bank-secret-8Hs1");

fn bank(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    let client = |caller: Caller, types: &[&str]| {
        let client = Client::builder(caller.id()).redirect_uri(CALLBACK).scope("read write");
        let types = types.iter().map(ToString::to_string).collect();
        let client = client.grant_type(GrantType::AUTHORIZATION_CODE).grant_type(GrantType::REFRESH_TOKEN);
        client.tokens(|tokens| tokens.authorization_details_types = types)
    };
    let secret = ClientSecret::new(&"bank-secret-8Hs1".into());
    let confidential = client(BANK, &["account"]).secret(secret).grant_type(GrantType::CLIENT_CREDENTIALS);
    let builder = builder.client(client(BANK_APP, &["account", "payment", "forgotten"]).build().unwrap());
    builder.client(confidential.build().unwrap()).authorization(|settings| {
        settings.detail_type("account", Account);
        settings.detail_type("payment", Payment);
    })
}

fn account(actions: &[&str]) -> Value {
    json!({ "type": "account", "actions": actions })
}

fn payment(amount: &str) -> Value {
    json!({ "type": "payment", "amount": amount })
}

fn details(value: &Value) -> AuthorizationDetails {
    AuthorizationDetails::from_value(value.clone()).unwrap()
}

fn asking(caller: Caller, value: &Value) -> Ask {
    Ask::of(caller).with("authorization_details", &value.to_string())
}

/// What bad lists are, and so that none of them is taken.
fn bad_lists() -> Vec<String> {
    let bad = [
        "x",
        "{}",
        "null",
        "[1]",
        "[[]]",
        "[{}]",
        r#"[{"type":"account"}]"#,
        r#"[{"type":1,"actions":["read"]}]"#,
        r#"[{"type":"account","actions":"read"}]"#,
        r#"[{"type":"account","actions":["read"],"other":1}]"#,
        r#"[{"type":"account","actions":["read"],"actions":["write"]}]"#,
        r#"[{"type":"Account","actions":["read"]}]"#,
        r#"[{"type":"account","actions":["read"]},{"type":"forgotten"}]"#,
    ];
    let deep = format!(r#"[{{"type":"payment","amount":"1","x":{}{}}}]"#, "[".repeat(100), "]".repeat(100));
    let long = json!([payment(&"1".repeat(9_000))]).to_string();
    bad.iter().map(ToString::to_string).chain([deep, long]).collect()
}

// spec: AUZ-46, AUZ-47
#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_the_program_says_which_types_a_client_may_ask_for() {
    let payer = "[[clients]]\nclient_id = \"payer\"\nclient_secret = \"payer-secret\"\nauthorization_details_types = [\"payment\"]\n\
                 grant_types = [\"client_credentials\"]\nscope = \"albums:read\"\n";
    let reference = Reference::with(payer);
    let _program = reference.start();
    let remote = Remote::new(reference.authority.client(), &reference.issuer);
    let metadata = remote.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.member("authorization_details_types_supported"), json!(["payment"]));
    let ask = async |caller, details: &str| {
        let params = [("grant_type", "client_credentials"), ("authorization_details", details)];
        remote.token(caller, &params).await
    };
    let payer = Caller::Basic("payer", "payer-secret");
    let details = r#"[{"type":"payment","amount":"12.30"}]"#;
    let granted = ask(payer, details).await;
    assert_eq!(granted.member("authorization_details"), serde_json::from_str::<Value>(details).unwrap());
    for bad in ["{", "{}", r#"[{"type":1}]"#, r#"[{"type":"other"}]"#] {
        ask(payer, bad).await.is_refused(400, "invalid_authorization_details");
    }
    ask(WEB, details).await.is_refused(400, "invalid_authorization_details");
}
