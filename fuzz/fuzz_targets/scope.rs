//! Scopes: sets that are written and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth_core::scope::Scope;
use oauth_core_fuzz::two_lines;

fuzz_target!(|text: &str| {
    let (one, other) = two_lines(text);
    let (Ok(one), Ok(other)) = (one.parse::<Scope>(), other.parse::<Scope>()) else { return };
    assert_eq!(one.to_string().parse().as_ref(), Ok(&one));
    let both = one.intersection(&other);
    assert!(both.is_subset_of(&one) && both.is_subset_of(&other));
    let all = one.union(&other);
    assert!(one.is_subset_of(&all) && other.is_subset_of(&all));
    assert_eq!(all.len() + both.len(), one.len() + other.len());
    assert!(one.iter().all(|token| one.contains(token) && !token.contains([' ', '"', '\\'])));
});
