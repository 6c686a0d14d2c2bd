//! Sites that take their time. The clock is stopped as soon as nothing moves but
//! it.

use super::*;

/// Runs until the site has replied; from then on only the clock moves.
async fn outcome_of(reply: Reply) -> (Result<Fetched, FetchError>, u64) {
    let world = World::with(move |_| reply.clone(), |builder| builder.timeout(Duration::from_secs(5))).await;
    let replied = async {
        world.site.replied().await;
        tokio::time::pause();
    };
    let (outcome, ()) = tokio::join!(world.keys(), replied);
    world.site.is_left().await;
    (outcome, world.site.sent())
}

// spec: REG-32, SEC-14, AUZ-45
#[tokio::test]
async fn a_fetch_ends_in_time_wherever_the_site_hangs() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let hanging = [
        Reply::raw("").hang(),
        Reply::raw("HTTP/1.1 200").hang(),
        Reply::raw(head).hang(),
        Reply::raw(format!("{head}content-length: 11\r\n\r\n")).hang(),
        Reply::raw(format!("{head}content-length: 11\r\n\r\n{{\"keys\":")).hang(),
        Reply::raw(format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n")).hang(),
    ];
    for reply in hanging {
        let (outcome, _) = outcome_of(reply.clone()).await;
        assert!(matches!(outcome, Err(FetchError::TimedOut)), "{reply:?}: {outcome:?}");
        tokio::time::resume();
    }
}

// spec: REG-32
#[tokio::test]
async fn a_site_that_sends_a_byte_a_second_is_not_listened_to_for_long() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    for (first, byte) in [(format!("{head}x: "), b'y'), (format!("{head}content-length: 60000\r\n\r\n"), b' ')] {
        let length = u64::try_from(first.len()).unwrap();
        let (outcome, sent) = outcome_of(Reply::raw(first).trickle(byte)).await;
        assert!(matches!(outcome, Err(FetchError::TimedOut)), "{outcome:?}");
        assert!(sent - length <= 10, "{sent}");
        tokio::time::resume();
    }
}

/// Never answers.
#[derive(Debug)]
struct Silent;

impl Resolve for Silent {
    fn resolve<'a>(&'a self, _: &'a str) -> ResolveFuture<'a> {
        Box::pin(pending())
    }
}

// spec: REG-32
#[tokio::test(start_paused = true)]
async fn a_name_that_is_never_resolved_takes_no_longer() {
    let fetch = GuardedFetch::builder().resolver(Silent).build().unwrap();
    let started = tokio::time::Instant::now();
    assert!(matches!(fetch.fetch(keys_at(URL)).await, Err(FetchError::TimedOut)));
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn three_addresses_are_tried_of_both_families_by_turns_and_no_more() {
    let four = ["93.184.216.34:443", "93.184.216.35:443", "93.184.216.36:443", "93.184.216.37:443"];
    let (v4, v6) = ("93.184.216.34", ["2606:2800::1", "2606:2800::2", "2606:2800::3"]);
    let bare = four.map(|address| address.trim_end_matches(":443"));
    for (addresses, tried) in [
        (&bare[..], [four[0], four[1], four[2]]),
        (&[v6[0], v6[1], v6[2], v4], ["[2606:2800::1]:443", "93.184.216.34:443", "[2606:2800::2]:443"]),
        (&[v4, v6[0], v6[1]], ["93.184.216.34:443", "[2606:2800::1]:443", "[2606:2800::2]:443"]),
    ] {
        let (names, detour) = (Names::answering(&[addresses]), Detour::to(None));
        let builder = GuardedFetch::builder().resolver(names).detour(detour.clone());
        let fetch = builder.timeout(Duration::from_secs(30)).connect_timeout(Duration::from_secs(2)).build().unwrap();
        assert!(is_unavailable(&fetch.fetch(keys_at(URL)).await, Stage::Connect));
        assert_eq!(detour.dialed(), tried);
    }
}
