//! What `[[clients]]` say about themselves.

use oauth_core::client::{ClientProfile, metadata::ClientMetadata};
use serde_json::{Map, Value, json};

use super::reader::Reader;

/// Each member is judged alone, as one that registers, so that every wrong one
/// is named.
pub(super) fn read(table: &mut Reader<'_>) -> ClientProfile {
    let mut profile = ClientProfile::default();
    profile.client_uri = member(table, "client_uri", |profile| profile.client_uri);
    profile.logo_uri = member(table, "logo_uri", |profile| profile.logo_uri);
    profile.tos_uri = member(table, "tos_uri", |profile| profile.tos_uri);
    profile.policy_uri = member(table, "policy_uri", |profile| profile.policy_uri);
    profile.software_id = member(table, "software_id", |profile| profile.software_id);
    profile.software_version = member(table, "software_version", |profile| profile.software_version);
    let contacts: Vec<(String, String)> = table.list("contacts");
    for (key, contact) in contacts {
        let judged = judge(table, &key, "contacts", json!([contact]));
        profile.contacts.extend(judged.into_iter().flat_map(|profile| profile.contacts));
    }
    profile
}

fn member(table: &mut Reader<'_>, name: &str, of: fn(ClientProfile) -> Option<String>) -> Option<String> {
    let value: String = table.take(name)?;
    judge(table, name, name, value.into()).and_then(of)
}

/// The library's message begins with the member.
fn judge(table: &Reader<'_>, key: &str, member: &str, value: Value) -> Option<ClientProfile> {
    let document = Value::Object(Map::from_iter([(member.to_owned(), value)])).to_string();
    match ClientMetadata::parse(document.as_bytes()) {
        Ok(metadata) => Some(metadata.profile),
        Err(error) => {
            let message = error.to_string();
            table.wrong(key, message.split_once(": ").map_or(&*message, |(_, what)| what));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::report::Report;

    fn profile(text: &str) -> Result<ClientProfile, Vec<String>> {
        let report = Report::default();
        let profile = read(&mut Reader::new(text.parse().unwrap(), &report));
        report.finish(profile).map_err(|found| found.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_a_client_says_of_itself_is_kept() {
        let read = profile(
            "client_uri = \"https://app.example/\"\nlogo_uri = \"https://app.example/a.png\"\n\
             tos_uri = \"https://app.example/t\"\npolicy_uri = \"https://app.example/p\"\n\
             contacts = [\"ada@app.example\", \"+1 555 0100\"]\nsoftware_id = \"s\"\nsoftware_version = \"1.2\"",
        )
        .unwrap();
        assert_eq!(read.client_uri.as_deref(), Some("https://app.example/"));
        assert_eq!(read.logo_uri.as_deref(), Some("https://app.example/a.png"));
        assert_eq!(read.tos_uri.as_deref(), Some("https://app.example/t"));
        assert_eq!(read.policy_uri.as_deref(), Some("https://app.example/p"));
        assert_eq!(read.contacts, ["ada@app.example", "+1 555 0100"]);
        assert_eq!((read.software_id.as_deref(), read.software_version.as_deref()), (Some("s"), Some("1.2")));
        assert_eq!(profile(""), Ok(ClientProfile::default()));
    }

    #[test]
    fn each_mistake_is_named_by_its_key() {
        let mut found = profile(
            "client_uri = \"javascript:alert(1)\"\nlogo_uri = 1\ntos_uri = \"https://a@b.example/\"\n\
             policy_uri = \"/policy\"\ncontacts = [\"ada\", \"a\\nb\", 3]\nsoftware_id = \"\\u202e\"",
        )
        .unwrap_err();
        found.sort();
        let url = "must be an http or https URL without a user name";
        let control = "has control characters in it";
        assert_eq!(
            found,
            [
                &*format!("client_uri: {url}"),
                "contacts[1]: has control characters in it",
                "contacts[2]: must be a string, not a whole number",
                "logo_uri: must be a string, not a whole number",
                &*format!("policy_uri: {url}"),
                &*format!("software_id: {control}"),
                &*format!("tos_uri: {url}"),
            ]
        );
    }
}
