//! `[[users]]` and `[consent]`.

use oauth_core::secret::Secret;

use super::reader::Reader;

/// Someone who can sign in on the built-in page.
#[derive(Clone, Debug)]
pub struct User {
    /// `username`.
    pub username: String,
    /// `password` or `password_hash`.
    pub password: Password,
}

/// What a password is compared with.
#[derive(Clone, Debug)]
pub enum Password {
    /// Itself: in development only.
    Plain(Secret),
    /// A hash in PHC form.
    Hash(String),
}

pub(super) fn read(top: &mut Reader<'_>, development: bool) -> Vec<User> {
    let mut users: Vec<User> = Vec::new();
    for mut table in top.sections("users") {
        let Some(user) = read_user(&mut table, development) else { continue };
        if users.iter().any(|other| other.username == user.username) {
            table.wrong("username", "is the name of another user too");
        }
        users.push(user);
    }
    users
}

fn read_user(table: &mut Reader<'_>, development: bool) -> Option<User> {
    let username: Option<String> = table.require("username");
    if username.as_deref() == Some("") {
        table.wrong("username", "must not be empty");
    }
    table.not_built("admin", &[false]);
    let plain: Option<Secret> = table.take("password");
    let hash: Option<String> = table.take("password_hash");
    if plain.is_some() && !development {
        table.wrong("password", "plain passwords need `development = true`; use `password_hash`");
    }
    if hash.as_ref().is_some_and(|hash| !hash.starts_with("$argon2")) {
        table.wrong("password_hash", "must be an Argon2 hash in PHC form, which begins with $argon2id$");
    }
    let password = match (plain, hash) {
        (Some(_), Some(_)) => {
            table.wrong("password_hash", "contradicts `password`: have one of them");
            return None;
        }
        (Some(plain), None) => Password::Plain(plain),
        (None, Some(hash)) => Password::Hash(hash),
        (None, None) => {
            table.wrong("password_hash", "is missing");
            return None;
        }
    };
    Some(User { username: username?, password })
}

/// The user whose consent is taken for granted.
pub(super) fn read_consent(top: &mut Reader<'_>, development: bool, users: &[User]) -> Option<String> {
    let mut consent = top.section("consent");
    let name: String = consent.take("auto_approve").filter(|name: &String| !name.is_empty())?;
    if !development {
        consent.wrong("auto_approve", "needs `development = true`");
    }
    if !users.iter().any(|user| user.username == name) && !consent.blames("users[") {
        consent.wrong("auto_approve", "is not the name of one of `users`");
    }
    Some(name)
}
