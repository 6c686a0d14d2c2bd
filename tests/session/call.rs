//! What is asked of the server, with real tokens in it, and what it says.

use std::fmt;

use http::HeaderValue;
use oauth_core::{
    clock::{Clock, SystemRandom},
    engine::{
        device::{DeviceDecision, DeviceLookup, Guesser},
        interaction::Approval,
    },
    jwt,
    token::{GrantId, TokenKind},
};
use serde_json::{Value, json};

use super::{CAREFUL, IDP, Stage};
use crate::support::*;

/// A request, or what the host does. Keys go by their number.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// A person says yes; the code may be tied to a key.
    Approve {
        by: Caller,
        home: Option<u8>,
        tied: bool,
    },
    Redeem {
        code: String,
        by: Caller,
        presented: Presented,
        key: Option<u8>,
    },
    Refresh {
        token: String,
        by: Caller,
        scope: Wish,
        key: Option<u8>,
    },
    Revoke {
        token: String,
        by: Caller,
    },
    Introspect {
        token: String,
        by: Caller,
    },
    /// The client-credentials grant.
    Own {
        by: Caller,
        scope: Wish,
        key: Option<u8>,
    },
    /// Token exchange.
    Exchange {
        token: String,
        by: Caller,
        scope: Wish,
        key: Option<u8>,
    },
    /// The other issuer makes an assertion, with the `jti` of another or with one of its own.
    Assert {
        jti: Option<String>,
        seconds: u64,
    },
    /// The JWT bearer grant.
    Bring {
        assertion: String,
        by: Caller,
        scope: Wish,
        key: Option<u8>,
    },
    /// A device asks for codes.
    Begin {
        by: Caller,
    },
    /// Its person says yes or no.
    Decide {
        user_code: String,
        yes: bool,
    },
    /// It asks for tokens.
    Poll {
        code: String,
        by: Caller,
        key: Option<u8>,
    },
    /// An API asks, in the server's own process.
    Use {
        token: String,
    },
    /// The host ends the grant of this token.
    End {
        token: String,
    },
    /// Housekeeping.
    Sweep,
}

/// How a code is presented.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Presented {
    Rightly,
    WrongVerifier,
    NoVerifier,
    WrongUri,
}

/// The scope that is asked for; "read write" is what was granted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wish {
    Unsaid,
    Read,
    ReadWrite,
    Beyond,
}

