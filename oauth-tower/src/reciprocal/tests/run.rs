//! The loop that a host drives.

use std::{future::ready, sync::Mutex, time::Duration};

use tokio::sync::oneshot;

use super::*;

// spec: TOK-54
#[tokio::test(start_paused = true)]
async fn what_comes_while_it_runs_is_redeemed_too() {
    let b = B::new().await;
    let (http, log) = network(|at, request| match request.uri().path() {
        "/token" => tokens(&at.to_string()),
        _ => reply(200, &[], ""),
    });
    let client = b.client(http);
    let (stop, stopped) = oneshot::channel::<()>();
    let visits = async {
        for code in ["a", "b"] {
            b.takes(code).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert_eq!(b.queued().await, 0);
        }
        stop.send(()).unwrap();
    };
    let stopped = async { stopped.await.unwrap() };
    futures_util::future::join(client.run(stopped), visits).await;
    assert_eq!(sent(&log).iter().filter(|request| request.starts_with("/token")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_code_in_hand_is_finished_before_it_stops() {
    let b = B::new().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    // The end comes when A has been asked, and has not yet answered.
    let (http, log) = network(move |at, _| {
        stop.lock().unwrap().take().map(|stop| stop.send(()));
        tokens(&at.to_string())
    });
    b.takes("c").await;
    b.client(http).run(async { stopped.await.unwrap() }).await;
    assert_eq!((b.held().await.as_deref(), sent(&log).len()), (Some("at-0"), 1));
    // One that is to stop before it has begun takes nothing.
    b.takes("d").await;
    let (http, log) = network(|_, _| tokens("d"));
    b.client(http).run(ready(())).await;
    assert_eq!((b.queued().await, sent(&log).len()), (1, 0));
}

// spec: TOK-54
#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_keeps_no_other_code_waiting() {
    let b = B::new().await;
    let sometimes = service_fn(|request: Request<Bytes>| async move {
        if request.body().windows(6).any(|part| part == b"code=a") {
            std::future::pending::<()>().await;
        }
        Ok::<_, std::convert::Infallible>(tokens("b").map(|body| Full::new(Bytes::from(body))))
    });
    // Longer than all of this takes; and then it is given up.
    let http = HttpClient::new(sometimes).with_timeout(Duration::from_secs(600));
    let (stop, stopped) = oneshot::channel::<()>();
    let visits = async {
        for code in ["a", "b"] {
            b.takes(code).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        assert_eq!(b.held().await.as_deref(), Some("at-b"));
        stop.send(()).unwrap();
    };
    let client = b.client(http);
    futures_util::future::join(client.run(async { stopped.await.unwrap() }), visits).await;
}
