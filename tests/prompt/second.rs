//! Times are whole seconds, and a second is long for a program.

use super::{agreed, code, is_sign_in, see, sign_in};
use crate::support::*;

// spec: AUZ-33, AUZ-34
#[tokio::test]
async fn a_sign_in_in_the_second_of_a_request_counts_only_if_it_was_made_for_it() {
    for wish in [("prompt", "login"), ("max_age", "0"), ("prompt", "select_account")] {
        // The clock stands still.
        let w = on_memory().await;
        let mut browser = agreed(&w, "alice").await;
        let ask = Ask::of(APP).with(wish.0, wish.1);
        let (page, shown) = see(&mut browser, &ask).await;
        assert!(shown.status == 200 && !shown.body.contains("\"approve\""), "{wish:?} {shown}");
        if wish.1 == "select_account" {
            continue;
        }
        is_sign_in(&shown);
        let done = sign_in(&mut browser, &(page, shown), "alice").await;
        code(&done);
        is_sign_in(&see(&mut browser, &ask).await.1);
    }
}
