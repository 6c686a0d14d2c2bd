//! The registration page for developers.

mod consent;
mod fields;
mod protection;
mod register;
mod sign_in;

use std::sync::Arc;

use oauth_axum_rs::pages::{DeveloperTerms, Developers};
use oauth_core::{client::Client, engine::registration::RegistrationSettings};

use super::that;
use crate::support::*;

const PATH: &str = "/developers/register";

/// A form that has no mistakes, of an application that can keep a secret.
const GOOD: [(&str, &str); 4] =
    [("application_name", "Notes"), ("client_type", "web"), ("redirect_uris", CALLBACK), ("terms", "accepted")];

/// A server with the page, and terms to accept.
async fn world(set: impl Fn(RegistrationSettings) -> RegistrationSettings) -> World {
    with_page(that(set).await)
}

fn with_page(w: World) -> World {
    let terms = DeveloperTerms::at("https://as.example/terms?a&b", "2026-11").unwrap();
    served(w, Developers::new().terms(terms))
}

fn served(w: World, developers: Developers) -> World {
    w.with_pages(|pages| pages.developers(developers).unwrap())
}

/// Signs in as `user` before the page, from where the browser is: what it shows.
async fn sign_in(browser: &mut Browser, user: &str) -> Answer {
    let page = browser.get(PATH).await;
    let mut fields = fields_of(&page, "sign_in");
    fields.extend([("username".into(), user.into()), ("password".into(), PASSWORD.into())]);
    assert_eq!(browser.submit(PATH, &fields).await.location(), PATH);
    browser.get(PATH).await
}

/// A browser in which alice sees the form, and the form.
async fn form(w: &World) -> (Browser, Answer) {
    let mut browser = Browser::new(w);
    let page = sign_in(&mut browser, "alice").await;
    assert_eq!(page.status, 200, "{page}");
    (browser, page)
}

/// Sends the form on `page`, filled in.
async fn send(browser: &mut Browser, page: &Answer, typed: &[(&str, &str)]) -> Answer {
    let mut fields = fields_of(page, "register");
    fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    browser.submit(PATH, &fields).await
}

/// `GOOD`, with other values.
fn good_but<'a>(others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = GOOD.into_iter().filter(|(name, _)| !others.iter().any(|(other, _)| other == name));
    kept.chain(others.iter().copied()).collect()
}

/// The text of the element `id`, if there is one.
fn text(page: &Answer, id: &str) -> Option<String> {
    let (_, rest) = page.body.split_once(&format!(" id=\"{id}\""))?;
    let (_, rest) = rest.split_once('>')?;
    Some(unescape(rest.split_once('<')?.0))
}

/// What the element `id` says is wrong with its field.
fn problem(page: &Answer, field: &str) -> String {
    let Some((_, rest)) = page.body.split_once(&format!(" id=\"{field}-problem\">")) else { return String::new() };
    unescape(&rest.split_once("</div>").unwrap().0.replace("<p>", "").replace("</p>", " ")).trim().to_owned()
}

/// The client that `page` is about, as it proves itself.
#[track_caller]
fn caller(page: &Answer) -> Caller {
    assert_eq!(page.status, 200, "{page}");
    let id = text(page, "client_id").unwrap_or_else(|| panic!("{page}")).leak();
    match text(page, "client_secret") {
        Some(secret) => Caller::Basic(id, secret.leak()),
        None => Caller::Public(id),
    }
}

/// What is kept of the client.
async fn client(w: &World, caller: Caller) -> Arc<Client> {
    w.server.client(&caller.client_id()).await.unwrap().unwrap()
}
