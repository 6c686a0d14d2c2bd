//! A list that is older than one that came before.

use super::*;

impl Fixture {
    /// What tokens at these places get, which nobody has seen.
    async fn says_of(&self, places: [u32; 2]) -> [u16; 2] {
        let [one, two] = places.map(|place| self.placed(place));
        [self.says(&one).await, self.says(&two).await]
    }
}

#[tokio::test]
async fn an_older_list_makes_no_token_good_again_nor_is_it_a_failure() {
    let f = fixture();
    f.publish(&[3]);
    assert_eq!(f.says_of([3, 4]).await, [401, 200]);
    // Another node's, or one that was sent before.
    f.publish_as(&f.key, &[], json!({ "iat": NOW - 5, "exp": NOW + 1_000 }));
    for _ in 0..4 {
        f.clock.advance(15);
        assert_eq!(f.says_of([3, 4]).await, [401, 200]);
    }
    assert!(f.lists() > 3);
    // Dead is dead, and what is older is too.
    f.clock.advance(15);
    assert_eq!(f.says_of([3, 4]).await, [503, 503]);
    f.publish(&[]);
    f.clock.advance(5);
    assert_eq!(f.says_of([3, 4]).await, [200, 200], "a new one counts");
}

#[tokio::test]
async fn a_list_is_no_obstacle_to_older_ones_beyond_its_own_end() {
    let f = fixture();
    // By a clock that was ahead.
    f.publish_as(&f.key, &[3], json!({ "iat": NOW + 30, "exp": NOW + 40 }));
    assert_eq!(f.says_of([3, 4]).await, [401, 200]);
    f.publish_as(&f.key, &[], json!({ "iat": NOW, "exp": NOW + 1_000 }));
    f.clock.advance(39);
    assert_eq!(f.says_of([3, 4]).await, [401, 200]);
    f.clock.advance(1);
    assert_eq!(f.says_of([3, 4]).await, [200, 200]);
}

#[tokio::test]
async fn of_two_lists_of_one_second_the_later_to_come_counts() {
    let f = fixture();
    f.publish_as(&f.key, &[3], json!({ "iat": NOW, "ttl": 1 }));
    assert_eq!(f.says_of([3, 4]).await, [401, 200]);
    f.publish_as(&f.key, &[4], json!({ "iat": NOW }));
    f.clock.advance(6);
    assert_eq!(f.says_of([3, 4]).await, [200, 401]);
}

/// The nodes of an issuer make lists by clocks of their own: one that is ahead
/// hides nothing that another marks.
#[tokio::test]
async fn what_an_older_list_marks_is_not_good_either_and_it_is_fetched_anew_when_that_is_over() {
    let f = fixture();
    f.publish_as(&f.key, &[3], json!({ "iat": NOW + 30 }));
    assert_eq!((f.says_of([3, 4]).await, f.lists()), ([401, 200], 1));
    f.publish_as(&f.key, &[4], json!({ "iat": NOW + 5 }));
    f.clock.advance(15);
    assert_eq!((f.says_of([3, 4]).await, f.lists()), ([401, 401], 2));
    f.publish_as(&f.key, &[5], json!({ "iat": NOW + 20 }));
    f.clock.advance(5);
    assert_eq!((f.says_of([3, 5]).await, f.lists()), ([401, 401], 3));
}
