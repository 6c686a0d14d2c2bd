//! `authorization_details` ([RFC 9396]) that permit an operation.
//!
//! [RFC 9396]: https://www.rfc-editor.org/rfc/rfc9396

use serde_json::Value;

/// What one of a token's `authorization_details` must permit (RFC 9396 sections
/// 2.2 and 9). One object must permit all of it: pieces of several do not add
/// up.
///
/// What the object does not say, it does not permit: an operation that asks for
/// an action is not met by an object without `actions`.
///
/// ```
/// use oauth_tower::resource::{Detail, Policy};
///
/// let read_balance = Policy::new().detail(
///     Detail::of_type("account_information").action("read_balances").location("https://api.example/accounts"),
/// );
/// # drop(read_balance);
/// ```
///
/// Where the request decides what is asked for, hold the token to it in the
/// handler:
///
/// ```
/// use oauth_tower::resource::{Detail, Policy, Refusal, ValidatedToken};
///
/// fn see_account(token: &ValidatedToken, account: &str) -> Result<(), Refusal> {
///     token.require(&Policy::new().detail(Detail::of_type("account_information").identifier(account)))
/// }
/// # let _ = see_account;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Detail {
    kind: String,
    /// Members that must have these in their arrays.
    listed: Vec<(&'static str, String)>,
    identifier: Option<String>,
}

impl Detail {
    /// An object of this `type`, compared byte for byte (RFC 9396 section 2).
    pub fn of_type(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), listed: Vec::new(), identifier: None }
    }

    /// With this among its `actions`. Called again: with that as well.
    pub fn action(self, action: impl Into<String>) -> Self {
        self.listing("actions", action)
    }

    /// With this among its `locations`: the resource server, say, that is asked.
    pub fn location(self, location: impl Into<String>) -> Self {
        self.listing("locations", location)
    }

    /// With this among its `datatypes`.
    pub fn datatype(self, datatype: impl Into<String>) -> Self {
        self.listing("datatypes", datatype)
    }

    /// With this among its `privileges`.
    pub fn privilege(self, privilege: impl Into<String>) -> Self {
        self.listing("privileges", privilege)
    }

    /// About the resource of this `identifier`.
    pub fn identifier(mut self, identifier: impl Into<String>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    fn listing(mut self, member: &'static str, value: impl Into<String>) -> Self {
        self.listed.push((member, value.into()));
        self
    }

    /// Whether one of `details` permits it.
    pub(super) fn is_among(&self, details: &[Value]) -> bool {
        details.iter().any(|detail| self.is_permitted_by(detail))
    }

    fn is_permitted_by(&self, detail: &Value) -> bool {
        let is = |member: &str, text: &str| detail.get(member).and_then(Value::as_str) == Some(text);
        is("type", &self.kind)
            && self.identifier.as_deref().is_none_or(|identifier| is("identifier", identifier))
            && self.listed.iter().all(|(member, text)| lists(detail.get(member), text))
    }
}

fn lists(member: Option<&Value>, text: &str) -> bool {
    member.and_then(Value::as_array).is_some_and(|items| items.iter().any(|item| item.as_str() == Some(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // spec: RS-37
    #[test]
    fn one_object_must_permit_all_that_is_asked_for() {
        let wanted = Detail::of_type("account").action("read").action("list").location("https://a").identifier("7");
        let good =
            json!({ "type": "account", "actions": ["list", "read"], "locations": ["https://a"], "identifier": "7" });
        assert!(wanted.is_among(&[json!({ "type": "other" }), good.clone()]));
        for (member, other) in [
            ("type", json!("Account")),
            ("type", json!(["account"])),
            ("actions", json!(["read"])),
            ("actions", json!("read list")),
            ("actions", json!(null)),
            ("locations", json!(["https://a/"])),
            ("locations", json!([])),
            ("identifier", json!(7)),
            ("identifier", json!("77")),
        ] {
            let mut bad = good.clone();
            bad[member] = other;
            assert!(!wanted.is_among(&[bad.clone()]), "{bad}");
        }
        let mut halves = [good.clone(), good];
        halves[0]["actions"] = json!(["read"]);
        halves[1]["actions"] = json!(["list"]);
        assert!(!wanted.is_among(&halves), "two halves are no whole");
        assert!(!wanted.is_among(&[]) && !wanted.is_among(&[json!("account"), json!(null)]));
    }

    #[test]
    fn privileges_and_datatypes_are_lists_too() {
        let wanted = Detail::of_type("t").privilege("admin").datatype("contacts");
        assert!(
            wanted.is_among(&[json!({ "type": "t", "privileges": ["admin"], "datatypes": ["contacts", "photos"] })])
        );
        assert!(!wanted.is_among(&[json!({ "type": "t", "privileges": ["admin"] })]));
        assert!(!wanted.is_among(&[json!({ "type": "t", "datatypes": ["contacts"] })]));
    }
}
