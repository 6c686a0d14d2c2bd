//! What an introspection endpoint answers. Lines: the status, `Retry-After`, and all that follows is the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core_fuzz::{Answer, NOW, ask, object};
use oauth_tower::resource::{Issuer, RefusalKind, ResourceServer};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let status = lines.next().and_then(|line| str::from_utf8(line).ok()?.parse().ok()).unwrap_or(200);
    let retry_after = lines.next().unwrap_or_default();
    let body = lines.next().unwrap_or_default();
    let Some(answer) = Answer::new(status, &[("retry-after", retry_after)], body) else { return };
    let issuer = Issuer::introspection("https://as.example", "https://as.example/introspect").client_basic("api", "s");
    let (verdict, asked) = ask(ResourceServer::builder("https://api.example").issuer(issuer), "opaque", answer);
    assert_eq!(asked, ["https://as.example/introspect"]);
    match verdict {
        Ok(token) => {
            assert_eq!(status, 200);
            // What is skipped may be no value that this reader holds.
            let Some(members) = object(body) else { return };
            assert_eq!(members["active"], Value::Bool(true));
            assert!(token.audience().iter().any(|aud| aud == "https://api.example"));
            assert!(members.get("iss").is_none_or(|iss| iss.is_null() || iss == "https://as.example"));
            assert!(token.expires_at().is_none_or(|exp| exp.0 + 30 > NOW.0));
            assert_eq!(members["sub"], token.subject());
            // Nothing that is bound to a sender passes here.
            assert!(token.confirmation().is_none());
        }
        Err(refusal) => match refusal.kind() {
            RefusalKind::Unavailable { retry_after } => assert!((1..=300).contains(retry_after)),
            RefusalKind::InvalidToken(_) => assert!(status == 200 || status == 400),
            other => panic!("{other:?}"),
        },
    }
});
