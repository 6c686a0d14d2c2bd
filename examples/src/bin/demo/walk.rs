//! The steps of the demo, taken one by one and checked.

use std::process::ExitCode;

use base64::{Engine, engine::general_purpose::STANDARD};
use examples::{complain, say};

use crate::{
    Failure,
    app::{CONFIDENTIAL, Credentials, PUBLIC, USER},
    browser::{Answer, Browser},
    client::{Flow, redirect_uri},
};

/// Takes every step; success if each did what it says.
pub(crate) async fn walk(url: &str, credentials: &Credentials) -> ExitCode {
    let done = async {
        let mut walk = Walk::new(url, credentials)?;
        walk.client_credentials().await?;
        walk.code_flow().await
    };
    match done.await {
        Ok(()) => {
            say("Every step did what it says.");
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(format_args!("FAILED: {error}"));
            ExitCode::FAILURE
        }
    }
}

struct Walk<'a> {
    url: &'a str,
    password: &'a str,
    browser: Browser,
    /// The header with which `demo-client` proves itself.
    client: String,
    step: u32,
}

impl<'a> Walk<'a> {
    fn new(url: &'a str, credentials: &'a Credentials) -> Result<Self, Failure> {
        let pair = format!("{CONFIDENTIAL}:{}", credentials.client_secret.expose());
        Ok(Self {
            url,
            password: credentials.password.expose(),
            browser: Browser::new(url)?,
            client: format!("Basic {}", STANDARD.encode(pair)),
            step: 0,
        })
    }

    /// A client acts for itself.
    async fn client_credentials(&mut self) -> Result<(), Failure> {
        let client = self.client.clone();
        let fields = [("grant_type", "client_credentials"), ("scope", "albums:read")];
        let answer = self.browser.post("/token", &client, &fields).await?;
        let token = answer.member("access_token");
        self.saw("POST /token, demo-client for itself", &answer, 200, "access_token", &token)?;
        self.call("/api/albums", &token, "albums", r#"["Kind of Blue","Blue Train"]"#).await?;
        self.introspect(&token, "true").await?;
        self.revoke(&client, &[("token", &token)]).await?;
        self.refused("/api/albums", &token).await?;
        self.introspect(&token, "false").await
    }

    /// A person signs in and lets an app act for them.
    async fn code_flow(&mut self) -> Result<(), Failure> {
        let flow = Flow::new()?;
        let code = self.sign_in_and_approve(&flow).await?;
        let redirect_uri = redirect_uri(self.url);
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", PUBLIC),
            ("code", &code),
            ("code_verifier", &flow.verifier),
            ("redirect_uri", &redirect_uri),
        ];
        let answer = self.browser.post("/token", "", &fields).await?;
        let (access, refresh) = (answer.member("access_token"), answer.member("refresh_token"));
        self.saw("POST /token, demo-app with the code and its verifier", &answer, 200, "access_token", &access)?;
        self.call("/api/whoami", &access, "sub", USER).await?;

        let fields = [("grant_type", "refresh_token"), ("client_id", PUBLIC), ("refresh_token", refresh.as_str())];
        let answer = self.browser.post("/token", "", &fields).await?;
        let (newer, successor) = (answer.member("access_token"), answer.member("refresh_token"));
        self.saw("POST /token, demo-app with the refresh token", &answer, 200, "refresh_token", &successor)?;
        self.introspect(&newer, "true").await?;
        self.revoke("", &[("client_id", PUBLIC), ("token", &successor)]).await?;
        self.refused("/api/whoami", &newer).await?;
        self.introspect(&newer, "false").await?;
        let fields = [("grant_type", "refresh_token"), ("client_id", PUBLIC), ("refresh_token", successor.as_str())];
        let answer = self.browser.post("/token", "", &fields).await?;
        self.saw("POST /token, demo-app with the revoked refresh token", &answer, 400, "error", "invalid_grant")
    }