impl Wish {
    pub(super) fn text(self) -> Option<&'static str> {
        match self {
            Self::Unsaid => None,
            Self::Read => Some("read"),
            Self::ReadWrite => Some("read write"),
            Self::Beyond => Some("read admin"),
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Seen {
    fn of(answer: &Answer) -> Self {
        let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
        Self { status: answer.status.as_u16(), body }
    }

    fn done() -> Self {
        Self { status: 200, body: Value::Null }
    }

    /// A member that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.body[name].as_str()
    }
}

impl Call {
    pub(super) async fn send(&self, stage: &Stage) -> Seen {
        let (w, keys) = (&stage.world, &stage.keys);
        let proof = |key: &Option<u8>| {
            let key = &keys[usize::from((*key)?)];
            let url = format!("{ISSUER}/token");
            Some(key.proof("POST", &url, None, None, w.clock.now(), &SystemRandom).unwrap())
        };
        match self {
            Self::Approve { by, home, tied } => {
                let ask = Ask::of(*by).with("scope", "read write");
                let ask = match home.filter(|_| *tied) {
                    Some(key) => ask.with("dpop_jkt", keys[usize::from(key)].jkt()),
                    None => ask,
                };
                let code = w.code_for(&ask).await;
                Seen { status: 303, body: serde_json::json!({ "code": code }) }
            }
            Self::Redeem { code, by, presented, key } => {
                let mut params = redemption(code).to_vec();
                match presented {
                    Presented::Rightly => {}
                    Presented::WrongVerifier => params[3].1 = CHALLENGE,
                    Presented::NoVerifier => params.truncate(3),
                    Presented::WrongUri => params[2].1 = "https://app.example/other",
                }
                ask_token(w, *by, &params, proof(key)).await
            }
            Self::Refresh { token, by, scope, key } => {
                let mut params = vec![("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
                params.extend(scope.text().map(|scope| ("scope", scope)));
                ask_token(w, *by, &params, proof(key)).await
            }
            Self::Own { by, scope, key } => {
                let mut params = vec![("grant_type", "client_credentials")];
                params.extend(scope.text().map(|scope| ("scope", scope)));
                ask_token(w, *by, &params, proof(key)).await
            }
            Self::Exchange { token, by, scope, key } => {
                let kind = ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
                let mut params = vec![("grant_type", EXCHANGE), ("subject_token", token.as_str()), kind];
                params.extend(scope.text().map(|scope| ("scope", scope)));
                ask_token(w, *by, &params, proof(key)).await
            }
            Self::Assert { jti, seconds } => {
                let (now, jti) = (stage.now(), jti.clone().unwrap_or_else(fresh_text));
                let exp = now + seconds;
                let claims = json!({ "iss": IDP, "sub": "bob", "aud": ISSUER, "iat": now, "exp": exp, "jti": jti });
                let text = jwt::sign(&stage.idp, "JWT", &claims).unwrap();
                Seen { status: 200, body: json!({ "assertion": text, "jti": jti }) }
            }
            Self::Bring { assertion, by, scope, key } => {
                let mut params = vec![("grant_type", BEARER), ("assertion", assertion.as_str())];
                params.extend(scope.text().map(|scope| ("scope", scope)));
                ask_token(w, *by, &params, proof(key)).await
            }
            Self::Begin { by } => Seen::of(&w.post("/device_authorization", *by, &[("scope", "read write")]).await),
            Self::Decide { user_code, yes } => {
                let outcome = match w.server.device(user_code, Guesser::default()).await.unwrap() {
                    DeviceLookup::Found(request) if *yes => request.approve(Approval::new("alice")).await.unwrap(),
                    DeviceLookup::Found(request) => request.deny().await.unwrap(),
                    _ => DeviceDecision::Ended,
                };
                Seen { status: 200, body: json!({ "decided": outcome == DeviceDecision::Decided }) }
            }
            Self::Poll { code, by, key } => {
                ask_token(w, *by, &[("grant_type", DEVICE_CODE), ("device_code", code)], proof(key)).await
            }
            Self::Use { token } => {
                let active = w.server.validate_access(token).await.unwrap().is_some();
                Seen { status: 200, body: json!({ "active": active }) }
            }
            Self::Revoke { token, by } => Seen::of(&w.revoke(*by, token).await),
            Self::Introspect { token, by } => Seen::of(&w.introspect(*by, token).await),
            Self::End { token } => {
                w.server.revoke_grant(grant_of(token)).await.unwrap();
                Seen::done()
            }
            Self::Sweep => {
                w.server.maintain().await.unwrap();
                Seen::done()
            }
        }
    }
}

async fn ask_token(w: &World, by: Caller, params: &[(&str, &str)], proof: Option<String>) -> Seen {
    let mut request = post("/token", by, params);
    if let Some(proof) = proof {
        request.headers_mut().append("dpop", HeaderValue::from_str(&proof).unwrap());
    }
    Seen::of(&w.send(request).await)
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn fresh_text() -> String {
    fresh_digest().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The grant that a token of any kind names.
fn grant_of(token: &str) -> GrantId {
    let codec = World::codec();
    let read = |kind| codec.read(kind, token);
    let read = [TokenKind::Code, TokenKind::Device, TokenKind::Refresh, TokenKind::Access].into_iter().find_map(read);
    read.unwrap().grant
}

/// Whether no token is issued to it without a proof.
pub(super) fn needs_proof(by: Caller) -> bool {
    by == CAREFUL
}

pub(super) fn is_public(by: Caller) -> bool {
    matches!(by, Caller::Public(_))
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |key: &Option<u8>| key.map_or(String::new(), |key| format!(" with key {key}"));
        let scoped = |scope: &Wish| scope.text().map_or(String::new(), |scope| format!(" for {scope:?}"));
        match self {
            Self::Approve { by, home, tied } => {
                write!(f, "approve {}", by.id())?;
                f.write_str(&home.filter(|_| *tied).map_or(String::new(), |key| format!(", tied to key {key}")))
            }
            Self::Redeem { code, by, presented, key } => {
                write!(f, "redeem {code} as {}{}", by.id(), with(key))?;
                f.write_str(match presented {
                    Presented::Rightly => "",
                    Presented::WrongVerifier => ", wrong verifier",
                    Presented::NoVerifier => ", no verifier",
                    Presented::WrongUri => ", wrong redirect_uri",
                })
            }
            Self::Refresh { token, by, scope, key } => {
                write!(f, "refresh {token} as {}{}{}", by.id(), scoped(scope), with(key))
            }
            Self::Revoke { token, by } => write!(f, "revoke {token} as {}", by.id()),
            Self::Introspect { token, by } => write!(f, "introspect {token} as {}", by.id()),
            Self::Own { by, scope, key } => {
                write!(f, "client_credentials as {}{}{}", by.id(), scoped(scope), with(key))
            }
            Self::Exchange { token, by, scope, key } => {
                write!(f, "exchange {token} as {}{}{}", by.id(), scoped(scope), with(key))
            }
            Self::Assert { jti, seconds } => {
                write!(f, "an assertion for {seconds} s")?;
                f.write_str(&jti.as_ref().map_or(String::new(), |jti| format!(", with the jti {jti}")))
            }
            Self::Bring { assertion, by, scope, key } => {
                write!(f, "bring {assertion} as {}{}{}", by.id(), scoped(scope), with(key))
            }
            Self::Begin { by } => write!(f, "device {} begins", by.id()),
            Self::Decide { user_code, yes } => write!(f, "say {} to {user_code}", if *yes { "yes" } else { "no" }),
            Self::Poll { code, by, key } => write!(f, "poll {code} as {}{}", by.id(), with(key)),
            Self::Use { token } => write!(f, "use {token}"),
            Self::End { token } => write!(f, "the host ends the grant of {token}"),
            Self::Sweep => f.write_str("sweep"),
        }
    }
}
