//! For how long a list serves.

use super::*;

#[tokio::test]
async fn a_list_that_ends_before_its_time_is_over_is_fetched_anew_at_its_end() {
    let f = fixture();
    f.publish_as(&f.key, &[], json!({ "exp": NOW + 8, "ttl": 10_000 }));
    let token = f.placed(3);
    assert_eq!(f.says(&token).await, 200);
    f.publish(&[3]);
    f.clock.advance(8);
    assert_eq!((f.says(&token).await, f.says(&f.placed(4)).await, f.lists()), (401, 200, 2));
}

#[tokio::test]
async fn nothing_is_concluded_from_a_list_beyond_its_own_end() {
    for ttl in [10_000, 15] {
        let f = fixture_with(|issuer| issuer.status_list_grace(Duration::from_secs(10_000)));
        f.publish_as(&f.key, &[], json!({ "exp": NOW + 100, "ttl": ttl }));
        let token = f.placed(0);
        assert_eq!(f.says(&token).await, 200);
        f.upstream.answer(URI, 503, &[], "");
        for _ in 0..19 {
            f.clock.advance(5);
            assert_eq!(f.says(&token).await, 200);
        }
        // Two seconds before, a new verdict is not for as long as others.
        f.clock.advance(3);
        let late = f.placed(1);
        assert_eq!(f.says(&late).await, 200);
        f.clock.advance(2);
        assert_eq!((f.says(&token).await, f.says(&late).await), (503, 503), "{ttl}");
    }
}

#[tokio::test]
async fn an_old_list_that_somebody_has_kept_serves_no_longer_than_the_grace() {
    // 15 seconds of its own and the grace, or what clocks may differ.
    for (grace, end) in [(60, 75), (90, 105), (0, 45)] {
        let f = fixture_with(|issuer| issuer.status_list_grace(Duration::from_secs(grace)));
        f.publish(&[]);
        let token = f.placed(3);
        // It is fetched again and again, and is the same each time.
        for _ in 1..end {
            assert_eq!(f.says(&token).await, 200);
            f.clock.advance(1);
        }
        assert_eq!((f.says(&token).await, f.says(&f.placed(4)).await), (200, 200), "{end}");
        assert!(f.lists() > 2);
        f.clock.advance(1);
        assert_eq!((f.says(&token).await, f.says(&f.placed(5)).await), (503, 503), "{end}");
        f.publish(&[3]);
        f.clock.advance(5);
        assert_eq!(f.says(&token).await, 401, "nobody waits for a ttl more");
    }
}

#[tokio::test]
async fn a_list_without_ttl_is_kept_until_its_end_and_one_without_either_for_a_while() {
    for (changes, fresh) in [
        (json!({ "ttl": null, "exp": NOW + 100 }), 74),
        (json!({ "ttl": null, "exp": null }), 224),
        (json!({ "ttl": 1_000_000_000, "exp": null }), 2_699),
        // It was on the way for ten seconds.
        (json!({ "iat": NOW - 10, "ttl": 30 }), 14),
    ] {
        let f = fixture();
        f.publish_as(&f.key, &[], changes.clone());
        assert_eq!(f.says(&f.placed(0)).await, 200);
        f.clock.advance(fresh);
        assert_eq!((f.says(&f.placed(1)).await, f.lists()), (200, 1), "{changes}");
        f.clock.advance(2);
        assert_eq!((f.says(&f.placed(2)).await, f.lists()), (200, 2), "{changes}");
    }
}

#[tokio::test]
async fn a_list_that_says_nothing_of_its_time_is_kept_as_http_says() {
    let f = fixture();
    let list = f.list(&f.key, &[], json!({ "ttl": null, "exp": null }));
    f.upstream.answer(URI, 200, &[("cache-control", "max-age=40")], &list);
    for (advance, lists) in [(0, 1), (29, 1), (1, 2)] {
        f.clock.advance(advance);
        assert_eq!(f.says(&f.placed(0)).await, 200);
        assert_eq!((f.says(&f.placed(1)).await, f.lists()), (200, lists), "{advance}");
    }
}

#[tokio::test]
async fn a_list_is_read_with_the_tolerance_of_clocks_that_was_set() {
    for (skew, says) in [(60, 200), (30, 503)] {
        let (key, upstream) = (Key::new(Algorithm::EdDSA), Upstream::new());
        upstream.json(JWKS, &key.document());
        let builder = builder(Issuer::jwt(ISSUER).jwks_uri(JWKS)).http(upstream.client()).clock(clock());
        let server = builder.skew(skew).build().unwrap();
        let f = Fixture { key, upstream, clock: clock(), server };
        f.publish_as(&f.key, &[], json!({ "iat": NOW + 50, "exp": null }));
        assert_eq!(f.says(&f.placed(0)).await, says, "{skew}");
    }
}
