//! What the page looks like.

use askama::Template;
use bytes::Bytes;
use http::{Response, StatusCode};
use oauth_core::{
    client::{Client, ClientSecret, Developer, RedirectUri, metadata::ClientMetadata},
    clock::UnixTime,
    engine::registration::Registered,
    secret::Secret,
};

use super::{
    application::{Problem, Typed},
    terms::DeveloperTerms,
};
use crate::pages::views::render;

/// The form.
pub(super) struct Sheet<'a> {
    pub(super) site: &'a str,
    pub(super) user: &'a str,
    pub(super) action: &'a str,
    pub(super) csrf: &'a str,
    pub(super) typed: &'a Typed,
    pub(super) problems: &'a [Problem],
    pub(super) terms: Option<&'a DeveloperTerms>,
}

#[derive(Template)]
#[template(path = "developers/register.html")]
struct Form<'a> {
    sheet: &'a Sheet<'a>,
    name: Field<'a>,
    fields: Vec<Field<'a>>,
}

/// A field with a text in it.
struct Field<'a> {
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    /// The type of an `input`; lines of a `textarea` where it is empty.
    kind: &'static str,
    autocomplete: &'static str,
    required: bool,
    most: usize,
    value: &'a str,
    problems: Vec<&'a str>,
}

#[derive(Template)]
#[template(path = "developers/registered.html")]
struct Shown<'a> {
    site: &'a str,
    again: &'a str,
    name: &'a str,
    client: &'a Client,
    redirect_uris: &'a [RedirectUri],
    secret: Option<&'a str>,
    lifetime: Option<String>,
    management: Option<(&'a str, &'a str)>,
}

#[derive(Template)]
#[template(path = "developers/notice.html")]
struct Notice<'a> {
    site: &'a str,
    title: &'a str,
    text: &'a str,
    path: &'a str,
    link: Option<&'a str>,
    /// With the token of the form.
    sign_out: Option<&'a str>,
}

impl Sheet<'_> {
    pub(super) fn page(&self, status: StatusCode) -> Response<Bytes> {
        let title = if self.problems.is_empty() { "Register an application" } else { "Error: Register an application" };
        let form = Form { sheet: self, name: self.name(), fields: self.fields() };
        render(status, title, self.site, &form, None)
    }

    fn problems_at(&self, field: &str) -> Vec<&str> {
        self.problems.iter().filter(|problem| problem.field == field).map(|problem| &*problem.text).collect()
    }

    fn chose(&self, kind: &str) -> bool {
        self.typed.get("client_type") == kind
    }

    fn accepted(&self) -> bool {
        self.typed.get("terms") == "accepted"
    }

    fn name(&self) -> Field<'_> {
        let hint = "People see it when they are asked to allow access.";
        Field { required: true, ..self.field("application_name", "Name of the application", hint, "text") }
    }

    fn fields(&self) -> Vec<Field<'_>> {
        let url = |id, label, hint| Field { most: 2048, ..self.field(id, label, hint, "url") };
        let uris = "Where people are sent back to. One whole address to a line, as in https://app.example/callback, \
                    http://127.0.0.1/callback or com.example.app:/callback. They are compared letter by letter.";
        let logo = "The address of a picture. This server keeps it, and neither loads nor shows it.";
        let contact = "An email address where you can be reached about the application.";
        vec![
            Field { required: true, most: LONGEST_LIST, ..self.field("redirect_uris", "Redirect URIs", uris, "") },
            Field { autocomplete: "url", ..url("website", "Website", "People see its host when they are asked.") },
            Field {
                most: Developer::MAX_DESCRIPTION,
                ..self.field("description", "Description", "What the application does.", "")
            },
            url("logo", "Logo", logo),
            url("terms_of_service", "Terms of service", "The address of the terms of your application."),
            url("privacy_policy", "Privacy policy", "The address of the privacy policy of your application."),
            Field { autocomplete: "email", ..self.field("contact", "Contact", contact, "email") },
        ]
    }

    fn field(&self, id: &'static str, label: &'static str, hint: &'static str, kind: &'static str) -> Field<'_> {
        Field {
            id,
            label,
            hint,
            kind,
            autocomplete: "off",
            required: false,
            most: ClientMetadata::MAX_TEXT,
            value: self.typed.get(id),
            problems: self.problems_at(id),
        }
    }
}

