//! Files as they are written, and as they are read whatever has become of them.

mod damaged;
mod format;
mod left;
mod links;
mod statuses;

use futures_util::FutureExt;

use super::*;
use crate::{
    authorization_details::AuthorizationDetails,
    claims::Confirmation,
    client::{Client, ClientId, ClientSecret},
    clock::UnixTime,
    engine::status_list::moved,
    pkce::CodeChallenge,
    secret::{Digest, RootSecret},
    store::{
        AccessToken, Clients, Code, Consent, Consents, Exchanged, Grant, GrantFacts, Grants, LinkState, PeerTokens,
        Queued, QueuedCode, ReciprocalLink, Reciprocals, Refresh, Retry, SealedKey, SigningKeys, StatusPlace, Statuses,
        Transfer, memory::MemoryStore,
    },
    token::GrantId,
};

const ISSUER: &str = "https://auth.example";
const NOW: UnixTime = UnixTime(1_800_000_000);

fn root() -> RootSecret {
    RootSecret::new([7; 32])
}

fn key() -> SealedKey {
    SealedKey { kid: "kid-1".into(), algorithm: "ES256".into(), sealed: vec![0, 255, 39], active_from: UnixTime(9) }
}

fn client() -> Client {
    let secret = ClientSecret::new(&"hunter2-secret".into()).expires_at(UnixTime(4_000_000_000));
    let client = Client::builder("web").secret(secret).redirect_uri("https://web.example/cb").scope("a b");
    client.name("Zwölf \u{1F980}").build().unwrap()
}

/// A grant with something in every field.
fn grant(number: u8) -> Grant {
    let facts = GrantFacts {
        client: ClientId::new("web").unwrap(),
        subject: Some("hunter2-alice".into()),
        scope: "a b".parse().unwrap(),
        resources: vec!["https://api.example".into()],
        auth_time: Some(UnixTime(1_700_000_000)),
        acr: Some("urn:example:gold".into()),
        authorization_details: details(),
        dpop_jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into()),
    };
    let code = Code {
        digest: Digest::from_bytes([2; 32]),
        redirect_uri: "https://web.example/cb".into(),
        redirect_uri_required: true,
        challenge: Some(CodeChallenge::from_bytes([3; 32])),
        expires_at: UnixTime(1_700_000_060),
        redeemed_at: Some(UnixTime(1_700_000_001)),
    };
    let (digest, access) = (Digest::from_bytes([4; 32]), Some(Digest::from_bytes([5; 32])));
    let retry = Retry { digest, sealed: vec![1, 2, 3], until: UnixTime(1_800_000_030), access };
    let (digest, used_at) = (Digest::from_bytes([5; 32]), UnixTime(1_799_999_999));
    Grant {
        id: GrantId::from_bytes([number; 16]),
        facts,
        created_at: UnixTime(1_700_000_000),
        expires_at: UnixTime(1_900_000_000),
        revoked_at: None,
        code: Some(code),
        refresh: Some(Refresh { digest, generation: 7, used_at, retry: Some(retry) }),
    }
}

