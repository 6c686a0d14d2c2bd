//! What a developer typed, and what is wrong with it.

use oauth_core::{
    client::{
        Developer,
        metadata::{ClientMetadata, RegistrationError},
    },
    params::Params,
    server::AuthorizationServer,
};
use serde_json::{Map, Value, json};

use super::terms::DeveloperTerms;
use crate::pages::texts::{DeveloperProblemTexts, Fill};

/// The text that says that a rule is broken.
type Says = fn(&DeveloperProblemTexts) -> &str;

/// The fields that hold one short text each, the client metadata that comes of
/// them, and what to say of them.
const TEXTS: [(&str, &str, Says); 6] = [
    ("application_name", "client_name", |texts| &texts.name),
    ("website", "client_uri", |texts| &texts.website),
    ("logo", "logo_uri", |texts| &texts.logo),
    ("terms_of_service", "tos_uri", |texts| &texts.terms),
    ("privacy_policy", "policy_uri", |texts| &texts.policy),
    ("contact", "contacts", |texts| &texts.contact),
];

/// What stands in the form, as it was typed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    fields: Map<String, Value>,
}

/// What is wrong with one field; with none, if `field` is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) field: &'static str,
    pub(super) text: String,
}

impl Problem {
    pub(super) fn at(field: &'static str, text: impl Into<String>) -> Self {
        Self { field, text: text.into() }
    }

    /// A problem with the whole.
    pub(super) fn general(text: impl Into<String>) -> Self {
        Self::at("", text)
    }

    /// What the server does not take. Its text begins with the member at fault.
    pub(super) fn refused(texts: &DeveloperProblemTexts, error: &RegistrationError) -> Self {
        let text = error.to_string();
        let (member, what) = text.split_once(": ").unwrap_or(("", &text));
        let says = |says: &str, what: &str| Fill::new(says).with("reason", what).plain();
        match (TEXTS.iter().find(|(_, name, _)| *name == member), member) {
            (Some((field, _, of)), _) => Self::at(field, says(of(texts), what)),
            (None, "redirect_uris") => Self::at("redirect_uris", says(&texts.redirect_uris, what)),
            (None, "description") => Self::at("description", says(&texts.description, what)),
            (None, "token_endpoint_auth_method" | "grant_types") => Self::at("client_type", &*texts.kind),
            (None, _) => Self::general(says(&texts.other, &text)),
        }
    }
}

impl Typed {
    /// The fields of a form.
    pub(super) fn read(form: &Params) -> Self {
        let names = TEXTS.iter().map(|(field, ..)| *field);
        let names = names.chain(["client_type", "redirect_uris", "description", "terms"]);
        let field = |name: &str| Some((name.to_owned(), form.get(name)?.replace("\r\n", "\n").into()));
        Self { fields: names.filter_map(field).collect() }
    }

    /// What was typed into `field`.
    pub(super) fn get(&self, field: &str) -> &str {
        self.fields.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// What `subject` asks to be registered.
    pub(super) fn judge(
        &self,
        server: &AuthorizationServer,
        texts: &DeveloperProblemTexts,
        terms: Option<&DeveloperTerms>,
        subject: &str,
    ) -> Result<(ClientMetadata, Developer), Vec<Problem>> {
        let mut problems = Vec::new();
        let mut members = Map::new();
        self.judge_name_and_type(texts, &mut members, &mut problems);
        self.judge_redirect_uris((server, texts), &mut members, &mut problems);
        self.judge_texts((server, texts), &mut members, &mut problems);
        let mut developer = Developer::new(subject);
        match self.get("description").trim() {
            "" => {}
            text => match developer.clone().describing(text) {
                Ok(described) => developer = described,
                Err(error) => problems.push(Problem::refused(texts, &error)),
            },
        }
        if let Some(terms) = terms {
            developer = developer.accepted(&terms.version);
            if self.get("terms") != "accepted" {
                problems.push(Problem::at("terms", &*texts.terms_missing));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let metadata = read(server, members).map_err(|error| vec![Problem::refused(texts, &error)])?;
        Ok((metadata, developer))
    }

    fn judge_name_and_type(
        &self,
        texts: &DeveloperProblemTexts,
        members: &mut Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) {
        if self.get("application_name").trim().is_empty() {
            problems.push(Problem::at("application_name", &*texts.name_missing));
        }
        // OAuth 2.1 section 2.1: who can keep a secret is confidential.
        let method = match self.get("client_type") {
            "web" => "client_secret_basic",
            "app" => "none",
            _ => {
                problems.push(Problem::at("client_type", &*texts.kind_missing));
                return;
            }
        };
        members.insert("token_endpoint_auth_method".to_owned(), method.into());
        members.insert("grant_types".to_owned(), json!(["authorization_code", "refresh_token"]));
    }

    /// Each line is judged alone, so that every wrong one is named.
    fn judge_redirect_uris(
        &self,
        (server, texts): (&AuthorizationServer, &DeveloperProblemTexts),
        members: &mut Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) {
        const FIELD: &str = "redirect_uris";
        let lines = || self.get(FIELD).lines().enumerate().map(|(at, line)| (at, line.trim()));
        let uris: Vec<_> = lines().filter(|(_, line)| !line.is_empty()).collect();
        if uris.is_empty() {
            problems.push(Problem::at(FIELD, &*texts.redirect_uris_missing));
        } else if uris.len() > ClientMetadata::MAX_REDIRECT_URIS {
            let most = ClientMetadata::MAX_REDIRECT_URIS.to_string();
            let text = Fill::new(&texts.redirect_uris_many).with("count", &most).plain();
            problems.push(Problem::at(FIELD, text));
        } else {
            for (at, uri) in &uris {
                if let Err(error) = read(server, Map::from_iter([(FIELD.to_owned(), json!([uri]))])) {
                    let text = error.to_string();
                    let what = text.split_once(": ").map_or(&*text, |(_, what)| what);
                    let line = at.saturating_add(1).to_string();
                    let fill = Fill::new(&texts.redirect_uris_line).with("line", &line).with("reason", what);
                    problems.push(Problem::at(FIELD, fill.plain()));
                }
            }
        }
        members.insert(FIELD.to_owned(), uris.iter().map(|(_, uri)| *uri).collect());
    }

    fn judge_texts(
        &self,
        (server, texts): (&AuthorizationServer, &DeveloperProblemTexts),
        members: &mut Map<String, Value>,
        problems: &mut Vec<Problem>,
    ) {
        for (field, member, _) in TEXTS {
            let text = self.get(field).trim();
            if text.is_empty() {
                continue;
            }
            let value = if member == "contacts" { json!([text]) } else { text.into() };
            if let Err(error) = read(server, Map::from_iter([(member.to_owned(), value.clone())])) {
                problems.push(Problem::refused(texts, &error));
            }
            members.insert(member.to_owned(), value);
        }
    }
}

fn read(server: &AuthorizationServer, members: Map<String, Value>) -> Result<ClientMetadata, RegistrationError> {
    server.read_client_metadata(Value::Object(members).to_string().as_bytes())
}
