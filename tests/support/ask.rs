//! An authorization request, complete unless a test changes it.

use super::{CALLBACK, CHALLENGE, Caller};

#[derive(Clone, Debug)]
pub(crate) struct Ask(Vec<(String, String)>);

impl Ask {
    /// What `caller` asks: everything that must be there, and nothing else.
    pub(crate) fn of(caller: Caller) -> Self {
        Self(Vec::new())
            .with("response_type", "code")
            .with("client_id", caller.id())
            .with("redirect_uri", CALLBACK)
            .with("code_challenge", CHALLENGE)
            .with("code_challenge_method", "S256")
    }

    /// With `name` set to `value`, once.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// With one more `name`.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(own, _)| own != name);
        self
    }

    /// Form-encoded: a query or a body.
    pub(crate) fn form(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    pub(crate) fn uri(&self) -> String {
        format!("/authorize?{}", self.form())
    }
}