fn details() -> AuthorizationDetails {
    AuthorizationDetails::parse(r#"[{"type":"account","actions":["read"],"limit":7.5}]"#).unwrap()
}

fn access(number: u8) -> AccessToken {
    AccessToken {
        digest: Digest::from_bytes([number; 32]),
        scope: "a".parse().unwrap(),
        audience: vec!["https://api.example".into()],
        issued_at: UnixTime(1_799_999_999),
        expires_at: UnixTime(1_800_000_600),
        authorization_details: details(),
        confirmation: Some(Confirmation::dpop("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")),
        exchanged: Some(Box::new(exchanged())),
        status: None,
    }
}

/// To another client than that of the grant, for which somebody acts.
fn exchanged() -> Exchanged {
    let actor = serde_json::from_str(r#"{"sub":"batch","act":{"sub":"hunter2-carol","iss":"https://other.example"}}"#);
    Exchanged { client: ClientId::new("worker").unwrap(), actor: Some(actor.unwrap()) }
}

/// Agreed to at two resources, until [`NOW`] and a minute more.
fn consent() -> Consent {
    let consent = Consent::new("hunter2-alice", ClientId::new("web").unwrap(), UnixTime(1_799_999_999));
    let end = UnixTime(1_800_000_060);
    let first = consent.with(&["https://api.example".into()], &"a b".parse().unwrap(), UnixTime(1_799_999_999), end);
    let consent = first.unwrap().with(&[], &"a".parse().unwrap(), NOW, end).unwrap();
    Consent { revision: u64::MAX - 1, ..consent }
}

/// A code that waits, beside the tokens of the one before.
fn link() -> LinkState {
    let link = ReciprocalLink::new(ClientId::new("web").unwrap(), Some("hunter2-alice".into()));
    let code = QueuedCode {
        id: Digest::from_bytes([7; 32]),
        link: link.clone(),
        sealed: vec![0, 255, 39],
        attempts: 2,
        queued_at: UnixTime(1_799_999_990),
        due_at: UnixTime(1_800_000_020),
        expires_at: UnixTime(1_800_000_590),
    };
    let tokens = PeerTokens {
        link,
        id: Digest::from_bytes([8; 32]),
        sealed: vec![39, 255, 0],
        scope: "a b".parse().unwrap(),
        obtained_at: UnixTime(1_700_000_000),
        expires_at: Some(UnixTime(1_700_003_600)),
        ends_at: UnixTime(1_900_000_000),
        revision: u64::MAX - 1,
    };
    LinkState { code: Some(code), tokens: Some(tokens) }
}

/// One record of each kind.
fn store() -> MemoryStore {
    let store = MemoryStore::default();
    now(store.insert_signing_key(key(), None)).unwrap();
    now(store.put_client(client())).unwrap();
    now(store.insert_grant(grant(1), Some(access(6)))).unwrap();
    assert!(now(store.replace_consent(consent(), None, NOW)).unwrap());
    assert!(now(store.replace_peer_tokens(link().tokens.unwrap(), None, NOW)).unwrap());
    assert_eq!(now(store.queue_code(link().code.unwrap())).unwrap(), Queued::Added);
    let group = statuses::today();
    let until = moved::until(group.first);
    assert_eq!(now(store.claim_statuses(group.digest, until, NOW)).unwrap(), 1);
    now(store.revoke_statuses(group.first, vec![3, 1_048_575], until)).unwrap();
    store
}

/// In memory everything is there at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    loop {
        if let Some(done) = future.as_mut().now_or_never() {
            return done;
        }
    }
}

fn exported(store: &MemoryStore) -> Vec<u8> {
    let mut file = Vec::new();
    now(Export::new(ISSUER, &root(), NOW).run(store, &mut file, |_| {})).unwrap();
    file
}

/// Imports a file, after what a check says of it was held against that.
fn imported(file: &[u8], store: &MemoryStore) -> Result<Imported, ImportError> {
    let root = root();
    let import = Import::new(ISSUER, &root);
    let (checked, done) = (import.check(file), now(import.run(store, file, |_| {})));
    match (&checked, &done) {
        (Ok(counts), Ok(done)) => assert_eq!(counts.total(), done.inserted.total() + done.left.total()),
        (Err(found), Err(error)) => {
            assert_eq!((found.line(), found.fault().to_string()), (error.line(), error.fault().to_string()));
            assert!(found.to_string().ends_with("; nothing was imported"), "{found}");
        }
        _ => panic!("checked {checked:?}, but {done:?}"),
    }
    done
}

/// The file with the digest and the counts that its lines have.
fn sealed(lines: &[&str]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut counts = [0; 7];
    for line in lines {
        file.extend_from_slice(line.as_bytes());
        file.push(b'\n');
        let kinds = ["signing_key", "client", "grant", "access", "consent", "link", "statuses"];
        for (count, kind) in counts.iter_mut().zip(kinds) {
            *count += u64::from(line.starts_with(&format!("{{\"{kind}\"")));
        }
    }
    let [signing_keys, clients, grants, access_tokens, consents, links, statuses] = counts;
    let sum =
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, Digest::of(&[&file]).as_bytes());
    let end = format!(
        r#"{{"end":{{"signing_keys":{signing_keys},"clients":{clients},"grants":{grants},"access_tokens":{access_tokens},"consents":{consents},"links":{links},"statuses":{statuses},"sha256":"{sum}"}}}}"#
    );
    file.extend_from_slice(end.as_bytes());
    file.push(b'\n');
    file
}
