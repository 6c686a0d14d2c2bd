//! [`TokenLife`]: how long a stream may go on.

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{
    FutureExt, Stream,
    future::{BoxFuture, Either, select},
};
use http::{HeaderMap, Response};
use http_body::{Body, Frame};
use oauth_core::{claims::ClaimsError, clock::UnixTime, secret::Secret};
use pin_project_lite::pin_project;
use tokio::{sync::futures::Notified, time::sleep};

use super::{
    ResourceServer, ValidatedToken,
    credentials::Credentials,
    refusal::{InvalidToken, RefusalKind},
    validate::{Check, Judge, Judged},
};
use crate::seconds;

/// Ends when a request with the same token would be refused: when the token expires, or when
/// it is known to be revoked. For streams, WebSockets and long polls, which are judged once and go
/// on. Made by [`ResourceServer::lifetime`].
///
/// It is a future for a handler's `select!`, and wraps bodies and streams ([`TokenLife::body`],
/// [`TokenLife::stream`]), which end with it as if there were no more to say: a client that
/// asks again is told why.
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use futures_util::{StreamExt, stream};
/// use oauth_tower::resource::{ResourceServer, TokenEnd, ValidatedToken};
/// use std::sync::Arc;
///
/// async fn news(api: ResourceServer, request: http::request::Parts) {
///     let Some(token) = request.extensions.get::<Arc<ValidatedToken>>() else { return };
///     let mut news = api.lifetime(token, &request.headers).stream(stream::repeat("nothing new"));
///     while let Some(news) = news.next().await {
///         println!("{news}");
///     }
/// }
/// # let _ = news;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "client"))]
/// # fn main() {}
/// ```
///
/// # How soon
///
/// A revocation ends it as soon as it would end the token's use in requests ([how long a revoked token
/// is accepted](super#how-long-a-revoked-token-is-accepted)): at once in the same process or over
/// a bus, and else when the verdict's time in the cache is over and the issuer is asked again, at
/// most once a second. Where nobody can be asked then, it ends too ([`TokenEnd::Unavailable`]), unless
/// it was given [patience](TokenLife::patience).
/// So it does when the last handle of the resource server is gone.
#[must_use = "a future does nothing unless it is polled"]
pub struct TokenLife {
    watch: Watch,
    running: Option<BoxFuture<'static, TokenEnd>>,
}

/// Why a stream may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenEnd {
    /// The token has expired.
    Expired,
    /// It is good no more, or has lost scope.
    Refused,
    /// Nobody knows, as a request would be told by 503.
    Unavailable,
}

#[derive(Clone)]
struct Watch {
    judge: Weak<Judge>,
    token: Arc<ValidatedToken>,
    /// What the token is, where it can be judged again.
    text: Option<Secret>,
    patience: u64,
}

impl ResourceServer {
    /// How long the token of a request is good, which this resource server's layer has accepted:
    /// `token` is from the request's extensions, and `headers` are the request's. A token that is
    /// not in `Authorization: Bearer` or `DPoP` cannot be judged again: it ends with its verdict.
    pub fn lifetime(&self, token: &Arc<ValidatedToken>, headers: &HeaderMap) -> TokenLife {
        let text = match Credentials::read(headers, None, &[]) {
            Ok(Credentials::Bearer(text) | Credentials::Dpop(text)) => str::from_utf8(text).ok().map(Secret::new),
            _ => None,
        };
        let (judge, token) = (Arc::downgrade(&self.judge), Arc::clone(token));
        TokenLife { watch: Watch { judge, token, text, patience: 0 }, running: None }
    }
}

impl TokenLife {
    /// Goes on for this long, in whole seconds, rounded up, while nobody can be asked whether the
    /// token is still good: none by default. For that long, a revoked token may stream on.
    pub fn patience(mut self, duration: Duration) -> Self {
        self.watch.patience = seconds::whole(duration);
        self
    }

    /// `body`, until the token ends.
    pub const fn body<B: Body>(self, body: B) -> UntilTokenEnds<B> {
        UntilTokenEnds { inner: body, life: self, is_over: false }
    }

    /// `stream`, until the token ends.
    pub const fn stream<S: Stream>(self, stream: S) -> UntilTokenEnds<S> {
        UntilTokenEnds { inner: stream, life: self, is_over: false }
    }

    /// `response`, whose body ends with the token.
    pub fn response<B: Body>(self, response: Response<B>) -> Response<UntilTokenEnds<B>> {
        response.map(|body| self.body(body))
    }
}

impl Future for TokenLife {
    type Output = TokenEnd;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TokenEnd> {
        let Self { watch, running } = &mut *self;
        running.get_or_insert_with(|| watch.clone().run().boxed()).poll_unpin(cx)
    }
}

