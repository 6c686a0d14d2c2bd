//! What can be wrong with the settings of a server.

use crate::{
    client::{ClientId, GrantType},
    engine::fault::Fault,
};

/// Why a server cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// RFC 8414 section 2.
    #[error("issuer: must be an https URL without query, fragment, user name or slash at the end")]
    Issuer,
    /// Plain http outside development.
    #[error("issuer: plain http is for a loopback address in development mode only")]
    Cleartext,
    /// A store that outlives the process needs a root secret that does too.
    #[error("root_secret: a store other than memory needs one that is kept")]
    RootSecretMissing,
    /// RFC 8707 section 2.
    #[error("resources: `{0}` is not an absolute URI without fragment, or is named twice")]
    Resource(String),
    /// Two clients with one identifier.
    #[error("clients: `{0}` is named twice")]
    Client(ClientId),
    /// A client whose method is not among those that are offered.
    #[error("clients: `{client}` uses {method}, which is not offered")]
    ClientMethod {
        /// The client.
        client: ClientId,
        /// Its method.
        method: &'static str,
    },
    /// A client whose tokens cannot be bound as it is registered.
    #[error("clients: the tokens of `{0}` can only be bound to something that is not taken here")]
    ClientTokens(ClientId),
    /// A client whose introspection responses would be signed with an algorithm that
    /// is not offered (RFC 9701 section 6).
    #[error("clients: `{0}` wants introspection responses that are signed in a way that is not offered")]
    ClientIntrospection(ClientId),
    /// A setting of revocation that contradicts another one, or the mode.
    #[error("revocation.{setting}: {why}")]
    Revocation {
        /// The setting.
        setting: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// A lifetime outside its bounds.
    #[error("{0}: out of bounds")]
    Lifetime(&'static str),
    /// [`Rotation::UntilFirstUse`](crate::engine::policy::Rotation::UntilFirstUse)
    /// beside a resource that takes JWTs, and judges them by itself.
    #[error(
        "tokens.rotation: until_first_use needs to see each token used, and `{0}` takes JWTs, which are judged elsewhere"
    )]
    Rotation(String),
    /// A path that does not start with a slash.
    #[error("interaction_path: must start with `/` and hold no `?` or `#`")]
    InteractionPath,
    /// A path that does not start with a slash.
    #[error("device.verification_path: must start with `/` and hold no `?` or `#`")]
    VerificationPath,
    /// A peer of Reciprocal OAuth occurs more than once.
    #[error("reciprocal.peers: `{0}` is named twice")]
    ReciprocalPeer(ClientId),
    /// Proofs are required, and none can be given.
    #[error("dpop.required: needs an algorithm of proofs")]
    NoProofs,
    /// Client ID Metadata Documents are taken, and nothing is fetched.
    #[error("registration.client_id_metadata_documents: need a fetcher, and there is none")]
    NothingFetched,
    /// A grant type that is there already, or is no absolute URI (OAuth 2.1 section
    /// 4.3).
    #[error("grant: `{}` is there already, or is not an absolute URI", .0.as_str())]
    GrantType(GrantType),
    /// A setting that contradicts the [profile](crate::profile).
    #[error("{setting}: {why}")]
    Profile {
        /// The setting.
        setting: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// A grant that cannot work here.
    #[error("grant: `{}` {what}", name.as_str())]
    Grant {
        /// Its type.
        name: GrantType,
        /// What is wrong.
        what: String,
    },
    /// The store or the signing keys failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}
