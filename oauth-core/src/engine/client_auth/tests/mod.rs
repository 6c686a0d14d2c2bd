//! What can be shown without a server around it.

mod certificates;
mod limits;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{basic::Basic, presented::refuse_secret_in_query};

fn basic(pair: &str) -> Option<(String, String)> {
    let read = Basic::parse(&format!("bAsIc {}", STANDARD.encode(pair)))?;
    Some((read.id.to_string(), read.secret.expose().to_owned()))
}

// spec: CAU-03, CAU-04
#[test]
fn basic_credentials_are_split_at_the_first_colon_and_then_form_decoded() {
    assert_eq!(basic("a%3Ab:p%2Bq+%25"), Some(("a:b".into(), "p+q %".into())));
    assert_eq!(basic("a:b:c"), Some(("a".into(), "b:c".into())));
    for bad in ["no colon", "a:%zz", "a:%ff"] {
        assert_eq!(basic(bad), None, "{bad}");
    }
    assert!(Basic::parse("Basic !").is_none());
    assert!(Basic::parse("Bearer YTpi").is_none());
}

// spec: CAU-05
#[test]
fn a_secret_in_the_query_is_refused_however_it_is_spelled() {
    assert!(refuse_secret_in_query(Some("a=1&client_id=x")).is_ok());
    for bad in ["client_secret=x", "a=1&client_secret", "client%5Fsecret=x", "client_assertion=x"] {
        refuse_secret_in_query(Some(bad)).unwrap_err();
    }
}
