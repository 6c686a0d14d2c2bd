//! The cookies of one server, beside those of others on its host.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue};

use super::AuthorizationServer;
use crate::{cookie, secret::Digest};

impl AuthorizationServer {
    /// The value of this server's cookie `base`, as [`cookie::read`] finds it.
    #[must_use]
    pub fn cookie<'h>(&self, headers: &'h HeaderMap, base: &str) -> Option<&'h str> {
        cookie::read(headers, &cookie::name(&self.own(base), self.is_development()))
    }

    /// A `Set-Cookie` value for this server's cookie `base`, as [`cookie::write`]
    /// makes it: `max_age` in seconds, 0 to remove it, `None` for as long as the
    /// browser runs.
    ///
    /// ```
    /// # use oauth_core::server::AuthorizationServer;
    /// # futures_util::FutureExt::now_or_never(async {
    /// let server = AuthorizationServer::builder("https://as.example").build().await?;
    /// assert!(server.set_cookie("pages", "v", None).to_str()?.starts_with("__Host-pages=v;"));
    /// // One that shares its host has names of its own.
    /// let server = AuthorizationServer::builder("https://as.example/a").build().await?;
    /// assert!(server.set_cookie("pages", "v", None).to_str()?.starts_with("__Host-pages-"));
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).ok_or("pending")??;
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn set_cookie(&self, base: &str, value: &str, max_age: Option<u64>) -> HeaderValue {
        cookie::write(&self.own(base), value, max_age, self.is_development())
    }

    /// A `__Host-` cookie is sent to every path of its host, and so to every issuer
    /// there (RFC 8414 section 3.1 lets many share one): whoever signs in at one
    /// would be signed out at the other.
    fn own(&self, base: &str) -> String {
        let path = self.issuer_path();
        if path.is_empty() {
            return base.to_owned();
        }
        let digest = Digest::of(&[b"cookies of ", path.as_bytes()]);
        let [a, b, c, d, e, f, ..] = *digest.as_bytes();
        format!("{base}-{}", URL_SAFE_NO_PAD.encode([a, b, c, d, e, f]))
    }
}
