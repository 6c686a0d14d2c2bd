use std::net::{IpAddr, Ipv4Addr};

use super::super::{
    super::fault::Failure,
    limit::{Attempt, AuthLimit, FOR_ALL_CLIENTS, FROM_EVERYWHERE, WINDOWS, Whose},
};
use crate::{client::ClientId, clock::UnixTime, store::memory::MemoryStore};

const NOW: UnixTime = UnixTime(1_000);

fn id(name: &str) -> ClientId {
    ClientId::new(name).unwrap()
}

fn host(number: u32) -> Option<IpAddr> {
    Some(Ipv4Addr::from_bits(number).into())
}

fn begin(limit: &AuthLimit, name: &str, address: Option<IpAddr>, now: UnixTime) -> Result<Attempt, u64> {
    limit.begin(Whose::Client(&id(name)), address, now).map_err(|failure| match failure {
        Failure::TooMany { retry_after } => retry_after,
        other => panic!("{other:?}"),
    })
}

fn fail(limit: &AuthLimit, name: &str, address: Option<IpAddr>) {
    drop(begin(limit, name, address, NOW).unwrap());
}

// spec: CAU-11
#[test]
fn a_client_that_fails_too_often_at_one_address_waits_there_and_nowhere_else() {
    let limit = AuthLimit::new(3);
    for address in [host(1), "2001:db8::1".parse().ok(), None] {
        (0..3).for_each(|_| fail(&limit, "app", address));
        assert_eq!(begin(&limit, "app", address, UnixTime(1_010)).unwrap_err(), 50);
        assert!(begin(&limit, "other", address, NOW).is_ok());
    }
    assert!(begin(&limit, "app", host(2), NOW).is_ok());
    assert!(begin(&limit, "app", "2001:db8::ffff:ffff:ffff:ffff".parse().ok(), NOW).is_err(), "the same network");
    assert!(begin(&limit, "app", "2001:db8:0:1::1".parse().ok(), NOW).is_ok());
    for address in [host(1), "2001:db8::1".parse().ok(), None] {
        assert!(begin(&limit, "app", address, UnixTime(1_060)).is_ok());
    }
}

// spec: CAU-11
#[test]
fn one_address_cannot_try_one_secret_on_every_client() {
    let limit = AuthLimit::new(2);
    (0..2 * FOR_ALL_CLIENTS).for_each(|client| fail(&limit, &client.to_string(), host(1)));
    assert!(begin(&limit, "another", host(1), NOW).is_err());
    assert!(begin(&limit, "another", host(2), NOW).is_ok());
}

// spec: CAU-11
#[test]
fn many_addresses_together_fail_once_each_and_no_more_and_a_new_one_is_let_in() {
    let limit = AuthLimit::new(2);
    (0..2 * FROM_EVERYWHERE).for_each(|address| fail(&limit, "app", host(address)));
    assert!((0..2 * FROM_EVERYWHERE).all(|address| begin(&limit, "app", host(address), NOW).is_err()));
    let correct = begin(&limit, "app", host(1_000_000), NOW).unwrap();
    limit.take_back(&correct);
    assert!(begin(&limit, "app", host(1_000_000), NOW).is_ok());
    assert!(begin(&limit, "other", host(1), NOW).is_ok());
}

#[test]
fn success_is_not_counted_and_forgives_nothing() {
    let limit = AuthLimit::new(2);
    fail(&limit, "app", host(1));
    for _ in 0..5 {
        limit.take_back(&begin(&limit, "app", host(1), NOW).unwrap());
    }
    fail(&limit, "app", host(1));
    assert!(begin(&limit, "app", host(1), NOW).is_err());
}

// spec: CAU-11
#[tokio::test]
async fn nodes_with_one_store_share_the_limit_and_a_success_costs_it_nothing() {
    let (store, nodes) = (MemoryStore::default(), [AuthLimit::new(3), AuthLimit::new(3)]);
    for node in [&nodes[0], &nodes[0], &nodes[1]] {
        let attempt = begin(node, "app", host(1), NOW).unwrap();
        node.failed(&attempt, &store, NOW).await;
    }
    assert!(begin(&nodes[1], "app", host(1), NOW).is_err(), "it has heard of the other node's");
    assert!(begin(&nodes[0], "app", host(1), NOW).is_ok(), "and that one will, at the next failure");
    assert!(begin(&nodes[1], "app", host(2), NOW).is_ok());
    assert!(begin(&nodes[1], "app", host(1), UnixTime(1_060)).is_ok());
}

#[test]
fn zero_is_no_limit_and_a_flood_of_names_takes_bounded_room_and_stays_limited() {
    let none = AuthLimit::new(0);
    (0..100).for_each(|_| fail(&none, "app", None));
    let limit = AuthLimit::new(1);
    fail(&limit, "known", host(1));
    let mut refused = 0;
    for name in 0..u32::try_from(WINDOWS).unwrap() {
        refused += u32::from(begin(&limit, &name.to_string(), host(name), NOW).is_err());
    }
    assert!(limit.windows() <= WINDOWS);
    assert!(refused > 0, "those without room share what they may");
    assert!(begin(&limit, "known", host(1), NOW).is_err());
    assert!(begin(&limit, "new", host(0), UnixTime(1_060)).is_ok());
}