/// As many redirect URIs of usual length as there can be.
const LONGEST_LIST: usize = ClientMetadata::MAX_REDIRECT_URIS * 1024;

impl Field<'_> {
    /// What describes it: its problems first, if there are any.
    fn described_by(&self) -> String {
        let problem = if self.problems.is_empty() { String::new() } else { format!("{}-problem ", self.id) };
        format!("{problem}{}-hint", self.id)
    }
}

/// The one page that has the secret.
pub(super) fn registered(site: &str, again: &str, registered: &Registered, now: UnixTime) -> Response<Bytes> {
    let client = &registered.client;
    let shown = Shown {
        site,
        again,
        name: client.name.as_deref().unwrap_or(client.id.as_str()),
        client,
        redirect_uris: &client.redirect_uris,
        secret: registered.secret.as_ref().map(Secret::expose),
        lifetime: client.secrets.last().and_then(ClientSecret::end).map(|end| in_words(now.until(end))),
        management: registered.token.as_ref().map(Secret::expose).zip(registered.uri.as_deref()),
    };
    render(StatusCode::OK, "Application registered", site, &shown, None)
}

/// Rounded down: nobody relies on the last hour of a secret.
fn in_words(seconds: u64) -> String {
    let (unit, count) = match seconds {
        0..120 => ("seconds", seconds),
        120..7200 => ("minutes", seconds / 60),
        7200..172_800 => ("hours", seconds / 3600),
        _ => ("days", seconds / 86_400),
    };
    format!("{count} {unit}")
}

/// The form was sent before.
pub(super) fn repeated(site: &str, path: &str) -> Response<Bytes> {
    let text = "This form was sent before, and nothing was registered this time. The client ID and the secret were \
                shown once, in the first answer, and cannot be shown again. If you have not seen them, register the \
                application anew: what was registered first is of no use to anybody.";
    notice(StatusCode::CONFLICT, site, "This form was sent already", text, path, Some("Register an application"))
}

/// The form is not of this page, this browser or this person.
pub(super) fn out_of_date(site: &str, path: &str) -> Response<Bytes> {
    let text = "Nothing was done. The page may have been open for long, or somebody has signed in or out meanwhile.";
    notice(StatusCode::FORBIDDEN, site, "This page is out of date", text, path, Some("Continue"))
}

/// The request is none that this page sends.
pub(super) fn unreadable(status: StatusCode, site: &str, path: &str) -> Response<Bytes> {
    let text = "Nothing was done. Open the page again to start anew.";
    notice(status, site, "This request cannot be read", text, path, Some("Continue"))
}

/// Whoever is signed in may not register applications.
pub(super) fn not_for_you(site: &str, path: &str, user: &str, csrf: &str) -> Response<Bytes> {
    let title = "You cannot register applications";
    let text = format!("You are signed in as {user}, who may not register applications at this server.");
    let notice = Notice { site, title, text: &text, path, link: None, sign_out: Some(csrf) };
    render(StatusCode::FORBIDDEN, title, site, &notice, None)
}

fn notice(status: StatusCode, site: &str, title: &str, text: &str, path: &str, link: Option<&str>) -> Response<Bytes> {
    render(status, title, site, &Notice { site, title, text, path, link, sign_out: None }, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_rounded_down() {
        let words = [(0, "0 seconds"), (119, "119 seconds"), (7199, "119 minutes"), (172_799, "47 hours")];
        for (seconds, text) in words.into_iter().chain([(172_800, "2 days"), (90 * 86_400 + 5, "90 days")]) {
            assert_eq!(in_words(seconds), text);
        }
    }
}
