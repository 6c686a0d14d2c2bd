//! What is left out of a file, and what is left alone in a store.

use futures_util::FutureExt;

use super::*;

fn alone(grant: Grant, access: Option<AccessToken>) -> MemoryStore {
    let store = MemoryStore::default();
    now(store.insert_grant(grant, access)).unwrap();
    store
}

#[test]
fn what_has_ended_is_left_out_and_what_was_revoked_is_not() {
    let of = |grant: Grant| {
        let mut file = Vec::new();
        now(Export::new(ISSUER, &root(), NOW).run(&alone(grant, None), &mut file, |_| {})).unwrap().grants
    };
    let base = grant(1);
    assert_eq!(of(Grant { expires_at: UnixTime(NOW.0 + 1), ..base.clone() }), 1);
    assert_eq!(of(Grant { expires_at: NOW, ..base.clone() }), 0);
    assert_eq!(of(Grant { revoked_at: Some(UnixTime(1)), ..base.clone() }), 1);
    let coded = |expires_at| Grant {
        code: base.code.clone().map(|code| Code { redeemed_at: None, expires_at, ..code }),
        ..base.clone()
    };
    assert_eq!((of(coded(UnixTime(NOW.0 + 1))), of(coded(NOW))), (1, 0));
    for (expires_at, listed) in [(NOW, 0), (UnixTime(NOW.0 + 1), 1)] {
        let store = alone(base.clone(), Some(AccessToken { expires_at, ..access(6) }));
        let mut file = Vec::new();
        let counts = now(Export::new(ISSUER, &root(), NOW).run(&store, &mut file, |_| {})).unwrap();
        assert_eq!(counts.access_tokens, listed);
    }
}

#[test]
fn a_way_back_whose_window_has_closed_is_left_out() {
    for (until, kept) in [(NOW, false), (UnixTime(NOW.0 + 1), true)] {
        let mut grant = grant(1);
        grant.refresh.as_mut().unwrap().retry.as_mut().unwrap().until = until;
        let new = MemoryStore::default();
        imported(&exported(&alone(grant.clone(), None)), &new).unwrap();
        let found = now(new.grant(grant.id)).unwrap().unwrap().refresh.unwrap();
        assert_eq!(found.retry.is_some(), kept);
    }
}

#[test]
fn what_is_there_stays_as_it_is() {
    let file = exported(&store());
    let new = MemoryStore::default();
    let own = Client::builder("web").redirect_uri("https://own.example/cb").build().unwrap();
    now(new.put_client(own.clone())).unwrap();
    let rotated = Grant { refresh: None, ..grant(1) };
    now(new.insert_grant(rotated.clone(), None)).unwrap();
    now(new.insert_signing_key(SealedKey { sealed: vec![1], ..key() }, None)).unwrap();
    let done = imported(&file, &new).unwrap();
    assert_eq!((done.left.clients, done.left.grants, done.left.signing_keys), (1, 1, 1));
    assert_eq!(now(new.client(own.id.clone())).unwrap().as_deref(), Some(&own));
    assert_eq!(now(new.grant(rotated.id)).unwrap(), Some(rotated));
    assert_eq!(now(new.signing_keys()).unwrap()[0].sealed, [1]);
}

#[test]
fn a_newer_key_in_the_store_does_not_bar_an_older_one() {
    let new = MemoryStore::default();
    let newer = SealedKey { kid: "kid-2".into(), active_from: NOW, ..key() };
    now(new.insert_signing_key(newer, None)).unwrap();
    imported(&exported(&store()), &new).unwrap();
    assert_eq!(now(new.signing_keys()).unwrap().len(), 2);
}

#[test]
fn a_revocation_is_never_lost() {
    let revoked = Grant { revoked_at: Some(UnixTime(5)), ..grant(1) };
    let file = exported(&alone(revoked.clone(), None));
    let (empty, live) = (MemoryStore::default(), alone(grant(1), Some(access(6))));
    for store in [&empty, &live] {
        imported(&file, store).unwrap();
        assert_eq!(now(store.grant(revoked.id)).unwrap().unwrap().revoked_at, Some(UnixTime(5)));
    }
    // Nor is the store's own by a file that does not know of it, tokens included.
    let file = exported(&alone(grant(1), Some(access(6))));
    let own = alone(revoked, None);
    let done = imported(&file, &own).unwrap();
    assert_eq!((done.left.grants, done.left.access_tokens), (1, 1));
    assert_eq!(now(own.access(grant(1).id, access(6).digest)).unwrap(), None);
    assert_eq!(now(own.grant(grant(1).id)).unwrap().unwrap().revoked_at, Some(UnixTime(5)));
}

#[test]
fn a_token_that_was_revoked_by_itself_does_not_come_back_with_the_next_import() {
    let old = alone(grant(1), Some(access(6)));
    let (file, new) = (exported(&old), MemoryStore::default());
    assert_eq!(imported(&file, &new).unwrap().inserted.access_tokens, 1);
    // To the store it was imported into, and to the one it is from.
    for store in [&new, &old] {
        assert!(now(store.revoke_access(grant(1).id, access(6).digest)).unwrap());
        assert_eq!(imported(&file, store).unwrap().left.access_tokens, 1);
        assert_eq!(now(store.access(grant(1).id, access(6).digest)).unwrap(), None);
        assert!(now(store.grant(grant(1).id)).unwrap().unwrap().is_live(NOW));
    }
}

