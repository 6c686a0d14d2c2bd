//! Files that are not whole, not ours or not what they were: each is refused, and says where.

use proptest::prelude::*;

use super::*;

fn refused(file: &[u8]) -> ImportError {
    imported(file, &MemoryStore::default()).unwrap_err()
}

fn lines(file: &[u8]) -> Vec<String> {
    String::from_utf8(file.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

/// The file with `change` made to one line, and an end that fits.
fn changed(number: usize, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut lines = lines(&exported(&store()));
    lines.pop();
    lines[number - 1] = change(&lines[number - 1]);
    sealed(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn an_end_that_fits_is_what_an_export_writes() {
    assert_eq!(changed(1, str::to_owned), exported(&store()));
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused_and_can_be_imported_whole_after() {
    let file = exported(&store());
    for length in 0..file.len() {
        let new = MemoryStore::default();
        let error = imported(&file[..length], &new).unwrap_err();
        match error.fault() {
            ImportFault::CutOff => {}
            ImportFault::NotAnExport => assert_eq!(length, 0),
            other => panic!("cut off at {length}: {other}"),
        }
        imported(&file, &new).unwrap();
        assert_eq!(exported(&new), file);
    }
    let cut = lines(&file)[..3].join("\n") + "\n";
    let expected =
        "line 4: is not whole: the file was cut off; what was read before stays, and the import can be run again";
    assert_eq!(refused(cut.as_bytes()).to_string(), expected);
}

#[test]
fn whoever_imported_a_damaged_file_is_told_to_begin_anew() {
    let file = exported(&store());
    let text = String::from_utf8(file.clone()).unwrap().replace("alice", "mallory");
    let (damaged, cut) = (refused(text.as_bytes()), refused(&file[..file.len() - 9]));
    assert!(matches!(damaged.fault(), ImportFault::Damaged), "{damaged}");
    assert!(damaged.to_string().ends_with("empty the store before another file is imported"), "{damaged}");
    assert!(cut.to_string().ends_with("the import can be run again"), "{cut}");
}

#[test]
fn a_file_goes_no_further_than_its_end() {
    for more in ["\n", "{}\n", "x", " "] {
        let file = [&exported(&store())[..], more.as_bytes()].concat();
        let error = refused(&file);
        assert!(matches!(error.fault(), ImportFault::AfterEnd | ImportFault::CutOff), "{error}");
        assert_eq!(error.line(), 11);
    }
}

#[test]
fn a_line_that_is_missing_or_changed_does_not_go_unnoticed() {
    let whole = lines(&exported(&store()));
    for gone in 1..whole.len() - 1 {
        let mut lines = whole.clone();
        lines.remove(gone);
        let error = refused((lines.join("\n") + "\n").as_bytes());
        assert!(matches!(error.fault(), ImportFault::Counts), "{error}");
    }
    let bent = whole.join("\n").replace("hunter2-alice", "hunter2-mallory") + "\n";
    let error = refused(bent.as_bytes());
    assert!(matches!(error.fault(), ImportFault::Damaged) && error.line() == 10, "{error}");
}

#[test]
fn only_an_export_of_a_version_up_to_this_one_is_read() {
    for first in ["", "x", "{}", "[]", "null", r#"{"oauth_store":"1"}"#, r#"{"client":{}}"#, "\u{feff}{}"] {
        let error = refused(&changed(1, |_| first.to_owned()));
        assert!(matches!(error.fault(), ImportFault::NotAnExport) && error.line() == 1, "{first}: {error}");
        assert!(error.to_string().ends_with("; nothing was imported"), "{error}");
    }
    for (other, wrong) in [(":4,", 4), (":0,", 0)] {
        let error = refused(&changed(1, |first| first.replace(":3,", other)));
        assert!(matches!(error.fault(), ImportFault::Version(found) if *found == wrong), "{error}");
    }
}

#[test]
fn a_file_of_another_server_is_refused_before_anything_is_read() {
    let file = exported(&store());
    let refused = |issuer: &str, root: &RootSecret| {
        let new = MemoryStore::default();
        let outcome = now(Import::new(issuer, root).run(&new, file.as_slice(), |_| {}));
        assert!(now(new.signing_keys()).unwrap().is_empty() || outcome.is_ok());
        outcome.map_err(|error| error.to_string()).err()
    };
    let other = RootSecret::new([8; 32]);
    assert!(refused("https://other.example", &root()).unwrap().contains("another issuer"));
    assert!(refused(ISSUER, &other).unwrap().contains("root secret"));
    // Rotated since: what the file rests on is a previous one.
    assert_eq!(refused(ISSUER, &other.with_previous([7; 32])), None);
    assert_eq!(refused(ISSUER, &root()), None);
}

#[test]
fn every_root_secret_of_the_file_is_needed() {
    let rotated = RootSecret::new([8; 32]).with_previous([7; 32]);
    let mut file = Vec::new();
    now(Export::new(ISSUER, &rotated, NOW).run(&store(), &mut file, |_| {})).unwrap();
    let fault = |root: RootSecret| {
        let outcome = now(Import::new(ISSUER, &root).run(&MemoryStore::default(), file.as_slice(), |_| {}));
        outcome.map_err(|error| error.to_string()).err()
    };
    assert!(fault(RootSecret::new([8; 32])).unwrap().contains("a previous root secret"));
    assert!(fault(root()).unwrap().contains("neither the current"));
    assert_eq!(fault(rotated.clone()), None);
    let none = file.iter().position(|byte| *byte == b'\n').map(|end| String::from_utf8(file[..end].to_vec()).unwrap());
    let none = changed(1, |first| {
        first.replace(first, &none.clone().unwrap()).split_once("[\"").unwrap().0.to_owned() + "[],\"exported_at\":1}"
    });
    assert!(matches!(refused(&none).fault(), ImportFault::RootSecret));
}

#[test]
fn a_line_has_bounds() {
    let long = |length: usize| {
        changed(4, move |line| {
            let name = "x".repeat(length - line.len() - 1);
            line.replace("hunter2-alice", &("hunter2-alice".to_owned() + &name))
        })
    };
    assert!(imported(&long(MAX_LINE), &MemoryStore::default()).is_ok());
    let error = refused(&long(MAX_LINE + 1));
    assert!(matches!(error.fault(), ImportFault::TooLong) && error.line() == 4, "{error}");
    for deep in ["[".repeat(100_000), "{\"grant\":".repeat(100_000), format!("{{\"grant\":{}", "[".repeat(100_000))] {
        let error = refused(&changed(4, |_| deep.clone()));
        assert!(matches!(error.fault(), ImportFault::Syntax { .. } | ImportFault::Record { .. }), "{error}");
    }
}

#[test]
fn what_this_version_does_not_know_is_an_error() {
    for (line, from, to) in [
        (1, r#""issuer""#, r#""more":1,"issuer""#),
        (2, r#""kid""#, r#""more":1,"kid""#),
        (2, r#"{"signing_key""#, r#"{"more":1,"signing_key""#),
        (2, "}}", r#"},"more":1}"#),
        (3, r#""client_id""#, r#""more":null,"client_id""#),
        (3, r#""sha256""#, r#""more":1,"sha256""#),
        (4, r#""id""#, r#""more":1,"id""#),
        (4, r#""subject""#, r#""more":1,"subject""#),
        (4, r#""challenge""#, r#""more":1,"challenge""#),
        (4, r#""generation""#, r#""more":1,"generation""#),
        (4, r#""until""#, r#""more":1,"until""#),
        (5, r#""record""#, r#""more":1,"record""#),
        (5, r#""audience""#, r#""more":1,"audience""#),
        (6, r#""subject""#, r#""more":1,"subject""#),
        (6, r#""revision":"#, r#""revision":-"#),
        (6, r#""given_at":1799999999,"#, ""),
        (6, "a b", "a  b"),
        (2, "signing_key", "mystery"),
        // Twice is once too often.
        (4, r#""created_at""#, r#""created_at":1,"created_at""#),
        (4, r#""subject""#, r#""subject":"x","subject""#),
        (5, r#""scope""#, r#""scope":"a b","scope""#),
        // And so is nothing, where something decides.
        (4, r#""created_at":1700000000,"#, ""),
        (4, r#""redirect_uri_required":true,"#, ""),
        (4, r#""id":"AQ"#, r#""id":"AA"#),
        (4, r#""generation":7"#, r#""generation":-7"#),
        (4, r#""generation":7"#, r#""generation":7.5"#),
        (4, r#""generation":7"#, r#""generation":18446744073709551616"#),
        (4, r#""scope":"a b""#, r#""scope":"a  b""#),
        (4, "AgICAg", "AgICA="),
    ] {
        let file = changed(line, |text| {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            changed
        });
        // Of the id one legal digit was replaced by another: that is another grant, not a mistake.
        if to.contains(r#""id":"AA"#) {
            assert!(imported(&file, &MemoryStore::default()).is_ok());
            continue;
        }
        let error = refused(&file);
        let fits =
            matches!(error.fault(), ImportFault::Record { .. } | ImportFault::Unknown | ImportFault::Syntax { .. });
        assert!(fits && error.line() == line as u64, "{from} → {to}: {error}");
    }
}

#[test]
fn an_error_shows_nothing_of_the_line() {
    for line in 1..=7 {
        for (from, to) in
            [("\"", ""), (":", ";"), ("17", "x"), ("a b", "hunter2  x"), ("{", "{\"hunter2\":1,"), ("1", "\"hunter2\"")]
        {
            let mut all = lines(&exported(&store()));
            all[line - 1] = all[line - 1].replacen(from, to, 2);
            if let Err(error) = imported((all.join("\n") + "\n").as_bytes(), &MemoryStore::default()) {
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_change_of_a_byte_goes_unnoticed(at in any::<prop::sample::Index>(), bits in 1..=255_u8) {
        let mut file = exported(&store());
        let at = at.index(file.len());
        file[at] ^= bits;
        let new = MemoryStore::default();
        prop_assert!(imported(&file, &new).is_err());
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), line in 1..=7_usize) {
        let mut all: Vec<Vec<u8>> = exported(&store()).split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        all[line - 1] = bytes;
        drop(imported(&all.concat(), &MemoryStore::default()));
    }
}
