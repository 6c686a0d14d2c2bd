//! What every page a person sees has in common: its headers, its look, and
//! the error page (OAuth 2.1 section 9.16; RFC 9700 section 4.16).
//!
//! A page here is one HTML document without scripts, and nothing in it is
//! loaded: the style is inline and known to the policy by its hash.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use zeroize::Zeroizing;

use crate::{error::OAuthError, secret::Digest};

/// The style of the pages: the only content a `<style>` element may have.
const STYLE: &str = include_str!("page.css");

/// All the script there is.
const SUBMIT: &str = "document.forms[0].submit()";

/// Everything but `form-action`.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Digest::of(&[STYLE.as_bytes()]).as_bytes());
    format!("default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'")
});

/// Which way a language is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// As English is.
    #[default]
    LeftToRight,
    /// As Arabic and Hebrew are.
    RightToLeft,
}

/// A whole English document around `main`, which is HTML already. `title` is
/// text.
///
/// ```
/// use oauth_core::endpoint::page;
/// let page = page::document("Sign in", "<h1>Sign in</h1>");
/// assert!(page.contains("<main><h1>Sign in</h1></main>"));
/// ```
#[must_use]
pub fn document(title: &str, main: &str) -> String {
    document_in("en", Direction::LeftToRight, title, main)
}

/// The same in another language: `lang` is its tag (BCP 47).
///
/// ```
/// use oauth_core::endpoint::page::{self, Direction};
/// let page = page::document_in("ar", Direction::RightToLeft, "\u{62a}", "<h1>\u{62a}</h1>");
/// assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">"));
/// ```
#[must_use]
pub fn document_in(lang: &str, direction: Direction, title: &str, main: &str) -> String {
    let (lang, title) = (escape(lang), escape(title));
    let dir = match direction {
        Direction::LeftToRight => "",
        Direction::RightToLeft => " dir=\"rtl\"",
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\"{dir}>\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>{main}</main>\n</body>\n</html>\n"
    )
}

