//! `profile`, and `[matrix]`.

mod appservices;
pub(super) mod rules;
mod secrets;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use oauth_axum_rs::{Secret, matrix::Appservice};
use oauth_core::{
    matrix::{API, ServerName, UNSTABLE_API, UserId},
    scope::Scope,
};
use url::Url;

use super::{
    Limits, Mistakes,
    listen::{Listen, StoreKind},
    reader::Reader,
};
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
    /// `catch_up_seconds`; `None` where that is off.
    pub catch_up: Option<Duration>,
    /// `introspection_secret`.
    pub introspection_secret: Option<Secret>,
    /// `legacy_query_token`.
    pub legacy_query_token: bool,
    /// `[[matrix.appservices]]`.
    pub appservices: Vec<Appservice>,
    /// The accounts: those of `[[users]]`, with their marks in `accounts_file`, if there is one.
    pub users: Users,
    /// `limits.client_server_per_second`.
    pub per_second: u32,
}

/// What `[matrix]` has to do with.
pub(super) struct Around<'c> {
    pub(super) profile: Profile,
    pub(super) listen: &'c Listen,
    pub(super) limits: &'c Limits,
    /// Where relative paths begin.
    pub(super) folder: &'c Path,
    /// `None` after a mistake.
    pub(super) store: Option<&'c StoreKind>,
    /// The users, and whether they moderate.
    pub(super) people: &'c [(String, bool)],
}

impl Matrix {
    /// `None` where the profile is another one.
    pub(super) fn read(top: &mut Reader<'_>, around: &Around<'_>) -> Option<Self> {
        let development = around.listen.development;
        let unused = top.has("matrix") && !around.profile.is_matrix();
        if unused && !development && !top.blames("profile") {
            top.wrong("matrix", "needs `profile = \"matrix\"`");
        }
        let mut section = top.section("matrix");
        let server_name: String = section.or("server_name", "localhost".to_owned());
        let named = ServerName::new(&server_name).is_ok();
        if !named {
            section.wrong("server_name", "is no name of a homeserver");
        }
        let introspection_secret = secrets::read_introspection(&mut section, development);
        let synapse = section.or("synapse", false);
        let homeserver = read_homeserver(&mut section, synapse, development);
        if synapse && introspection_secret.is_none() && !section.blames("introspection_secret") {
            section.missing("introspection_secret");
        }
        let catch_up = section.number("catch_up_seconds", 3600, 0..=86_400);
        let oauth = section.or("oauth", true);
        let legacy_query_token = section.or("legacy_query_token", false);
        let accounts_file = read_accounts_file(&mut section, around);
        let appservices = appservices::read(&mut section, named.then_some(&*server_name), development);
        if !around.profile.is_matrix() {
            return None;
        }
        for (name, _) in around.people {
            let fits = if synapse { synapse_takes(name) } else { UserId::new(name, &server_name).is_ok() };
            if !fits {
                top.wrong("users", format_args!("`{name}` cannot be the name of a Matrix user"));
            }
        }
        let users = accounts_file.map(Users::kept_in).unwrap_or_default();
        around.people.iter().for_each(|(name, admin)| users.insert(name, User { admin: *admin, ..User::default() }));
        Some(Self {
            server_name,
            oauth,
            homeserver,
            catch_up: (catch_up > 0).then(|| Duration::from_secs(catch_up)),
            introspection_secret,
            legacy_query_token,
            appservices,
            users,
            per_second: around.limits.client_server_per_second,
        })
    }

    /// Reads `accounts_file`, after making it if there never was one.
    ///
    /// # Errors
    /// A mistake under its key: nobody knows who may act.
    pub fn begin_accounts(&self) -> Result<(), Mistakes> {
        self.users.begin().map_err(|error| Mistakes::one("matrix.accounts_file", error))
    }

    /// Finds out that [`Matrix::begin_accounts`] would do, and leaves nothing behind.
    ///
    /// # Errors
    /// As there.
    pub fn check_accounts(&self) -> Result<(), Mistakes> {
        self.users.check().map_err(|error| Mistakes::one("matrix.accounts_file", error))
    }
}

/// `accounts_file`: by default there is one where the store outlives the process too; none if it is empty.
fn read_accounts_file(section: &mut Reader<'_>, around: &Around<'_>) -> Option<PathBuf> {
    let lasts = around.store.is_some_and(|store| *store != StoreKind::Memory);
    let default = if lasts { "accounts.json" } else { "" };
    let file: String = section.or("accounts_file", default.to_owned());
    (!file.is_empty()).then(|| around.folder.join(file))
}

/// For whom Synapse makes an account ("User identifiers", and its own rules).
fn synapse_takes(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._=-/+".contains(&byte);
    name.bytes().all(known) && !name.starts_with('_') && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// `homeserver_url`, with `synapse = true`.
fn read_homeserver(section: &mut Reader<'_>, synapse: bool, development: bool) -> Option<Url> {
    let url: Option<String> = section.take("homeserver_url").filter(|url: &String| !url.is_empty());
    let url = match (synapse, url) {
        (false, None) => return None,
        (false, Some(_)) => {
            if !section.blames("synapse") {
                section.wrong("homeserver_url", "needs `synapse = true`: nothing else asks there");
            }
            return None;
        }
        (true, None) => {
            if !section.blames("homeserver_url") {
                section.missing("homeserver_url");
            }
            return None;
        }
        (true, Some(url)) => Url::parse(&url).ok(),
    };
    let plain = |url: &Url| url.query().is_none() && url.fragment().is_none();
    let good = url.filter(|url| plain(url) && (url.scheme() == "https" || development && url.scheme() == "http"));
    if good.is_none() {
        section.wrong("homeserver_url", "must be an https URL, or http with `development = true`, without a query");
    }
    good
}