impl Watch {
    async fn run(mut self) -> TokenEnd {
        loop {
            // The resource server is gone, and with it whoever would hear of a revocation.
            let Some(judge) = self.judge.upgrade() else { return TokenEnd::Unavailable };
            if let Some(end) = self.has_expired(judge.clock.now()) {
                return end;
            }
            let ledger = Arc::clone(&judge.ledger);
            let mut strike = pin!(ledger.strikes());
            // From here on no strike is missed.
            strike.as_mut().enable();
            if self.is_in_doubt(&judge, judge.clock.now())
                && let Err(end) = self.judge_again(&judge).await
            {
                return end;
            }
            let now = judge.clock.now();
            drop(judge);
            // However short the verdict's time: not more than once a second.
            let wait = now.until(self.token.valid_until).min(self.until_expiry(now));
            rest(wait, strike.as_mut()).await;
        }
    }

    fn has_expired(&self, now: UnixTime) -> Option<TokenEnd> {
        self.token.expires_at().is_some_and(|exp| now >= exp).then_some(TokenEnd::Expired)
    }

    fn until_expiry(&self, now: UnixTime) -> u64 {
        self.token.expires_at().map_or(u64::MAX, |exp| now.until(exp))
    }

    /// Whether a request would have the token judged anew.
    fn is_in_doubt(&self, judge: &Judge, now: UnixTime) -> bool {
        let text = self.text.as_ref().map_or(&[][..], |text| text.expose().as_bytes());
        now >= self.token.valid_until || judge.is_overtaken(&judge.cache.lookup(text), &self.token)
    }

    /// As a request would be, but for the proof, which came with the first one.
    async fn judge_again(&mut self, judge: &Arc<Judge>) -> Result<(), TokenEnd> {
        let Some(text) = &self.text else { return Err(TokenEnd::Refused) };
        let since = judge.clock.now();
        loop {
            let found = match judge.check_token(text.expose().as_bytes(), None) {
                Check::Now(found, refresh) => {
                    let _ = refresh.and_then(FutureExt::now_or_never);
                    found
                }
                Check::Later(verdict) => verdict.await.map(|Judged { token, .. }| Some(token)),
            };
            match found {
                Ok(Some(token)) if is_same(&self.token, &token) => {
                    self.token = token;
                    return Ok(());
                }
                Err(RefusalKind::Unavailable { retry_after }) => {
                    let now = judge.clock.now();
                    if since.until(now).saturating_add(retry_after) > self.patience {
                        return Err(TokenEnd::Unavailable);
                    }
                    sleep(Duration::from_secs(retry_after)).await;
                }
                Err(RefusalKind::InvalidToken(reason)) if reason == InvalidToken::from(ClaimsError::Expired) => {
                    return Err(TokenEnd::Expired);
                }
                _ => return Err(TokenEnd::Refused),
            }
        }
    }
}

/// Waits this many seconds, or for a strike, and never so long that a clock which was set goes
/// unnoticed.
async fn rest(seconds: u64, strike: Pin<&mut Notified<'_>>) {
    let nap = pin!(sleep(Duration::from_secs(seconds.clamp(1, 30))));
    let (Either::Left(_) | Either::Right(_)) = select(nap, strike).await;
}

/// Whether a verdict is on the same token still, and it permits as much.
fn is_same(old: &ValidatedToken, new: &ValidatedToken) -> bool {
    old.issuer() == new.issuer()
        && old.subject() == new.subject()
        && old.client_id() == new.client_id()
        && old.scope().is_subset_of(new.scope())
        && old.confirmation() == new.confirmation()
}

pin_project! {
    /// A body or a stream that ends with a token. Made by [`TokenLife::body`] and
    /// [`TokenLife::stream`].
    pub struct UntilTokenEnds<T> {
        #[pin]
        inner: T,
        life: TokenLife,
        is_over: bool,
    }
}

impl<T> UntilTokenEnds<T> {
    /// Whether it is over; the token is asked before what is inside.
    fn is_over(life: &mut TokenLife, is_over: &mut bool, cx: &mut Context<'_>) -> bool {
        *is_over = *is_over || life.poll_unpin(cx).is_ready();
        *is_over
    }
}

impl<S: Stream> Stream for UntilTokenEnds<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if Self::is_over(this.life, this.is_over, cx) {
            return Poll::Ready(None);
        }
        this.inner.poll_next(cx)
    }
}

impl<B: Body> Body for UntilTokenEnds<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        if Self::is_over(this.life, this.is_over, cx) {
            return Poll::Ready(None);
        }
        this.inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.inner.is_end_stream()
    }
    // No size_hint: nobody may promise a length that is not kept.
}

impl fmt::Debug for TokenLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenLife").field("patience", &self.watch.patience).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for UntilTokenEnds<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntilTokenEnds").field("is_over", &self.is_over).finish_non_exhaustive()
    }
}
