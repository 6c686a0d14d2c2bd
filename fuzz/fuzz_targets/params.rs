//! Form parameters: what we accept, we read as the URL Standard does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::params::{Params, encode};

fuzz_target!(|form: &str| {
    let Ok(params) = Params::parse(form) else { return };
    let pairs: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
    for (name, value) in &pairs {
        let alone = pairs.iter().filter(|(other, _)| other == name).count() == 1;
        assert_eq!(params.is_repeated(name), !alone);
        assert_eq!(params.get(name), Some(&**value).filter(|value| alone && !value.is_empty()));
        assert!(params.all(name).any(|own| own == value) || value.is_empty());
    }
    let again = encode(pairs.iter().map(|(name, value)| (&**name, value.clone())));
    let again = Params::parse(&again).expect("what we write, we read");
    for (name, _) in &pairs {
        assert_eq!(again.get(name), params.get(name));
    }
    let _verdict = params.refuse_repeated();
});
