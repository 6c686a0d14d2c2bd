//! What was revoked is marked, in whatever list, by whatever node.

use super::*;
use crate::{
    authorization_details::AuthorizationDetails,
    client::ClientId,
    scope::Scope,
    secret::Digest,
    store::{AccessToken, Grant, GrantFacts, Grants},
    token::GrantId,
};

fn grant() -> Grant {
    let facts = GrantFacts {
        client: ClientId::new("web").unwrap(),
        subject: None,
        scope: Scope::default(),
        resources: Vec::new(),
        auth_time: None,
        acr: None,
        authorization_details: AuthorizationDetails::default(),
        dpop_jkt: None,
    };
    let (id, end) = (GrantId::from_bytes([1; 16]), UnixTime(NOON.0 + DAY));
    Grant { id, facts, created_at: NOON, expires_at: end, revoked_at: None, code: None, refresh: None }
}

/// One that lives for a day.
fn token(place: StatusPlace) -> AccessToken {
    AccessToken {
        digest: Digest::of(&[b"token"]),
        scope: Scope::default(),
        audience: Vec::new(),
        issued_at: NOON,
        expires_at: UnixTime(NOON.0 + DAY),
        authorization_details: AuthorizationDetails::default(),
        confirmation: None,
        exchanged: None,
        status: Some(place),
    }
}

#[tokio::test]
async fn what_is_revoked_together_is_marked_in_every_list() {
    let clock = ManualClock::new(UnixTime(20_001 * DAY - 1));
    let (server, _) = only(&clock).await;
    let mut places = vec![place(&server).await, place(&server).await];
    clock.advance(1);
    places.extend([place(&server).await, place(&server).await]);
    let other = place(&server).await;
    server.mark_revoked(places.clone()).await.unwrap();
    for place in places {
        assert!(!is_valid(&server, place).await);
    }
    assert!(is_valid(&server, other).await);
}

/// The store breaks off after a grant has ended; whoever is asked to end it once more, by the slowest clock, finds
/// every token of it.
#[tokio::test]
async fn marking_is_finished_as_long_as_a_token_may_live() {
    for (late, expected) in [(300 + 3_600 - 1, false), (300 + 3_600, true)] {
        let clock = ManualClock::new(NOON);
        let (server, store) = only(&clock).await;
        let place = place(&server).await;
        let mut grant = grant();
        store.insert_grant(grant.clone(), Some(token(place))).await.unwrap();
        store.revoke_grant(grant.id, NOON).await.unwrap();
        grant.revoked_at = Some(NOON);
        clock.advance(late);
        server.finish_marking(&grant).await.unwrap();
        assert_eq!(is_valid(&server, place).await, expected, "{late}");
    }
}

#[tokio::test]
async fn after_the_secret_was_rotated_the_lists_of_the_one_before_go_on() {
    let (clock, store) = (ManualClock::new(NOON), Faulty::new(MemoryStore::default()));
    let old = node(&store, &clock, RootSecret::new([1; 32])).await;
    let (revoked, live) = (place(&old).await, place(&old).await);
    let new = node(&store, &clock, RootSecret::new([2; 32]).with_previous([1; 32])).await;
    let own = place(&new).await;
    new.mark_revoked([revoked]).await.unwrap();
    for (place, expected) in [(revoked, false), (live, true), (own, true)] {
        assert_eq!(is_valid(&new, place).await, expected);
    }
    assert_eq!(all(&new).await, [own.list, revoked.list]);
}

#[tokio::test]
async fn how_many_places_were_given_is_known_for_a_day_longer_than_their_lists() {
    let (server, store) = only(&ManualClock::new(NOON)).await;
    let number = ListNumber::of(place(&server).await.list);
    let group = lists(&server).keys[0].group(number.day);
    let claimed = async |at: UnixTime| store.claimed_statuses(group, at).await.unwrap();
    let end = number.ends_at(300);
    assert_eq!((claimed(end).await, claimed(UnixTime(end.0 + DAY - 1)).await), (1, 1));
}
