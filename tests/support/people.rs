//! Who signs in, with one password: alice and bob, and grace, who does it in the way `gold`.

use oauth_axum_rs::pages::{User, Users};
use oauth_core::{
    engine::{
        fault::Fault,
        policy::{HostFuture, Subjects},
    },
    secret::Secret,
};

pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";

#[derive(Clone, Copy, Debug)]
pub(crate) struct People;

impl Users for People {
    async fn sign_in(&self, username: &str, password: &Secret) -> Result<Option<User>, Fault> {
        let user = match username {
            "alice" | "bob" => User::new(username),
            "grace" => User::new(username).acr("gold"),
            _ => return Ok(None),
        };
        Ok((password.expose() == PASSWORD).then_some(user))
    }
}

impl Subjects for People {
    fn is_active<'a>(&'a self, _subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(async { Ok(true) })
    }
}