/// Answers with the document `body`, and with every header a page needs.
///
/// `redirect_origin` is where the answer to a form on this page may redirect:
/// the origin (`https://app.example`) or scheme (`com.example.app:`) of a
/// registered redirect URI. Without it, forms stay on this server.
#[must_use]
pub fn html(status: StatusCode, body: String, redirect_origin: Option<&str>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, policy(redirect_origin));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The address names an interaction: keep it here (RFC 9700 section 4.2.4).
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A page that posts `fields` to `action`, a registered redirect URI of `origin`
/// ([OAuth 2.0 Form Post Response Mode] section 2). Its script is the only one
/// that any page here has, and the policy knows it by its hash; without
/// scripts, the person presses the button. It is in English: most see it for the
/// blink of an eye.
///
/// [OAuth 2.0 Form Post Response Mode]: https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html
pub(crate) fn post_page(action: &str, origin: &str, fields: &[(&'static str, Zeroizing<String>)]) -> Response<Bytes> {
    let field = |(name, value): &(&str, Zeroizing<String>)| {
        // A line break in an attribute would be sent as another one.
        let value = escape(value).replace('\r', "&#13;").replace('\n', "&#10;");
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
    };
    let fields: String = fields.iter().map(field).collect();
    let main = format!(
        "<h1>Back to the application</h1><form method=\"post\" action=\"{}\">{fields}\
         <p>If nothing happens, press the button.</p><button id=\"continue\">Continue</button></form>\
         <script>{SUBMIT}</script>",
        escape(action),
    );
    let mut response = html(StatusCode::OK, document("Back to the application", &main), Some(origin));
    let script = STANDARD.encode(Digest::of(&[SUBMIT.as_bytes()]).as_bytes());
    let policy = format!("{}; script-src 'sha256-{script}'{}", *POLICY, form_action(Some(origin)));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page for a request whose client or redirect URI cannot be trusted, and
/// which is therefore never redirected (OAuth 2.1 section 4.1.2.1). It is in
/// English, as its error is.
#[must_use]
pub fn error_page(error: &OAuthError) -> Response<Bytes> {
    // What was sent is shown as text, never as a link (RFC 9700 section 4.11).
    let main = format!(
        "<h1>This request cannot go on</h1>\
         <p>The application that sent you here made a request that this server does not accept. \
         Nothing was shared with it.</p>\
         <p>Go back to the application and try again. If that does not help, tell its makers:</p>\
         <div class=\"panel\"><dl><dt>Error</dt><dd><code>{}</code></dd><dt>Reason</dt><dd>{}</dd></dl></div>",
        escape(error.code().as_str()),
        escape(error.description()),
    );
    html(StatusCode::BAD_REQUEST, document("This request cannot go on", &main), None)
}

/// `text` for an HTML text or a quoted attribute.
///
/// ```
/// use oauth_core::endpoint::page::escape;
/// assert_eq!(escape("<b class='x'>&\""), "&lt;b class=&#39;x&#39;&gt;&amp;&quot;");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn policy(redirect_origin: Option<&str>) -> HeaderValue {
    let policy = format!("{}{}", *POLICY, form_action(redirect_origin));
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

/// Browsers hold the redirect after a form's POST to form-action, and Chromium
/// every redirect after that one: where a client sends its user next is its own
/// affair. A website goes on to others over https; a program on this machine
/// goes on to a website, so that for it the directive is left out.
fn form_action(redirect_origin: Option<&str>) -> String {
    match redirect_origin.and_then(source) {
        None => "; form-action 'self'".to_owned(),
        Some(origin) if origin.starts_with("http:") => String::new(),
        Some(origin) if origin.starts_with("https:") => format!("; form-action 'self' {origin} https:"),
        Some(scheme) => format!("; form-action 'self' {scheme}"),
    }
}

/// `origin` as a source expression of Content Security Policy Level 3, which
/// has no syntax for IPv6 hosts: there the scheme stands for it.
fn source(origin: &str) -> Option<&str> {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b":/.-+_~[]".contains(&b);
    let origin = match origin.find("//[") {
        Some(scheme) => origin.get(..scheme)?,
        None => origin,
    };
    (origin.contains(':') && origin.bytes().all(harmless)).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_of(origin: Option<&str>) -> String {
        let page = html(StatusCode::OK, document("t", ""), origin);
        page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned()
    }

    // spec: AUZ-22
    #[test]
    fn no_page_can_be_framed() {
        let page = error_page(&OAuthError::invalid_request("x"));
        assert_eq!(page.headers()[X_FRAME_OPTIONS], "DENY");
        assert!(policy_of(None).contains("; frame-ancestors 'none'"));
    }

    // spec: AUZ-22
    #[test]
    fn forms_stay_here_or_lead_to_the_validated_origin() {
        assert!(policy_of(None).ends_with("; form-action 'self'"));
        assert!(
            policy_of(Some("https://a.example:8443")).ends_with("; form-action 'self' https://a.example:8443 https:")
        );
        assert!(policy_of(Some("com.example.app:")).ends_with("; form-action 'self' com.example.app:"));
        for loopback in ["http://127.0.0.1:81", "http://[::1]:81"] {
            assert!(!policy_of(Some(loopback)).contains("form-action"));
        }
        for bad in ["https://a.example; script-src *", "https://a.example *", "'unsafe-inline'", "*", "https://a,b"] {
            assert!(policy_of(Some(bad)).ends_with("; form-action 'self'"), "{bad}");
        }
    }

    // spec: AUZ-23
    #[test]
    fn pages_run_nothing_load_nothing_and_stay_out_of_caches_and_referrers() {
        let page = error_page(&OAuthError::invalid_request("x"));
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        assert_eq!(page.headers()[REFERRER_POLICY], "no-referrer");
        assert_eq!(page.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(page.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn the_policy_knows_the_style_by_its_hash_and_the_style_loads_nothing() {
        let page = document("t", "");
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = STANDARD.encode(Digest::of(&[style.as_bytes()]).as_bytes());
        assert!(policy_of(None).contains(&format!("'sha256-{hash}'")));
        assert!(!style.contains("url(") && !style.contains("@import") && !style.contains('<') && !style.contains('\r'));
    }

    #[test]
    fn the_error_page_shows_the_error_escaped_and_leads_nowhere() {
        let page = error_page(&OAuthError::invalid_request("<a href=https://evil.example>'\"&"));
        assert_eq!(page.status(), StatusCode::BAD_REQUEST);
        assert!(!page.headers().contains_key(http::header::LOCATION));
        let body = std::str::from_utf8(page.body()).unwrap();
        assert!(body.contains("invalid_request") && body.contains("&lt;a href=https://evil.example&gt;"));
        assert!(!body.contains("<a") && !body.contains("href=\""));
    }
}
