//! The store fails at one call of everything that a person and a client do, before that call has done anything or after:
//! they hear that it may be tried again, nothing is half done, and they go on.

use bytes::Bytes;
use http::{Request, StatusCode};
use oauth_core::{
    engine::policy::Rotation,
    store::{
        Transfer,
        conformance::{Faulty, When},
        memory::MemoryStore,
    },
};

use crate::support::*;

/// What people, clients and resource servers do, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Authorize,
    SignIn,
    Approve,
    Redeem,
    Refresh,
    Introspect,
    Revoke,
    IntrospectAgain,
}

const STEPS: [Step; 8] = [
    Step::Authorize,
    Step::SignIn,
    Step::Approve,
    Step::Redeem,
    Step::Refresh,
    Step::Introspect,
    Step::Revoke,
    Step::IntrospectAgain,
];

/// What somebody hears.
#[derive(Clone, Debug, PartialEq)]
enum Heard {
    Good,
    /// 503, or `temporarily_unavailable` by redirect.
    Outage,
    /// It is over, and nothing can be done.
    Refused,
}

/// A server on a store that can fail, and somebody who uses it.
struct Run {
    store: Faulty<MemoryStore>,
    inner: MemoryStore,
    w: World,
    browser: Browser,
    page: String,
    consent: Option<Answer>,
    code: String,
    tokens: Option<Tokens>,
}

impl Run {
    async fn new(rotation: Rotation) -> Self {
        let inner = MemoryStore::default();
        let store = Faulty::new(inner.clone());
        let w = World::on(store.clone(), |builder| builder.rotation(rotation)).await;
        // What a server does when it starts is another matter.
        store.recover();
        let browser = Browser::new(&w);
        Self { store, inner, w, browser, page: String::new(), consent: None, code: String::new(), tokens: None }
    }

    async fn take(&mut self, step: Step) -> Heard {
        match step {
            Step::Authorize => self.authorize().await,
            Step::SignIn => self.sign_in().await,
            Step::Approve => self.approve().await,
            Step::Redeem => {
                let answer = self.w.redeem(APP, &self.code).await;
                self.granted(&answer)
            }
            Step::Refresh => {
                let token = self.tokens.as_ref().and_then(|tokens| tokens.refresh.clone()).unwrap();
                let answer = self.w.refresh(APP, &token).await;
                self.granted(&answer)
            }
            Step::Introspect => self.introspect(true).await,
            Step::Revoke => {
                let token = self.tokens.as_ref().and_then(|tokens| tokens.refresh.clone()).unwrap();
                let answer = self.w.revoke(APP, &token).await;
                heard(&answer, || answer.is_revoked())
            }
            Step::IntrospectAgain => self.introspect(false).await,
        }
    }

    async fn authorize(&mut self) -> Heard {
        let answer = self.browser.authorize(&Ask::of(APP).with("prompt", "consent")).await;
        if answer.status == StatusCode::SEE_OTHER && answer.location().starts_with(CALLBACK) {
            answer.is_error_redirect("temporarily_unavailable");
            return Heard::Outage;
        }
        if answer.status != StatusCode::SEE_OTHER {
            return heard(&answer, || ());
        }
        answer.location().clone_into(&mut self.page);
        Heard::Good
    }

    /// Until the page asks for consent.
    async fn sign_in(&mut self) -> Heard {
        loop {
            let answer = self.browser.send(Request::get(&self.page).body(Bytes::new()).unwrap()).await;
            if answer.status != StatusCode::OK {
                return heard(&answer, || ());
            }
            if !answer.body.contains("\"password\"") {
                self.consent = Some(answer);
                return Heard::Good;
            }
            let mut fields = fields_of(&answer, "sign_in");
            fields.extend([("username".into(), "alice".into()), ("password".into(), PASSWORD.into())]);
            let answer = self.browser.submit(&self.page, &fields).await;
            if answer.status != StatusCode::SEE_OTHER {
                return heard(&answer, || ());
            }
        }
    }

    async fn approve(&mut self) -> Heard {
        let fields = fields_of(self.consent.as_ref().unwrap(), "approve");
        let answer = self.browser.submit(&self.page, &fields).await;
        if answer.status != StatusCode::SEE_OTHER {
            return heard(&answer, || ());
        }
        answer.redirected_to(CALLBACK).get("code").unwrap().clone_into(&mut self.code);
        Heard::Good
    }

    fn granted(&mut self, answer: &Answer) -> Heard {
        heard(answer, || self.tokens = Some(answer.tokens()))
    }

    async fn introspect(&self, active: bool) -> Heard {
        let access = &self.tokens.as_ref().unwrap().access;
        let answer = self.w.introspect(AUDITOR, access).await;
        heard(&answer, || assert_eq!(answer.member("active"), active, "{answer}"))
    }

