//! The host's page where people make accounts.

use http::request::Parts;
use oauth_core::{
    engine::{authorization::Prompt, interaction::Interaction},
    params::Params,
};

use super::{
    Pages,
    interaction::{id_parameter, is_fresh},
    signed_in::SignedIn,
    users::Users,
    visit::Visit,
};

impl<U: Users> Pages<U> {
    /// Sends whoever comes to make an account (`prompt=create`, [Prompt Create 1.0]) to
    /// `path`, a path of this server, with `?id=`, even if they are signed in. Without
    /// this they sign in as others do.
    ///
    /// Once somebody has an account there, sign them in ([`BuiltInSessions::begin`], or your own
    /// session layer) and send them back to [`AuthorizationServer::interaction_url`]
    /// of that `id`, with `&registered=1`; likewise whoever says that they have one already.
    ///
    /// Clients hear of it once [`Prompt::Create`] is among [`AuthorizationSettings::prompts`]:
    ///
    /// ```
    /// use std::sync::Arc;
    /// use axum::{Form, extract::{Query, State}, response::{IntoResponse, Redirect}};
    /// use http::{HeaderMap, StatusCode, header::SET_COOKIE};
    /// use oauth_axum_rs::{AuthorizationServer, pages::{BuiltInSessions, Pages, PasswordUsers, User}};
    /// use oauth_axum_rs::oauth_core::engine::authorization::Prompt;
    /// # async fn pages() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = AuthorizationServer::builder("https://auth.example")
    ///     .authorization(|settings| settings.prompts.push(Prompt::Create))
    ///     .build()
    ///     .await?;
    /// let pages = Pages::new(&server, PasswordUsers::default()).registration_at("/sign-up");
    /// # drop(pages);
    /// # Ok(())
    /// # }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Which { id: String }
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Wanted { csrf: String, name: String }
    ///
    /// /// What the form on your page sends.
    /// async fn sign_up(
    ///     State((server, sessions)): State<(AuthorizationServer, Arc<BuiltInSessions>)>,
    ///     Query(which): Query<Which>,
    ///     headers: HeaderMap,
    ///     Form(wanted): Form<Wanted>,
    /// ) -> Result<impl IntoResponse, StatusCode> {
    ///     let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    ///     let request = server.interaction(&which.id, &headers).await.map_err(unavailable)?;
    ///     if !request.is_some_and(|request| request.csrf_matches(&wanted.csrf)) {
    ///         return Err(StatusCode::FORBIDDEN);
    ///     }
    ///     // Make the account here; its subject is never anybody else's.
    ///     let user = User::new("user-4711").name(&wanted.name);
    ///     let session = sessions.begin(&headers, &user, &wanted.name, &which.id).await.map_err(unavailable)?;
    ///     let back = format!("{}&registered=1", server.interaction_url(&which.id));
    ///     Ok(([(SET_COOKIE, session)], Redirect::to(&back)))
    /// }
    /// ```
    ///
    /// [`BuiltInSessions::begin`]: super::BuiltInSessions::begin
    /// [`AuthorizationServer::interaction_url`]: oauth_core::server::AuthorizationServer::interaction_url
    /// [Prompt Create 1.0]: https://openid.net/specs/openid-connect-prompt-create-1_0.html
    /// [`Prompt::Create`]: oauth_core::engine::authorization::Prompt::Create
    /// [`AuthorizationSettings::prompts`]: oauth_core::engine::authorization::AuthorizationSettings::prompts
    #[must_use]
    pub fn registration_at(mut self, path: impl Into<String>) -> Self {
        self.inner.registration_path = Some(path.into());
        self
    }
}

impl<U: Users> Visit<'_, U> {
    /// Where somebody makes an account before anything else (Prompt Create 1.0 section 4), until
    /// they are back from there or have signed in for this.
    pub(super) fn registration_for(
        &self,
        interaction: &Interaction,
        session: Option<&SignedIn>,
        parts: &Parts,
    ) -> Option<String> {
        let path = self.registration_path.as_ref().filter(|_| self.auto_approve.is_none())?;
        let query = Params::parse(parts.uri.query().unwrap_or_default()).unwrap_or_default();
        let done = query.get("registered").is_some() || session.is_some_and(|session| is_fresh(interaction, session));
        let wanted = interaction.prompt().contains(&Prompt::Create) && !done;
        wanted.then(|| format!("{path}?{}", id_parameter(interaction)))
    }
}