#[test]
fn a_consent_that_was_forgotten_does_not_come_back_with_the_next_import() {
    let held = |store: &MemoryStore| now(store.consent(consent().subject, consent().client, NOW)).unwrap();
    let (file, new) = (exported(&store()), MemoryStore::default());
    assert_eq!(imported(&file, &new).unwrap().inserted.consents, 1);
    assert_eq!(held(&new), Some(consent()));
    assert!(now(new.forget_consent(consent().subject, consent().client)).unwrap());
    assert_eq!(imported(&file, &new).unwrap().left.consents, 1);
    assert_eq!(held(&new), None);
    // Nor does it take the place of the one that was given since.
    let since = Consent { revision: 7, ..consent() };
    for store in [&new, &MemoryStore::default()] {
        assert!(now(store.replace_consent(since.clone(), None, NOW)).unwrap());
        assert_eq!(imported(&file, store).unwrap().left.consents, 1);
        assert_eq!(held(store), Some(since.clone()));
    }
}

#[test]
fn a_consent_that_has_expired_is_left_out() {
    for (expires_at, listed) in [(NOW, 0), (UnixTime(NOW.0 + 1), 1)] {
        let store = MemoryStore::default();
        now(store.replace_consent(Consent { expires_at, ..consent() }, None, UnixTime(1))).unwrap();
        let counts = now(Export::new(ISSUER, &root(), NOW).run(&store, Vec::new(), |_| {})).unwrap();
        assert_eq!((counts.consents, counts.total()), (listed, listed));
    }
}

#[test]
fn clients_alone_need_no_secret() {
    let new = MemoryStore::default();
    let file = exported(&store());
    let done = now(Import::clients_only().run(&new, file.as_slice(), |_| {})).unwrap();
    assert_eq!((done.inserted.clients, done.inserted.total(), done.left.total()), (1, 1, 0));
    assert_eq!(now(new.client(client().id)).unwrap().as_deref(), Some(&client()));
    assert!(now(new.signing_keys()).unwrap().is_empty() && now(new.grant(grant(1).id)).unwrap().is_none());
    assert!(now(new.consent(consent().subject, consent().client, NOW)).unwrap().is_none());
    let cut = &file[..file.len() - 1];
    assert!(now(Import::clients_only().run(&new, cut, |_| {})).is_err(), "the whole file must be whole all the same");
}

#[tokio::test]
async fn an_import_that_is_given_up_leaves_whole_records_and_can_be_run_again() {
    let old = MemoryStore::default();
    for number in 1..=200 {
        let token = AccessToken { digest: Digest::from_bytes([number; 32]), ..access(1) };
        old.insert_grant(grant(number), Some(token)).await.unwrap();
    }
    let (file, new) = (exported(&old), MemoryStore::default());
    let root = root();
    let import = Import::new(ISSUER, &root);
    for polls in [1, 3, 5] {
        let mut half = Box::pin(import.run(&new, file.as_slice(), |_| {}));
        for _ in 0..polls {
            assert!(half.as_mut().now_or_never().is_none());
        }
        drop(half);
        let found = (1..=200).filter_map(|number| new.grant(grant(number).id).now_or_never()?.unwrap());
        assert!(found.into_iter().all(|found| found == grant(found.id.as_bytes()[0])));
    }
    import.run(&new, file.as_slice(), |_| {}).await.unwrap();
    assert_eq!(sorted(&exported(&new)), sorted(&file));
}

/// The lines without the last, whose digest depends on their order.
fn sorted(file: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> = String::from_utf8(file.to_vec()).unwrap().lines().map(str::to_owned).collect();
    lines.pop();
    lines.sort();
    lines
}

#[test]
fn a_record_that_fits_no_line_ends_the_export() {
    let mut huge = grant(1);
    huge.facts.subject = Some("x".repeat(MAX_LINE));
    let error = now(Export::new(ISSUER, &root(), NOW).run(&alone(huge, None), Vec::new(), |_| {})).unwrap_err();
    assert_eq!(error.to_string(), "the grant AQEBAQEBAQEBAQEBAQEBAQ is too long for a line");
}

#[test]
fn progress_grows_to_what_is_returned() {
    let (mut written, mut read) = (Vec::new(), Vec::new());
    let (mut file, root) = (Vec::new(), root());
    let counts = now(Export::new(ISSUER, &root, NOW).page(1).run(&store(), &mut file, |so_far| written.push(so_far)));
    let done =
        now(Import::new(ISSUER, &root).run(&MemoryStore::default(), file.as_slice(), |so_far| read.push(so_far)));
    assert_eq!(written.last(), Some(&counts.unwrap()));
    assert_eq!(read.last(), Some(&done.unwrap()));
    assert!(written.is_sorted_by_key(Counts::total) && read.is_sorted_by_key(|done| done.inserted.total()));
}

#[tokio::test]
async fn both_may_run_as_tasks() {
    let store = store();
    let export = tokio::spawn(async move {
        let mut file = Vec::new();
        Export::new(ISSUER, &root(), NOW).run(&store, &mut file, |_| {}).await.map(|_| file)
    });
    let file = export.await.unwrap().unwrap();
    let import = tokio::spawn(async move {
        Import::new(ISSUER, &root()).run(&MemoryStore::default(), file.as_slice(), |_| {}).await
    });
    assert_eq!(import.await.unwrap().unwrap().inserted.total(), 8);
}
