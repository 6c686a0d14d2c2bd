//! Request bodies, collected up to a limit.

use std::{error::Error, pin::pin};

use bytes::{Buf, Bytes};
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA},
};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Why there is no body to work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is over the limit.
    TooLarge,
    /// The connection broke off, or its framing was wrong.
    Broken,
}

/// The whole of `body`, unless it is longer than `limit` bytes. No more than
/// the limit is ever held.
pub(super) async fn collect<B>(body: B, limit: usize) -> Result<Bytes, Unreadable>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // An announced length is believed at once, so that nothing is read in vain.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Unreadable::TooLarge);
    }
    let mut body = pin!(Limited::new(body, limit));
    // Mostly it comes in one piece, which need not be copied.
    let (mut first, mut all) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame.map_err(|error| Unreadable::because(&*error))?.into_data() else { continue };
        let piece = data.copy_to_bytes(data.remaining());
        if first.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&piece);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

impl Unreadable {
    fn because(error: &(dyn Error + Send + Sync + 'static)) -> Self {
        if error.is::<LengthLimitError>() { Self::TooLarge } else { Self::Broken }
    }

    /// The answer, in the form of OAuth 2.1 section 5.2.
    pub(super) fn response(self) -> Response<Bytes> {
        let (status, description) = match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the request body is too large"),
            Self::Broken => (StatusCode::BAD_REQUEST, "the request body could not be read"),
        };
        let body = format!(r#"{{"error":"invalid_request","error_description":"{description}"}}"#);
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn chunks(chunks: &[&'static str]) -> impl Body<Data = Bytes, Error = std::io::Error> {
        let frames: Vec<_> = chunks.iter().map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes())))).collect();
        StreamBody::new(stream::iter(frames))
    }

    #[tokio::test]
    async fn a_body_within_the_limit_is_collected_whole() {
        for pieces in [&["abc", "de"][..], &["", "abc", "", "d", "e"], &["abcde", ""]] {
            assert_eq!(collect(chunks(pieces), 5).await, Ok(Bytes::from_static(b"abcde")), "{pieces:?}");
        }
        assert_eq!(collect(Full::new(Bytes::from_static(b"abcde")), 5).await, Ok(Bytes::from_static(b"abcde")));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_413_whether_or_not_it_announced_its_length() {
        assert_eq!(collect(chunks(&["abc", "def"]), 5).await, Err(Unreadable::TooLarge));
        assert_eq!(collect(Full::new(Bytes::from_static(b"abcdef")), 5).await, Err(Unreadable::TooLarge));
        let response = Unreadable::TooLarge.response();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["error"], "invalid_request");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_400() {
        let frames = [Ok(Frame::data(Bytes::from_static(b"abc"))), Err(std::io::Error::other("reset"))];
        let broken = collect(StreamBody::new(stream::iter(frames)), 5).await;
        assert_eq!(broken, Err(Unreadable::Broken));
        assert_eq!(Unreadable::Broken.response().status(), StatusCode::BAD_REQUEST);
    }
}
