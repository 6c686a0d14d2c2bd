//! Whether the server did what the model expects. What it made is known to the model from then on.

use super::{
    ISSUED_BY, Jkts,
    call::Seen,
    model::{Access, Expected, Model},
};

impl Model {
    /// Compares an answer, and keeps the tokens in it.
    pub(super) fn agrees(&mut self, expected: &Expected, seen: &Seen, jkts: &Jkts) -> bool {
        match *expected {
            Expected::Refused(status, error) => {
                let said = seen.text("error");
                // Of two that ask at once too soon, one may hear what is as true.
                let as_good = self.at_once && error == "slow_down" && said == Some("authorization_pending");
                seen.status == status && (said == Some(error) || as_good)
            }
            Expected::Assertion(at) => {
                let text = |name| seen.text(name).unwrap_or_default().to_owned();
                (self.assertions[at].text, self.assertions[at].jti) = (text("assertion"), text("jti"));
                seen.status == 200
            }
            Expected::Begun(at) => {
                let text = |name| seen.text(name).unwrap_or_default().to_owned();
                (self.devices[at].code, self.devices[at].user_code) = (text("device_code"), text("user_code"));
                seen.status == 200 && !self.devices[at].code.is_empty()
            }
            Expected::Decided(yes) => seen.body == serde_json::json!({ "decided": yes }),
            Expected::Used(alive) => seen.body == serde_json::json!({ "active": alive }),
            Expected::Done => seen.status == 200 && seen.body.is_null(),
            Expected::Inactive => seen.status == 200 && seen.body == serde_json::json!({ "active": false }),
            Expected::Code(grant) => {
                let fresh = self.is_fresh(seen.text("code"));
                self.grants[grant].code = seen.text("code").unwrap_or_default().to_owned();
                fresh
            }
            Expected::Tokens { access, refresh } => seen.status == 200 && self.has_tokens(seen, access, refresh),
            Expected::ActiveAccess(at) => Self::describes(&self.access[at], seen, jkts),
            Expected::ActiveRefresh(at) => {
                let owner = self.grants[self.refresh[at].grant].owner.id();
                seen.body["active"] == true
                    && seen.text("client_id") == Some(owner)
                    && seen.text("scope") == Some("read write")
                    && seen.body["iss"] == ISSUED_BY
            }
        }
    }

    fn has_tokens(&mut self, seen: &Seen, access: usize, refresh: Option<usize>) -> bool {
        let one = &self.access[access];
        let kind = if one.key.is_some() { "DPoP" } else { "Bearer" };
        let told = seen.text("token_type") == Some(kind)
            && seen.text("scope") == Some(one.scope)
            && seen.body["expires_in"] == one.ends - self.now;
        let text = seen.text("access_token");
        let same = if one.text.is_empty() { self.is_fresh(text) } else { text == Some(&one.text) };
        self.access[access].text = text.unwrap_or_default().to_owned();
        let text = seen.text("refresh_token");
        let Some(refresh) = refresh else { return told && same && text.is_none() };
        let known = &self.refresh[refresh].text;
        let follows = if known.is_empty() { self.is_fresh(text) } else { text == Some(known) };
        self.refresh[refresh].text = text.unwrap_or_default().to_owned();
        told && same && follows
    }

    /// RFC 7662 section 2.2.
    fn describes(access: &Access, seen: &Seen, jkts: &Jkts) -> bool {
        let jkt = access.key.map(|key| jkts[usize::from(key)].as_str());
        let owner = access.client.id();
        seen.body["active"] == true
            && seen.text("scope") == Some(access.scope)
            && seen.text("client_id") == Some(owner)
            && seen.body["exp"] == access.ends
            && seen.body["cnf"]["jkt"].as_str() == jkt
    }

    /// Whether nobody has seen this before.
    fn is_fresh(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| !text.is_empty() && self.grant_of(text).is_none())
    }

    /// What an API is to find of each token: scope and key of an access token that lives. Nothing else is one.
    pub(super) fn living(&self, jkts: &Jkts) -> Vec<(String, Option<String>)> {
        let says = |access: &Access| {
            let jkt = access.key.map_or("none", |key| jkts[usize::from(key)].as_str());
            self.is_live(access).then(|| format!("{} key {jkt}", access.scope))
        };
        // Not where asking is what matters.
        let quiet = self.access.iter().filter(|access| !self.is_awaited(access));
        let access = quiet.map(|access| (access.text.clone(), says(access)));
        access.chain(self.refresh.iter().map(|refresh| (refresh.text.clone(), None))).collect()
    }

    /// In words, for whoever reads the script. Call it before [`Model::agrees`].
    pub(super) fn describe(&self, expected: &Expected) -> String {
        let token = |text: &str| if text.is_empty() { "a fresh token".to_owned() } else { text.to_owned() };
        match *expected {
            Expected::Refused(status, error) => format!("{status} {error}"),
            Expected::Done => "200, and nothing to read".to_owned(),
            Expected::Inactive => "active: false".to_owned(),
            Expected::Code(_) => "a code".to_owned(),
            Expected::Assertion(_) => "an assertion".to_owned(),
            Expected::Begun(_) => "codes".to_owned(),
            Expected::Decided(yes) => format!("decided: {yes}"),
            Expected::Used(alive) => format!("active: {alive}"),
            Expected::ActiveAccess(at) => {
                let access = &self.access[at];
                format!("active, for {}, until {}, key {:?}", access.scope, access.ends, access.key)
            }
            Expected::ActiveRefresh(_) => "active".to_owned(),
            Expected::Tokens { access, refresh } => {
                let one = &self.access[access];
                let refresh = refresh.map_or("no refresh token".to_owned(), |at| token(&self.refresh[at].text));
                let (ends, text) = (one.ends - self.now, token(&one.text));
                format!("200, {text} for {} for {ends} s, key {:?}; and {refresh}", one.scope, one.key)
            }
        }
    }
}
