//! `[[users]]` and `[consent]`.

use oauth_axum_rs::{Secret, pages::PasswordUsers};

use super::{clients::Clients, reader::Reader};

/// Those who can sign in on the built-in page, and all names that were
/// written; `None` is one that could not be read.
#[derive(Debug, Default)]
pub(super) struct Users {
    pub(super) all: PasswordUsers,
    names: Vec<Option<String>>,
    people: Vec<(String, bool)>,
}

impl Users {
    pub(super) fn read(top: &mut Reader<'_>, clients: &Clients, development: bool) -> Self {
        let mut users = Self::default();
        for mut table in top.sections("users") {
            users.add(&mut table, clients, development);
        }
        users
    }

    fn add(&mut self, table: &mut Reader<'_>, clients: &Clients, development: bool) {
        let admin = table.or("admin", false);
        let name: Option<String> = table.require("username");
        if name.as_deref() == Some("") {
            table.wrong("username", "must not be empty");
        }
        if name.is_some() && self.names.contains(&name) {
            table.wrong("username", "is the name of another user too");
        }
        // RFC 9700 section 4.15: neither may pass for the other.
        if name.as_deref().is_some_and(|name| clients.is_named(name)) {
            table.wrong("username", "is the client_id of one of `clients` too");
        }
        self.names.push(name.clone());
        self.people.extend(name.clone().map(|name| (name, admin)));
        self.add_password(table, &name.unwrap_or_default(), development);
    }

    /// Their names, and whether they may moderate.
    pub(super) fn people(&self) -> &[(String, bool)] {
        &self.people
    }

    fn add_password(&mut self, table: &mut Reader<'_>, name: &str, development: bool) {
        let plain: Option<Secret> = table.take("password");
        let hash: Option<String> = table.take("password_hash");
        match (plain, hash) {
            (Some(_), Some(_)) => table.wrong("password_hash", "contradicts `password`: have one of them"),
            (Some(_), None) if !development => {
                table.wrong("password", "plain passwords need `development = true`; use `password_hash`");
            }
            (Some(plain), None) => self.all = self.all.clone().insecure_plain(name, plain),
            (None, Some(hash)) => match self.all.clone().user(name, &hash) {
                Ok(all) => self.all = all,
                Err(error) => table.wrong("password_hash", error),
            },
            (None, None) if table.blames("password") || table.blames("password_hash") => {}
            (None, None) => table.missing("password_hash"),
        }
    }

    /// The user whose consent is taken for granted.
    pub(super) fn read_consent(&self, top: &mut Reader<'_>, development: bool) -> Option<String> {
        let mut consent = top.section("consent");
        let name: String = consent.take("auto_approve").filter(|name: &String| !name.is_empty())?;
        if !development {
            consent.wrong("auto_approve", "needs `development = true`");
        }
        let found = |known: &Option<String>| known.as_ref().is_none_or(|known| *known == name);
        if !self.names.iter().any(found) {
            consent.wrong("auto_approve", "is not the name of one of `users`");
        }
        Some(name)
    }
}
