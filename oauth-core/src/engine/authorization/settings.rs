//! What the authorization endpoint accepts.

use std::collections::HashMap;

use super::{DefaultScope, Prompt, PushedRequests, RequestObjects, ResponseMode};
use crate::{
    client::ClientId,
    engine::detail_types::{DetailType, DetailTypes},
};

/// What the authorization endpoint accepts, and how it answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthorizationSettings {
    /// How answers may travel: all modes unless changed. A client that does not
    /// say gets [`ResponseMode::Query`], which is always there.
    pub response_modes: Vec<ResponseMode>,
    /// `prompt_values_supported`: all but [`Prompt::Create`] unless changed. Any
    /// other value is an `invalid_request`.
    pub prompts: Vec<Prompt>,
    /// Whether [`Prompt::Create`], where it is none of the prompts, is passed over: the
    /// person signs in. It is an `invalid_request` unless changed (Prompt Create 1.0
    /// section 4.1); the profile of Matrix changes it.
    pub passes_over_create: bool,
    /// `acr_values_supported`: the ways to sign in that the host tells apart, as
    /// it names them in [`Approval::acr`]; none unless changed.
    ///
    /// [`Approval::acr`]: crate::engine::interaction::Approval::acr
    pub acr_values: Vec<String>,
    /// Whether a sign-in in none of the ways that a client names in
    /// `acr_values` is an error: `unmet_authentication_requirements`. It is
    /// unless changed, since a client asks for what some API will not do
    /// without (RFC 9470 section 3). Where it is not, `acr_values` are a wish, and
    /// the token says what came of it.
    pub acr_values_are_essential: bool,
    /// `ui_locales_supported`: the languages of the host's pages, as tags of BCP
    /// 47; none unless changed. What a client wants of them is in
    /// [`Interaction::ui_locales`].
    ///
    /// [`Interaction::ui_locales`]: crate::engine::interaction::Interaction::ui_locales
    pub ui_locales: Vec<String>,
    /// How long ago a sign-in may be, in seconds, where the client sets no
    /// `max_age`: any time unless changed.
    pub default_max_age: Option<u64>,
    /// What a client asks for that names no scope.
    pub default_scope: DefaultScope,
    /// The same, for single clients.
    pub client_default_scopes: HashMap<ClientId, DefaultScope>,
    /// How long a person's consent is remembered, in seconds from when they
    /// gave it: 90 days unless changed; 0 remembers nothing, and forgets what
    /// was remembered.
    pub consent_lifetime: u64,
    /// Which pushed requests are taken.
    pub pushed: PushedRequests,
    /// Which signed requests are taken.
    pub request_objects: RequestObjects,
    /// The types of authorization details that are known (RFC 9396): none unless
    /// [`AuthorizationSettings::detail_type`] is called, and then there are no
    /// authorization details at all.
    pub detail_types: DetailTypes,
}

impl Default for AuthorizationSettings {
    fn default() -> Self {
        Self {
            response_modes: ResponseMode::ALL.to_vec(),
            pushed: PushedRequests::default(),
            request_objects: RequestObjects::default(),
            detail_types: DetailTypes::default(),
            prompts: Prompt::ALL.into_iter().filter(|prompt| *prompt != Prompt::Create).collect(),
            passes_over_create: false,
            acr_values: Vec::new(),
            acr_values_are_essential: true,
            ui_locales: Vec::new(),
            default_max_age: None,
            default_scope: DefaultScope::default(),
            client_default_scopes: HashMap::new(),
            consent_lifetime: 90 * 24 * 3600,
        }
    }
}

impl AuthorizationSettings {
    /// Takes authorization details of the type `name` (RFC 9396 section 5).
    pub fn detail_type(&mut self, name: impl Into<String>, one: impl DetailType) {
        self.detail_types.insert(name.into(), one);
    }

    /// Whether a request with `prompt` is a good one.
    pub(super) fn takes(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt) || prompt == Prompt::Create && self.passes_over_create
    }

    /// Whether answers may travel in `mode`.
    pub(crate) fn offers(&self, mode: ResponseMode) -> bool {
        mode == ResponseMode::Query || self.response_modes.contains(&mode)
    }
}
