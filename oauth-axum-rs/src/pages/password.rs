//! Users from a list, with hashed passwords.

use std::{collections::HashMap, fmt, sync::Arc, thread::available_parallelism};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use oauth_core::{
    clock::Random,
    engine::{
        fault::Fault,
        policy::{HostFuture, Subjects},
    },
    secret::Secret,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::users::{User, Users};

/// The most sign-ins that wait for a processor; more are turned away at once.
const WAITING: usize = 64;

/// The most memory that checking a password may take, in KiB: 1 GiB.
const MOST_MEMORY: u64 = 1 << 20;

/// The most that it may fill in all its passes, in KiB.
const MOST_COST: u64 = 16 * MOST_MEMORY;

/// A fixed list of users: for small services, demos and tests. Clones share
/// the list. A user's name is their subject.
///
/// Passwords are checked on tokio's blocking threads, as many at a time as
/// there are processors: a flood of sign-ins neither stops the server nor
/// takes all its memory.
///
/// ```
/// use oauth_axum_rs::{Secret, oauth_core::clock::SystemRandom, pages::PasswordUsers};
/// let hash = PasswordUsers::hash(&Secret::new("correct horse"), &SystemRandom)?;
/// assert!(hash.starts_with("$argon2id$"));
/// let users = PasswordUsers::default().user("alice", &hash)?;
/// # drop(users);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PasswordUsers {
    users: Arc<HashMap<String, Credential>>,
    /// Checked where there is no such user, so that the answer takes as long:
    /// the most expensive of all, with what it costs.
    decoy: Option<(u64, Arc<PasswordHash>)>,
    waiting: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

#[derive(Clone)]
enum Credential {
    Hash(Arc<PasswordHash>),
    Plain(Secret),
}

/// Not an argon2id hash as a PHC string: `$argon2id$v=19$m=..,t=..,p=..$salt$hash`,
/// or one that takes more than 1 GiB, or fills more than 16 GiB in all its
/// passes: whoever signs in could stop the server with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password hash is an argon2id PHC string with salt and hash, and takes at most 1 GiB and some seconds")]
pub struct InvalidPasswordHash;

/// More sign-ins at a time than the processors can check.
#[derive(Debug, thiserror::Error)]
#[error("too many sign-ins at a time")]
struct Busy;

impl PasswordUsers {
    /// Adds a user, or replaces the one of this name.
    ///
    /// # Errors
    /// [`InvalidPasswordHash`] if `hash` is not an argon2id PHC string, or
    /// far too expensive.
    pub fn user(mut self, name: impl Into<String>, hash: &str) -> Result<Self, InvalidPasswordHash> {
        let hash = PasswordHash::new(hash).map_err(|_| InvalidPasswordHash)?;
        let legal = hash.algorithm == argon2::ARGON2ID_IDENT && hash.salt.is_some() && hash.hash.is_some();
        let cost = cost(&hash).filter(|_| legal).ok_or(InvalidPasswordHash)?;
        let hash = Arc::new(hash);
        if self.decoy.as_ref().is_none_or(|(most, _)| cost > *most) {
            self.decoy = Some((cost, Arc::clone(&hash)));
        }
        Arc::make_mut(&mut self.users).insert(name.into(), Credential::Hash(hash));
        Ok(self)
    }

    /// Adds a user whose password stands there for all to read: for
    /// development on one's own machine, never for more.
    #[must_use]
    pub fn insecure_plain(mut self, name: impl Into<String>, password: impl Into<Secret>) -> Self {
        Arc::make_mut(&mut self.users).insert(name.into(), Credential::Plain(password.into()));
        self
    }

    /// Hashes a password with argon2id, with the parameters that OWASP
    /// recommends: 19 MiB and two passes. Takes tens of milliseconds.
    ///
    /// # Errors
    /// [`Fault`] if the source of randomness fails, or the password is longer
    /// than 4 GiB.
    pub fn hash(password: &Secret, random: &dyn Random) -> Result<String, Fault> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        let hash = Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &salt);
        Ok(hash.map_err(|error| Fault::Host(error.into()))?.to_string())
    }

    /// Whether `password` is right, without blocking the runtime.
    async fn verify(&self, hash: Arc<PasswordHash>, password: Secret) -> Result<bool, Fault> {
        let _place = self.waiting.try_acquire().map_err(|_| Fault::Host(Busy.into()))?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|_| Fault::Internal("the password queue is closed"))?;
        let verification = spawn_blocking(move || {
            // Held to the end, even if nobody waits for the answer anymore.
            let _running = running;
            Argon2::default().verify_password(password.expose().as_bytes(), &*hash).is_ok()
        });
        verification.await.map_err(|error| Fault::Host(error.into()))
    }
}

/// How much memory checking `hash` fills in all its passes, in KiB; `None` if
/// that is out of bounds.
fn cost(hash: &PasswordHash) -> Option<u64> {
    let params = argon2::Params::try_from(hash).ok()?;
    let memory = u64::from(params.m_cost());
    let cost = memory * u64::from(params.t_cost());
    (memory <= MOST_MEMORY && cost <= MOST_COST).then_some(cost)
}

