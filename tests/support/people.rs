//! Who signs in: alice and bob, with one password.

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
        let known = ["alice", "bob"].contains(&username) && password.expose() == PASSWORD;
        Ok(known.then(|| User::new(username)))
    }
}

impl Subjects for People {
    fn is_active<'a>(&'a self, _subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(async { Ok(true) })
    }
}
