//! Redirect URIs as Matrix's clients have them ("Redirect URI validation").

use crate::{
    client::{Client, RedirectUri},
    server::AuthorizationServer,
};

impl AuthorizationServer {
    /// The registered redirect URI that `requested` is. For Matrix, the port of
    /// `http://localhost` is free as those of the loopback addresses are.
    pub(crate) fn registered<'c>(&self, client: &'c Client, requested: &str) -> Option<&'c RedirectUri> {
        let found = client.redirect_uri(requested);
        if found.is_some() || !self.is_matrix() {
            return found;
        }
        client
            .redirect_uris
            .iter()
            .find(|registered| around_port(requested).is_some_and(|asked| asked == registered.as_str()))
    }
}

/// `http://localhost:PORT/path` without its port.
fn around_port(text: &str) -> Option<String> {
    let rest = text.strip_prefix("http://localhost:")?;
    let (port, _) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    let path = rest.strip_prefix(port)?;
    let is_port = !port.starts_with('0') && port.parse::<u16>().is_ok();
    (is_port && path.starts_with('/')).then(|| format!("http://localhost{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_port_is_left_out() {
        assert_eq!(around_port("http://localhost:8000/cb?x").as_deref(), Some("http://localhost/cb?x"));
        for bad in ["http://localhost/cb", "http://localhost:/cb", "http://localhost:0/cb", "http://localhost:8@x/cb"] {
            assert_eq!(around_port(bad), None, "{bad}");
        }
        assert_eq!(around_port("http://localhost:70000/cb"), None);
        assert_eq!(around_port("https://localhost:1/cb"), None);
    }
}