impl Default for PasswordUsers {
    /// Nobody.
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            users: Arc::default(),
            decoy: None,
            waiting: Arc::new(Semaphore::new(WAITING)),
            running: Arc::new(Semaphore::new(processors)),
        }
    }
}

impl Users for PasswordUsers {
    async fn sign_in(&self, username: &str, password: &Secret) -> Result<Option<User>, Fault> {
        let right = match (self.users.get(username), &self.decoy) {
            (Some(Credential::Hash(hash)), _) => self.verify(Arc::clone(hash), password.clone()).await?,
            (Some(Credential::Plain(plain)), _) => plain == password,
            (None, Some((_, decoy))) => self.verify(Arc::clone(decoy), password.clone()).await.map(|_| false)?,
            (None, None) => false,
        };
        Ok(right.then(|| User::new(username)))
    }
}

impl Subjects for PasswordUsers {
    fn is_active<'a>(&'a self, subject: &'a str) -> HostFuture<'a, bool> {
        Box::pin(std::future::ready(Ok(self.users.contains_key(subject))))
    }
}

impl fmt::Debug for PasswordUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordUsers").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use oauth_core::clock::SystemRandom;

    use super::*;

    fn users() -> PasswordUsers {
        let hash = PasswordUsers::hash(&"wonderland".into(), &SystemRandom).unwrap();
        PasswordUsers::default().user("alice", &hash).unwrap().insecure_plain("bob", "builder")
    }

    async fn sign_in(users: &PasswordUsers, name: &str, password: &str) -> Option<String> {
        users.sign_in(name, &password.into()).await.unwrap().map(|user| user.subject().to_owned())
    }

    #[tokio::test]
    async fn only_the_right_password_of_the_right_user_signs_in() {
        let users = users();
        assert_eq!(sign_in(&users, "alice", "wonderland").await.as_deref(), Some("alice"));
        assert_eq!(sign_in(&users, "bob", "builder").await.as_deref(), Some("bob"));
        for (name, password) in [("alice", "Wonderland"), ("alice", ""), ("bob", "wonderland"), ("eve", "wonderland")] {
            assert_eq!(sign_in(&users, name, password).await, None, "{name}");
        }
    }

    #[tokio::test]
    async fn an_unknown_user_takes_as_long_as_a_wrong_password() {
        let users = users();
        let mut times = [Duration::MAX; 2];
        for _ in 0..5 {
            for (time, name) in times.iter_mut().zip(["alice", "nobody"]) {
                let start = Instant::now();
                assert_eq!(sign_in(&users, name, "wrong").await, None);
                *time = start.elapsed().min(*time);
            }
        }
        let [wrong, unknown] = times;
        assert!(unknown * 3 > wrong && wrong * 3 > unknown, "{wrong:?} {unknown:?}");
    }

    #[test]
    fn an_unknown_user_costs_what_the_most_expensive_user_does() {
        let hash = |params: &str| format!("$argon2id$v=19${params}$c2FsdHNhbHQ$VMkv4l2yPb9x0OoCbZ2tyg");
        let [cheap, strong, middle] = ["m=16,t=1,p=1", "m=64,t=3,p=1", "m=128,t=1,p=1"].map(hash);
        let users = PasswordUsers::default().user("a", &cheap).unwrap().user("b", &strong).unwrap();
        let (_, decoy) = users.user("c", &middle).unwrap().decoy.unwrap();
        assert_eq!(decoy.to_string(), strong);
        for absurd in ["m=1048577,t=1,p=1", "m=4294967295,t=1,p=1", "m=65536,t=257,p=1", "m=8,t=4294967295,p=1"] {
            assert!(PasswordUsers::default().user("a", &hash(absurd)).is_err(), "{absurd}");
        }
        assert!(PasswordUsers::default().user("a", &hash("m=1048576,t=3,p=4")).is_ok());
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_and_does_not_stop_the_runtime() {
        let users = users();
        let all: Vec<_> = (0..=WAITING).map(|_| users.waiting.try_acquire()).collect();
        assert!(all.last().unwrap().is_err());
        assert!(users.sign_in("alice", &"wonderland".into()).await.is_err());
        drop(all);
        assert_eq!(sign_in(&users, "alice", "wonderland").await.as_deref(), Some("alice"));
    }

    #[test]
    fn only_argon2id_hashes_are_taken() {
        let whole = PasswordUsers::hash(&"x".into(), &SystemRandom).unwrap();
        assert!(PasswordUsers::default().user("a", &whole).is_ok());
        let weaker = whole.replace("argon2id", "argon2i");
        let unsalted = "$argon2id$v=19$m=19456,t=2,p=1";
        for bad in ["", "wonderland", unsalted, &weaker, "$argon2id$v=19$m=0,t=0,p=0$c2FsdHNhbHQ$aGFzaGhhc2g"] {
            assert!(PasswordUsers::default().user("a", bad).is_err(), "{bad}");
        }
    }

    // spec: SEC-07
    #[test]
    fn passwords_do_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", users()), "PasswordUsers { users: 2, .. }");
    }
}