    /// Takes every step up to `last`, anew.
    async fn start_over(&mut self, last: Step) {
        for step in STEPS.into_iter().take_while(|step| *step as usize <= last as usize) {
            assert_eq!(self.take(step).await, Heard::Good, "{step:?}");
        }
    }

    /// Another try brings what the first did not, or shows that it is `lost`, and then a new start does.
    async fn is_mended(&mut self, step: Step, lost: bool, case: &str) {
        let again = self.take(step).await;
        self.is_whole().await;
        assert_eq!(again, if lost { Heard::Refused } else { Heard::Good }, "{case}: tried again");
        if lost {
            self.start_over(step).await;
        }
    }

    /// Of each grant, the code is redeemed and there are tokens, or neither.
    async fn is_whole(&self) {
        let grants = self.inner.list_grants(None, 100).await.unwrap().items;
        let tokens = self.inner.list_access(None, 100).await.unwrap().items;
        for grant in grants {
            let redeemed = grant.code.as_ref().unwrap().redeemed_at.is_some();
            let expected = grant.refresh.as_ref().map_or(0, |refresh| refresh.generation + 1);
            assert_eq!(redeemed, grant.refresh.is_some());
            let found = tokens.iter().filter(|(id, _)| *id == grant.id).count();
            assert_eq!(u64::try_from(found).unwrap(), expected, "one access token for each refresh token so far");
        }
    }
}

fn heard(answer: &Answer, if_good: impl FnOnce()) -> Heard {
    match answer.status {
        StatusCode::OK => {
            if_good();
            Heard::Good
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{answer}");
            Heard::Outage
        }
        status if status.is_client_error() => Heard::Refused,
        _ => panic!("{answer}"),
    }
}

/// What a second try cannot mend, since the first has happened and its answer was lost: a decision that is made, a code
/// that is redeemed (OAuth 2.1 section 4.1.3), and a refresh token that was replaced, if there is no way back to its
/// successor.
fn is_beyond_repair(verb: &str, rotation: Rotation) -> bool {
    match verb {
        "finish_interaction" | "redeem_code" => true,
        "rotate_refresh" => rotation == Rotation::Strict,
        _ => false,
    }
}

/// That somebody agreed is remembered once they have their code: whether it can be is no matter of theirs.
fn is_remembering(step: Step, verb: &str) -> bool {
    matches!(step, Step::Approve) && ["consent", "replace_consent"].contains(&verb)
}

/// Lets the call numbered `call` fail; whether there was one.
async fn fails_at(call: usize, when: When, stays_down: bool, rotation: Rotation) -> bool {
    let mut run = Run::new(rotation).await;
    match stays_down {
        true => run.store.go_down(when, call),
        false => run.store.fail(when, call),
    }
    for step in STEPS {
        let heard = run.take(step).await;
        let Some(verb) = run.store.failed() else {
            assert_eq!(heard, Heard::Good, "{step:?}");
            continue;
        };
        let case = format!("{step:?}, {verb} failed {when:?}, stays down: {stays_down}, {rotation:?}");
        run.store.recover();
        run.is_whole().await;
        if is_remembering(step, verb) {
            assert_eq!(heard, Heard::Good, "{case}");
        } else {
            assert_eq!(heard, Heard::Outage, "{case}");
            run.is_mended(step, when == When::After && is_beyond_repair(verb, rotation), &case).await;
        }
        for step in STEPS.into_iter().filter(|later| *later as usize > step as usize) {
            assert_eq!(run.take(step).await, Heard::Good, "{case}: afterwards {step:?}");
        }
        run.is_whole().await;
        return true;
    }
    false
}

// spec: SEC-20
#[tokio::test]
async fn whatever_call_of_the_store_fails_it_is_heard_as_an_outage_and_can_be_mended() {
    let grace = Rotation::Grace { seconds: 20 };
    let mut sizes = Vec::new();
    for (rotation, when, stays_down) in [
        (grace, When::Before, false),
        (grace, When::Before, true),
        (grace, When::After, false),
        (grace, When::After, true),
        (Rotation::Strict, When::Before, false),
        (Rotation::Strict, When::After, false),
    ] {
        let mut call = 0;
        while fails_at(call, when, stays_down, rotation).await {
            call += 1;
        }
        sizes.push(call);
    }
    // Every call was made to fail, the steps among them.
    let mut run = Run::new(grace).await;
    for step in STEPS {
        assert_eq!(run.take(step).await, Heard::Good);
    }
    let calls = run.store.calls();
    assert!(sizes.iter().all(|size| *size == calls.len()), "{sizes:?}, {calls:?}");
    for verb in ["park_interaction", "finish_interaction", "redeem_code", "rotate_refresh", "access", "revoke_grant"] {
        assert!(calls.contains(&verb), "{verb} in {calls:?}");
    }
}
