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
use crate::pages::{
    texts::{DeveloperTexts, Fill, Html},
    views::render,
    visit::Look,
};

/// The form.
pub(super) struct Sheet<'a> {
    pub(super) look: Look<'a>,
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
    label: &'a str,
    hint: &'a str,
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
    look: Look<'a>,
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
    look: Look<'a>,
    title: &'a str,
    text: Html,
    path: &'a str,
    link: Option<&'a str>,
    /// With the token of the form.
    sign_out: Option<&'a str>,
}

impl Sheet<'_> {
    pub(super) fn page(&self, status: StatusCode) -> Response<Bytes> {
        let title = &self.look.texts.developers.title;
        let form = Form { sheet: self, name: self.name(), fields: self.fields() };
        match self.problems {
            [] => render(status, title, self.look, &form, None),
            _ => render(status, &self.look.error_title(title), self.look, &form, None),
        }
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

    fn web_hint(&self) -> Html {
        Fill::new(&self.look.texts.developers.web_hint).code("method", "client_secret_basic").html()
    }

    fn accept(&self, terms: &DeveloperTerms) -> Html {
        let texts = &self.look.texts.developers;
        match terms.uri() {
            Some(uri) => Fill::new(&texts.accept).link("terms", "", uri, &texts.accept_link).html(),
            None => Fill::new(&texts.accept_above).html(),
        }
    }

    fn name(&self) -> Field<'_> {
        let texts = &self.look.texts.developer_fields;
        Field { required: true, ..self.field("application_name", &texts.name, &texts.name_hint, "text") }
    }

    fn fields(&self) -> Vec<Field<'_>> {
        let texts = &self.look.texts.developer_fields;
        let url = |id, label, hint| Field { most: 2048, ..self.field(id, label, hint, "url") };
        let uris = self.field("redirect_uris", &texts.redirect_uris, &texts.redirect_uris_hint, "");
        let description = self.field("description", &texts.description, &texts.description_hint, "");
        vec![
            Field { required: true, most: LONGEST_LIST, ..uris },
            Field { autocomplete: "url", ..url("website", &texts.website, &texts.website_hint) },
            Field { most: Developer::MAX_DESCRIPTION, ..description },
            url("logo", &texts.logo, &texts.logo_hint),
            url("terms_of_service", &texts.terms, &texts.terms_hint),
            url("privacy_policy", &texts.policy, &texts.policy_hint),
            Field { autocomplete: "email", ..self.field("contact", &texts.contact, &texts.contact_hint, "email") },
        ]
    }

    fn field<'a>(&'a self, id: &'static str, label: &'a str, hint: &'a str, kind: &'static str) -> Field<'a> {
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

impl Shown<'_> {
    fn title(&self) -> Html {
        Fill::new(&self.look.texts.developers.registered_title).name("client", self.name).html()
    }

    fn secret_label(&self) -> Html {
        let texts = &self.look.texts.developers;
        match &self.lifetime {
            Some(lifetime) => Fill::new(&texts.secret_for).with("lifetime", lifetime).html(),
            None => Fill::new(&texts.secret).html(),
        }
    }

    fn without_secret(&self) -> Html {
        Fill::new(&self.look.texts.developers.use_pkce).code("method", "S256").html()
    }
}

/// The one page that has the secret.
pub(super) fn registered(look: Look<'_>, again: &str, registered: &Registered, now: UnixTime) -> Response<Bytes> {
    let client = &registered.client;
    let lifetime = client.secrets.last().and_then(ClientSecret::end).map(|end| now.until(end));
    let shown = Shown {
        look,
        again,
        name: client.name.as_deref().unwrap_or(client.id.as_str()),
        client,
        redirect_uris: &client.redirect_uris,
        secret: registered.secret.as_ref().map(Secret::expose),
        lifetime: lifetime.map(|seconds| in_words(&look.texts.developers, seconds)),
        management: registered.token.as_ref().map(Secret::expose).zip(registered.uri.as_deref()),
    };
    render(StatusCode::OK, &look.texts.developers.registered, look, &shown, None)
}

/// Rounded down: nobody relies on the last hour of a secret.
pub(super) fn in_words(texts: &DeveloperTexts, seconds: u64) -> String {
    let (text, count) = match seconds {
        0..120 => (&texts.seconds, seconds),
        120..7200 => (&texts.minutes, seconds / 60),
        7200..172_800 => (&texts.hours, seconds / 3600),
        _ => (&texts.days, seconds / 86_400),
    };
    Fill::new(text).with("count", &count.to_string()).plain()
}

/// The form was sent before.
pub(super) fn repeated(look: Look<'_>, path: &str) -> Response<Bytes> {
    let texts = &look.texts.developers;
    notice(StatusCode::CONFLICT, look, (&texts.repeated, &texts.repeated_text), path, &texts.title)
}

/// The form is not of this page, this browser or this person.
pub(super) fn out_of_date(look: Look<'_>, path: &str) -> Response<Bytes> {
    let texts = &look.texts.message;
    let what = (&*texts.out_of_date, &*texts.out_of_date_text);
    notice(StatusCode::FORBIDDEN, look, what, path, &look.texts.common.go_on)
}

/// The request is none that this page sends.
pub(super) fn unreadable(status: StatusCode, look: Look<'_>, path: &str) -> Response<Bytes> {
    let what = (&*look.texts.message.unreadable, &*look.texts.developers.unreadable_text);
    notice(status, look, what, path, &look.texts.common.go_on)
}

/// Whoever is signed in may not register applications.
pub(super) fn not_for_you(look: Look<'_>, path: &str, user: &str, csrf: &str) -> Response<Bytes> {
    let texts = &look.texts.developers;
    let text = Fill::new(&texts.refused_text).name("user", user).html();
    let notice = Notice { look, title: &texts.refused, text, path, link: None, sign_out: Some(csrf) };
    render(StatusCode::FORBIDDEN, &texts.refused, look, &notice, None)
}

fn notice(status: StatusCode, look: Look<'_>, what: (&str, &str), path: &str, link: &str) -> Response<Bytes> {
    let (title, text) = (what.0, Fill::new(what.1).html());
    render(status, title, look, &Notice { look, title, text, path, link: Some(link), sign_out: None }, None)
}
