//! The host's own word on registrations.

use std::net::IpAddr;

use super::{statement::SoftwareStatement, terms::Terms};
use crate::{
    client::{
        Client, ClientId,
        metadata::{ClientMetadata, RegistrationError},
    },
    engine::policy::HostFuture,
};

/// Decides who is registered, and as what.
///
/// ```
/// use oauth_core::{
///     client::{GrantType, metadata::RegistrationError},
///     engine::{policy::HostFuture, registration::{RegistrationPolicy, RegistrationRequest, Terms}},
/// };
/// /// Partners, known by their software statement, may act for themselves.
/// #[derive(Debug)]
/// struct Partners;
/// impl RegistrationPolicy for Partners {
///     fn decide<'a>(
///         &'a self,
///         request: &'a RegistrationRequest<'a>,
///         mut terms: Terms,
///     ) -> HostFuture<'a, Result<Terms, RegistrationError>> {
///         Box::pin(async move {
///             let Some(statement) = request.statement else {
///                 return Ok(Err(RegistrationError::UnapprovedSoftwareStatement("software_statement: is missing".into())));
///             };
///             if statement.issuer == "https://partners.example" {
///                 terms.metadata.grant_types.push(GrantType::CLIENT_CREDENTIALS);
///             }
///             Ok(Ok(terms))
///         })
///     }
/// }
/// ```
pub trait RegistrationPolicy: std::fmt::Debug + Send + Sync + 'static {
    /// What is registered, where `request` asks for it and the settings of the
    /// server would make it `terms`: these or others, narrower or wider. They
    /// are checked once more; what does not fit together is refused.
    ///
    /// A refusal is told to the client. A failure is 503, and registers nothing.
    fn decide<'a>(
        &'a self,
        request: &'a RegistrationRequest<'a>,
        terms: Terms,
    ) -> HostFuture<'a, Result<Terms, RegistrationError>>;

    /// Whether `client`, whose registration access token is right, may do this
    /// (RFC 7592 section 2.1); if not, 403. It may if this is not implemented.
    fn may_manage<'a>(&'a self, client: &'a Client, action: Management) -> HostFuture<'a, bool> {
        let (_, _) = (client, action);
        Box::pin(std::future::ready(Ok(true)))
    }
}

impl<P: RegistrationPolicy + ?Sized> RegistrationPolicy for std::sync::Arc<P> {
    fn decide<'a>(
        &'a self,
        request: &'a RegistrationRequest<'a>,
        terms: Terms,
    ) -> HostFuture<'a, Result<Terms, RegistrationError>> {
        (**self).decide(request, terms)
    }

    fn may_manage<'a>(&'a self, client: &'a Client, action: Management) -> HostFuture<'a, bool> {
        (**self).may_manage(client, action)
    }
}

/// What a client wants to do with its registration (RFC 7592 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Management {
    /// GET.
    Read,
    /// PUT.
    Replace,
    /// DELETE.
    Delete,
}

/// A registration that is asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistrationRequest<'a> {
    /// What the client asks for, well-formed. Where a software statement claims
    /// something, that stands here.
    pub metadata: &'a ClientMetadata,
    /// On what authority.
    pub origin: &'a RegistrationOrigin,
    /// The software statement, if there is one: verified.
    pub statement: Option<&'a SoftwareStatement>,
    /// Where the request came from, if that is known.
    pub address: Option<IpAddr>,
    /// The client as it is, where its registration is to be replaced.
    pub client: Option<&'a Client>,
}

/// On what authority somebody registers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationOrigin {
    /// None: registration is open.
    Open,
    /// An initial access token.
    InitialAccess {
        /// Whose it is, if [`InitialAccessTokens`](super::InitialAccessTokens)
        /// said so.
        holder: Option<String>,
    },
    /// The registration access token of the client itself.
    Management,
    /// The host's own.
    Host,
    /// A person who is signed in with the host, on a page for developers.
    Developer {
        /// Who they are: the `sub` of their tokens.
        subject: String,
    },
    /// None: nobody registers. The client describes itself in a document
    /// ([`RegistrationSettings::client_id_metadata_documents`](super::RegistrationSettings::client_id_metadata_documents)).
    /// The policy is asked whenever the client sends something.
    MetadataDocument {
        /// The URL of the document, which is the client's identifier.
        client: ClientId,
    },
}
