//! How many codes somebody may try.

use std::net::{IpAddr, Ipv4Addr};

use oauth_core::endpoint::RemoteAddress;

use super::{page::Person, *};

fn three(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    devices(builder).devices(|settings| settings.user_code_failures_per_minute = 3)
}

const WRONG: &str = "BBBB-BBBB";

fn at(last: u8) -> Guesser<'static> {
    Guesser::at(Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))))
}

/// `true` if it was found, `None` if nothing was looked up.
async fn guess(w: &World, code: &str, by: Guesser<'_>) -> Option<bool> {
    match w.server.device(code, by).await.unwrap() {
        DeviceLookup::Found(_) => Some(true),
        DeviceLookup::Unknown => Some(false),
        DeviceLookup::Limited { retry_after } => {
            assert_eq!(retry_after, 60);
            None
        }
        other => panic!("{other:?}"),
    }
}

// spec: TOK-39
#[tokio::test]
async fn guesses_are_limited_for_an_address_and_for_a_person_on_every_node_together() {
    on_every_store_with(three, async |w| {
        let another = w.another(three).await.unwrap();
        let code = begin(&w, TV).await.user;
        for node in [&w, &another, &w] {
            assert_eq!(guess(node, WRONG, at(1)).await, Some(false));
            // What is right is not counted.
            assert_eq!(guess(node, &code, at(2)).await, Some(true));
            assert_eq!(guess(node, "not a code", at(3).signed_in_as("mallory")).await, Some(false));
        }
        for node in [&w, &another] {
            // The right one is not told from others.
            assert_eq!(guess(node, &code, at(1)).await, None);
            assert_eq!(guess(node, WRONG, at(1)).await, None);
            assert_eq!(guess(node, &code, at(4).signed_in_as("mallory")).await, None);
            assert_eq!(guess(node, &code, at(4).signed_in_as("alice")).await, Some(true));
        }
        w.clock.advance(60);
        assert_eq!(guess(&w, &code, at(1)).await, Some(true));
    })
    .await;
}

// spec: TOK-39
#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_a_time_do_not_slip_through_together() {
    on_every_store_with(three, async |w| {
        let guesses = all_at_once(20, |_| {
            let w = w.clone();
            async move { guess(&w, WRONG, at(1)).await }
        })
        .await;
        assert!(guesses.iter().flatten().count() <= 3, "{guesses:?}");
        assert_eq!(guess(&w, WRONG, at(2)).await, Some(false));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_limited_where_that_is_switched_off() {
    let off = |builder| devices(builder).devices(|settings| settings.user_code_failures_per_minute = 0);
    let w = on_memory_with(off).await;
    for _ in 0..100 {
        assert_eq!(guess(&w, WRONG, at(1)).await, Some(false));
    }
}

// spec: TOK-39
#[tokio::test]
async fn the_page_answers_429_and_tells_not_whether_a_code_is_good() {
    let w = on_memory_with(devices).await;
    let code = begin(&w, TV).await.user;
    let mut person = Person::new(&w);
    for _ in 0..10 {
        let page = person.type_code(WRONG).await;
        assert_eq!(page.status, 422, "{page}");
        assert!(page.body.contains("No device waits for this code"), "{page}");
    }
    let [wrong, right] = [person.type_code("CCCC-CCCC").await, person.type_code(&code).await];
    for page in [&wrong, &right] {
        assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, "60"), "{page}");
    }
    let told =
        |page: &Answer, code: &str| page.body.replace(code, "").split("name=\"csrf\"").next().unwrap().to_owned();
    assert_eq!(told(&wrong, "CCCC-CCCC"), told(&right, &code));
    // Somebody at another address is not held up.
    let mut other = Person::new(&w);
    other.address = Some(RemoteAddress(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9))));
    assert_eq!(other.type_code(&code).await.status, 303);
    w.clock.advance(60);
    assert_eq!(person.type_code(&code).await.status, 303);
}
