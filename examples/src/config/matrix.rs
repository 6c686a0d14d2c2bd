//! `profile`, and `[matrix]`.

use oauth_axum_rs::{Secret, matrix::Appservice};
use oauth_core::{
    matrix::{API, ServerName, UNSTABLE_API, UserId},
    scope::Scope,
};
use regex::Regex;
use url::Url;

use super::{Limits, Registration, listen::Listen, reader::Reader};
use crate::homeserver::{User, Users};

/// `profile`: what absent keys mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Profile {
    #[default]
    Oauth21,
    Matrix,
}

impl Profile {
    pub(super) fn read(top: &mut Reader<'_>) -> Self {
        let known = [("oauth21", Some(Self::Oauth21)), ("matrix", Some(Self::Matrix)), ("fapi2", None), ("mcp", None)];
        top.choice("profile", &known).unwrap_or_default()
    }

    /// What clients may ask for beyond what `[[resources]]` declare.
    pub(super) fn scope(self) -> Scope {
        let known = [API, UNSTABLE_API].join(" ");
        if self.is_matrix() { known.parse().unwrap_or_default() } else { Scope::empty() }
    }

    pub(super) fn is_matrix(self) -> bool {
        self == Self::Matrix
    }
}

/// `[matrix]`, where it is the profile.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// `server_name`.
    pub server_name: String,
    /// `oauth`.
    pub oauth: bool,
    /// `homeserver_url`, where `synapse` is on.
    pub homeserver: Option<Url>,
    /// `introspection_secret`.
    pub introspection_secret: Option<Secret>,
    /// `legacy_query_token`.
    pub legacy_query_token: bool,
    /// `[[matrix.appservices]]`.
    pub appservices: Vec<Appservice>,
    /// The accounts: those of `[[users]]`.
    pub users: Users,
    /// `limits.client_server_per_second`.
    pub per_second: u32,
}

impl Matrix {
    /// `None` where the profile is another one. `people`: the users and whether they moderate.
    pub(super) fn read(
        top: &mut Reader<'_>,
        profile: Profile,
        listen: &Listen,
        limits: &Limits,
        registration: &Registration,
        people: &[(String, bool)],
    ) -> Option<Self> {
        if profile.is_matrix() && !registration.open {
            top.wrong("registration.open", "is off, and in Matrix every client registers itself");
        }
        let mut section = top.section("matrix");
        let server_name: String = section.or("server_name", "localhost".to_owned());
        if ServerName::new(&server_name).is_err() {
            section.wrong("server_name", "is no name of a homeserver");
        }
        let introspection_secret = section.take::<Secret>("introspection_secret").filter(|it| !it.expose().is_empty());
        let homeserver = read_homeserver(&mut section, listen.development);
        if homeserver.is_some() && introspection_secret.is_none() {
            section.missing("introspection_secret");
        }
        let oauth = section.or("oauth", true);
        let legacy_query_token = section.or("legacy_query_token", false);
        let appservices = section.sections("appservices");
        let appservices: Vec<Appservice> =
            appservices.into_iter().enumerate().filter_map(|(at, table)| read_appservice(at, table)).collect();
        if !profile.is_matrix() {
            if introspection_secret.is_some() || homeserver.is_some() || !appservices.is_empty() {
                section.wrong("introspection_secret", "needs `profile = \"matrix\"`, as all of `[matrix]`");
            }
            return None;
        }
        for (name, _) in people {
            let fits = if homeserver.is_some() { synapse_takes(name) } else { UserId::new(name, &server_name).is_ok() };
            if !fits {
                top.wrong("users", format_args!("`{name}` cannot be the name of a Matrix user"));
            }
        }
        let users = Users::default();
        people.iter().for_each(|(name, admin)| users.insert(name, User { admin: *admin, ..User::default() }));
        Some(Self {
            server_name,
            oauth,
            homeserver,
            introspection_secret,
            legacy_query_token,
            appservices,
            users,
            per_second: limits.client_server_per_second,
        })
    }
}

/// For whom Synapse makes an account ("User identifiers", and its own rules).
fn synapse_takes(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._=-/+".contains(&byte);
    name.bytes().all(known) && !name.starts_with('_') && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// `homeserver_url`, with `synapse = true`.
fn read_homeserver(section: &mut Reader<'_>, development: bool) -> Option<Url> {
    let synapse = section.or("synapse", false);
    let url: Option<String> = section.take("homeserver_url").filter(|url: &String| !url.is_empty());
    let url = match (synapse, url) {
        (false, _) => return None,
        (true, None) => {
            section.missing("homeserver_url");
            return None;
        }
        (true, Some(url)) => Url::parse(&url).ok(),
    };
    let good = url.filter(|url| url.scheme() == "https" || development && url.scheme() == "http");
    if good.is_none() {
        section.wrong("homeserver_url", "must be an https URL, or http with `development = true`");
    }
    good
}

fn read_appservice(at: usize, mut table: Reader<'_>) -> Option<Appservice> {
    let token: Option<Secret> = table.require("as_token");
    let sender: Option<String> = table.require("sender_localpart");
    let users: Option<String> = table.take("users");
    let users = match users.as_deref().map(Regex::new).transpose() {
        Ok(users) => users,
        Err(error) => {
            table.wrong("users", error);
            None
        }
    };
    let service = Appservice::new(format!("appservice {at}"), token?, sender?);
    Some(match users {
        Some(users) => service.users(move |user| is_whole(&users, user.as_str())),
        None => service,
    })
}

/// Over the full user id: what matches a part of it is none.
fn is_whole(users: &Regex, user: &str) -> bool {
    users.find(user).is_some_and(|found| found.len() == user.len())
}
