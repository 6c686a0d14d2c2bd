//! Who calls: the clients that every test server knows, and how each proves itself.

use oauth_core::client::{AuthMethod, Client, ClientId, ClientSecret, GrantType};

/// The server's identifier, and the resources it issues tokens for: the first is the default.
pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const API: &str = "https://api.example";
pub(crate) const OTHER_API: &str = "https://other.example";
/// This one takes JWTs.
pub(crate) const JWT_API: &str = "https://jwt.example";

/// Where codes go.
pub(crate) const CALLBACK: &str = "https://app.example/cb";

/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client as it presents itself to a back-channel endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Caller {
    /// `client_id` in the body.
    Public(&'static str),
    /// HTTP Basic.
    Basic(&'static str, &'static str),
    /// `client_id` and `client_secret` in the body.
    Post(&'static str, &'static str),
    /// Says nothing about itself.
    Nobody,
}

/// A public client with codes and refresh tokens.
pub(crate) const APP: Caller = Caller::Public("app");
/// Another one.
pub(crate) const OTHER_APP: Caller = Caller::Public("other-app");
/// A public client without refresh tokens.
pub(crate) const BRIEF: Caller = Caller::Public("brief");
/// A confidential client that may use every grant, with HTTP Basic.
pub(crate) const WEB: Caller = Caller::Basic("web", "web-secret-7Xk2");
/// A confidential client that may use every grant, with its secret in the body.
pub(crate) const FORM: Caller = Caller::Post("form", "form-secret-9Qz4");
/// The resource server at [`API`].
pub(crate) const RESOURCE_SERVER: Caller = Caller::Basic("api", "api-secret-1Lm8");
/// May introspect everyone's access tokens.
pub(crate) const AUDITOR: Caller = Caller::Basic("auditor", "auditor-secret-5Rt0");

impl Caller {
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Public(id) | Self::Basic(id, _) | Self::Post(id, _) => id,
            Self::Nobody => "",
        }
    }

    pub(crate) fn client_id(self) -> ClientId {
        ClientId::new(self.id()).unwrap()
    }
}

/// Everyone above.
pub(crate) fn registered() -> Vec<Client> {
    let secret = |caller| match caller {
        Caller::Basic(_, secret) | Caller::Post(_, secret) => ClientSecret::new(&secret.into()),
        Caller::Public(_) | Caller::Nobody => panic!("{caller:?} has no secret"),
    };
    let app = |caller: Caller| Client::builder(caller.id()).redirect_uri(CALLBACK).scope("read write admin");
    let every_grant = |caller| {
        let client = app(caller).secret(secret(caller)).grant_type(GrantType::CLIENT_CREDENTIALS);
        client.grant_type(GrantType::AUTHORIZATION_CODE).grant_type(GrantType::REFRESH_TOKEN)
    };
    let service = |caller: Caller| Client::builder(caller.id()).secret(secret(caller));
    let clients = [
        app(APP).grant_type(GrantType::REFRESH_TOKEN).name("The App"),
        app(OTHER_APP).grant_type(GrantType::REFRESH_TOKEN),
        app(BRIEF),
        every_grant(WEB),
        every_grant(FORM).auth_method(AuthMethod::ClientSecretPost),
        service(RESOURCE_SERVER),
        service(AUDITOR),
    ];
    clients.into_iter().map(|client| client.build().unwrap()).collect()
}
