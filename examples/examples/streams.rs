//! A stream of events that ends with its token.
//!
//!     cargo run -p examples --example streams
//!
//! It prints a token that is good for ten seconds, to try with curl. The layer judges a request
//! once, when it begins; what then goes on for hours has to be watched over. `lifetime` does, and
//! ends the stream when the token expires or is known to be revoked. A client that comes back
//! with a fresh token goes on; with the old one it is told 401.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::State,
    http::HeaderMap,
    response::sse::{Event, Sse},
    routing::get,
};
use examples::{say, stand_in::StandIn};
use futures_util::{Stream, stream};
use oauth_axum_rs::{ResourceServer, Token};
use oauth_core::clock::{Clock, SystemClock};
use tokio::{net::TcpListener, time::sleep};

const API: &str = "http://127.0.0.1:9500";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = StandIn::new("https://as.example");
    let app = app(&issuer, SystemClock)?;
    let brief = |claims: &mut oauth_core::claims::AccessTokenClaims| claims.exp = SystemClock.now().saturating_add(10);
    let token = issuer.token_with(API, "", brief);
    say(format!("curl -iN -H 'Authorization: Bearer {token}' {API}/ticks"));
    axum::serve(TcpListener::bind("127.0.0.1:9500").await?, app).await?;
    Ok(())
}

fn app(issuer: &StandIn, clock: impl Clock) -> Result<Router, Box<dyn std::error::Error>> {
    let api = ResourceServer::builder(API).issuer(issuer.issuer()).clock(clock).build()?;
    Ok(Router::new().route("/ticks", get(ticks)).layer(api.layer()).with_state(api))
}

/// A tick each second, for as long as a request with this token would be served.
async fn ticks(
    State(api): State<ResourceServer>,
    token: Token,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = stream::unfold(0_u64, async |count| {
        sleep(Duration::from_secs(1)).await;
        Some((Ok(Event::default().data(count.to_string())), count + 1))
    });
    let token = token.into_inner();
    Sse::new(api.lifetime(&token, &headers).stream(ticks))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use oauth_core::clock::ManualClock;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_stream_ends_when_the_token_does() {
        let issuer = StandIn::new("https://as.example");
        let clock = ManualClock::new(SystemClock.now());
        let app = app(&issuer, clock.clone()).unwrap();
        let brief = |claims: &mut oauth_core::claims::AccessTokenClaims| claims.exp = clock.now().saturating_add(10);
        let token = issuer.token_with(API, "", brief);
        let request = Request::get("/ticks").header("authorization", format!("Bearer {token}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        // Time stands still until somebody sleeps; then it goes on for the clock as well.
        let going = clock.clone();
        tokio::spawn(async move {
            loop {
                sleep(Duration::from_secs(1)).await;
                going.advance(1);
            }
        });
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let ticks = std::str::from_utf8(&body).unwrap().matches("data:").count();
        assert!((8..=10).contains(&ticks), "{ticks}");
    }
}
