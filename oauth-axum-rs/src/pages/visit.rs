//! One request for one of the pages, and how they look to whoever sends it.

use std::{ops::Deref, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, request::Parts};
use oauth_core::{engine::fault::Fault, event::Event};

use super::{Inner, texts::Texts, users::Users, views};

/// What every page has: this server's host, and texts in a language.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    /// The host that people know the server by.
    pub(super) site: &'a str,
    pub(super) texts: &'a Texts,
}

/// The pages, as one request sees them.
pub(super) struct Visit<'a, U> {
    inner: &'a Inner<U>,
    pub(super) look: Look<'a>,
}

impl<U> Inner<U> {
    /// The path of the pages; the issuer's own path is part of it.
    pub(super) fn path(&self) -> String {
        format!("{}{}", self.server.issuer_path(), self.server.interaction_path())
    }

    pub(super) fn sign_out_path(&self) -> String {
        format!("{}/sign-out", self.path().trim_end_matches('/'))
    }

    /// What the browser that sent `headers` is shown.
    pub(super) fn visit(&self, headers: &HeaderMap) -> Visit<'_, U> {
        let look = Look { site: views::site(&self.server), texts: self.languages.choose(&[], headers) };
        Visit { inner: self, look }
    }
}

impl<U> Visit<'_, U> {
    /// Goes on in the language of a request that has `ui_locales`.
    pub(super) fn speak(&mut self, ui_locales: &[String], parts: &Parts) {
        self.look.texts = self.inner.languages.choose(ui_locales, &parts.headers);
    }

    /// The page, or what a fault looks like. Its cause is for operators.
    pub(super) fn answer(&self, page: Result<http::Response<Bytes>, Fault>) -> Response {
        let page = page.unwrap_or_else(|fault| {
            self.server.tell(&Event::Fault { error: &fault });
            views::unavailable(self.look)
        });
        page.map(Body::from)
    }
}

impl<U> Deref for Visit<'_, U> {
    type Target = Inner<U>;

    fn deref(&self) -> &Inner<U> {
        self.inner
    }
}

type Context<U> = State<Arc<Inner<U>>>;

pub(super) async fn show<U: Users>(State(inner): Context<U>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut visit = inner.visit(&parts.headers);
    let page = visit.show(&parts).await;
    visit.answer(visit.in_use(&parts.headers, page))
}

pub(super) async fn decide<U: Users>(State(inner): Context<U>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut visit = inner.visit(&parts.headers);
    let page = visit.decide(&parts, body).await;
    visit.answer(visit.in_use(&parts.headers, page))
}

pub(super) async fn show_sign_out<U: Users>(State(inner): Context<U>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = inner.visit(&parts.headers);
    visit.answer(visit.show_sign_out(&parts).await)
}

pub(super) async fn sign_out<U: Users>(State(inner): Context<U>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let visit = inner.visit(&parts.headers);
    visit.answer(visit.sign_out(&parts, body).await)
}
