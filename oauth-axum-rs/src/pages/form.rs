//! What the forms of the pages send back.

use axum::body::{Body, to_bytes};
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts};
use oauth_core::params::Params;

/// The most bytes one of these forms may have.
const LIMIT: usize = 16 * 1024;

/// The fields of a form that this server's own pages sent; otherwise the
/// status to refuse it with.
pub(super) async fn read(parts: &Parts, body: Body) -> Result<Params, StatusCode> {
    read_up_to(LIMIT, parts, body).await
}

/// The same, of a form that may have `limit` bytes.
pub(super) async fn read_up_to(limit: usize, parts: &Parts, body: Body) -> Result<Params, StatusCode> {
    if is_cross_site(&parts.headers) {
        return Err(StatusCode::FORBIDDEN);
    }
    if !is_form(&parts.headers) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = to_bytes(body, limit).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let form = std::str::from_utf8(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let params = Params::parse(form).map_err(|_| StatusCode::BAD_REQUEST)?;
    params.refuse_repeated().map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(params)
}

/// Whether the browser says that another site's page sent this. A second line
/// of defense: the token in the form is the first. `Origin` would not do, as
/// pages with `Referrer-Policy: no-referrer` send it as `null`.
fn is_cross_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