    /// Through the pages, as a person would. Returns the code.
    async fn sign_in_and_approve(&mut self, flow: &Flow) -> Result<String, Failure> {
        let answer = self.browser.get(&flow.url(self.url, "albums:read"), "").await?;
        let page = answer.location().to_owned();
        self.arrived("GET /authorize, demo-app asks for albums:read", &answer, 303, "Location", &page)?;

        let answer = self.browser.get(&page, "").await?;
        let form = answer.form("sign_in").ok_or("the sign-in page has no form to sign in")?;
        self.arrived("GET the sign-in page", &answer, 200, "form", "sign_in")?;

        let typed = [("username", USER), ("password", self.password)];
        let answer = self.browser.post(&form.action, "", &form.filled(&typed)).await?;
        let page = answer.location().to_owned();
        self.arrived("POST the sign-in page, alice and her password", &answer, 303, "Location", &page)?;

        let answer = self.browser.get(&page, "").await?;
        let form = answer.form("approve").ok_or("the consent page has no form to approve")?;
        self.arrived("GET the consent page", &answer, 200, "form", "approve")?;

        let answer = self.browser.post(&form.action, "", &form.filled(&[])).await?;
        self.arrived("POST the consent page, alice allows it", &answer, 303, "Location", answer.location())?;
        self.read_code(&answer, flow)
    }

    /// What a client checks before it uses the code (OAuth 2.1 section 4.1.2).
    fn read_code(&self, answer: &Answer, flow: &Flow) -> Result<String, Failure> {
        let (to, query) = answer.location().split_once('?').unwrap_or_default();
        let of = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(found, _)| found == name).map_or(String::new(), |(_, value)| value.into_owned())
        };
        if to != redirect_uri(self.url) || of("state") != flow.state || of("iss") != self.url {
            return Err("the code came to the wrong place, or with another state or iss".into());
        }
        Ok(of("code"))
    }

    async fn call(&mut self, path: &str, token: &str, member: &str, value: &str) -> Result<(), Failure> {
        let answer = self.browser.get(path, &format!("Bearer {token}")).await?;
        self.saw(&format!("GET {path} with the token"), &answer, 200, member, value)
    }

    async fn refused(&mut self, path: &str, token: &str) -> Result<(), Failure> {
        let answer = self.browser.get(path, &format!("Bearer {token}")).await?;
        let challenge = answer.challenge();
        if !challenge.contains("error=\"invalid_token\"") {
            return Err(format!("GET {path} with a revoked token: the challenge is `{challenge}`").into());
        }
        self.arrived(&format!("GET {path} with the revoked token"), &answer, 401, "WWW-Authenticate", challenge)
    }

    async fn introspect(&mut self, token: &str, active: &str) -> Result<(), Failure> {
        let client = self.client.clone();
        let answer = self.browser.post("/introspect", &client, &[("token", token)]).await?;
        self.saw("POST /introspect, demo-client asks about the token", &answer, 200, "active", active)
    }

    async fn revoke(&mut self, authorization: &str, fields: &[(&str, &str)]) -> Result<(), Failure> {
        let answer = self.browser.post("/revoke", authorization, fields).await?;
        self.arrived("POST /revoke", &answer, 200, "body", if answer.body.is_empty() { "empty" } else { &answer.body })
    }

    /// The answer must have `status` and, in its JSON body, this member.
    fn saw(&mut self, request: &str, answer: &Answer, status: u16, member: &str, value: &str) -> Result<(), Failure> {
        let found = answer.member(member);
        if found != value {
            return Err(format!("{request}: {member} is `{found}`, not `{value}`").into());
        }
        self.arrived(request, answer, status, member, value)
    }

    /// The answer must have `status`, and something to show for it.
    fn arrived(&mut self, request: &str, answer: &Answer, status: u16, what: &str, shown: &str) -> Result<(), Failure> {
        self.step += 1;
        say(format_args!("{:>2}. {request}\n    {}  {what}: {shown}", self.step, answer.status));
        if answer.status != status {
            return Err(format!("{request}: {} instead of {status}: {}", answer.status, answer.body).into());
        }
        if shown.is_empty() {
            return Err(format!("{request}: there is no {what}").into());
        }
        Ok(())
    }
}
