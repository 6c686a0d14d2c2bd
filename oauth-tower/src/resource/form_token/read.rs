//! The form itself: whether it is one, its bytes, and the token in it.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, Method, Request, StatusCode, header::CONTENT_TYPE};
use http_body::Body;
use oauth_core::secret::Secret;
use tokio::time::{Sleep, sleep};

use super::{
    super::{InvalidRequest, credentials::token68},
    FormToken,
};

/// Why the content of a request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableContent {
    /// It is longer than permitted: 413.
    #[error("the content is too long")]
    TooLarge,
    /// It did not arrive in time: 408.
    #[error("the content did not arrive in time")]
    TimedOut,
    /// It broke off: 400.
    #[error("the content cannot be read")]
    Broken,
}

impl UnreadableContent {
    pub(in super::super) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Whether a token may be in the content (OAuth 2.1 section 7.2.1.2).
pub(super) fn is_form<B>(request: &Request<B>) -> bool {
    gives_content_meaning(request.method()) && is_urlencoded(request.headers())
}

/// "The HTTP request method is one for which the content has defined
/// semantics": all but those of which RFC 9110 section 9.3 says that it has none.
fn gives_content_meaning(method: &Method) -> bool {
    let none = [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS, Method::TRACE, Method::CONNECT];
    !none.contains(method)
}

fn is_urlencoded(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    // RFC 9110 section 8.3.1: of any case, and parameters change nothing here.
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The field `access_token`, if there is one.
pub(super) fn find(form: &[u8]) -> Option<FormToken> {
    let mut tokens = form_urlencoded::parse(form).filter(|(name, _)| name == "access_token");
    let (_, token) = tokens.next()?;
    let token = Secret::new(token);
    Some(FormToken(if tokens.next().is_some() {
        Err(InvalidRequest::RepeatedFormToken)
    } else if !is_ascii(form) || token68(token.expose().as_bytes()).is_none() {
        Err(InvalidRequest::MalformedForm)
    } else {
        Ok(token)
    }))
}

/// "The content to be encoded in the request MUST consist entirely of ASCII
/// characters": to be encoded, so percent signs hide nothing.
fn is_ascii(form: &[u8]) -> bool {
    form_urlencoded::parse(form).all(|(name, value)| name.is_ascii() && value.is_ascii())
}

/// A form on its way in.
pub(super) struct Reading {
    bytes: Vec<u8>,
    limit: usize,
    timeout: Duration,
    /// Begins when there is something to wait for.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Reading {
    /// Fails at once if the body says that it is too long.
    pub(super) fn start(body: &impl Body, limit: usize, timeout: Duration) -> Result<Self, UnreadableContent> {
        let least = body.size_hint().lower();
        if usize::try_from(least).is_ok_and(|least| least <= limit) {
            Ok(Self { bytes: Vec::new(), limit, timeout, deadline: None })
        } else {
            Err(UnreadableContent::TooLarge)
        }
    }

    /// All of it, or why not.
    pub(super) fn poll<B: Body>(
        &mut self,
        body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Bytes, UnreadableContent>> {
        match self.poll_frames(body, cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome.map(|()| mem::take(&mut self.bytes).into())),
            Poll::Pending => {
                let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.timeout)));
                deadline.as_mut().poll(cx).map(|()| Err(UnreadableContent::TimedOut))
            }
        }
    }

    /// Copies: a body of many small frames would else keep the buffer alive
    /// that each of them is a piece of.
    fn poll_frames<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), UnreadableContent>> {
        while let Some(frame) = ready!(body.as_mut().poll_frame(cx)) {
            let Ok(frame) = frame else { return Poll::Ready(Err(UnreadableContent::Broken)) };
            let Ok(data) = frame.into_data() else { continue };
            if data.remaining() > self.limit.saturating_sub(self.bytes.len()) {
                return Poll::Ready(Err(UnreadableContent::TooLarge));
            }
            self.bytes.put(data);
        }
        Poll::Ready(Ok(()))
    }
}
