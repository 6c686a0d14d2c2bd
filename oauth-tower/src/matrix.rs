//! A homeserver in another process, told of users and devices as Synapse and others take it:
//! under `/_synapse/mas/`, with the secret that both know.
//!
//! [`RemoteHomeserver`] makes devices known before their tokens are answered; [`forget_devices`]
//! takes away those whose sessions have ended, so that a homeserver which remembers what it was
//! told of a token refuses it at once.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use oauth_core::{
    engine::{
        fault::Fault,
        matrix::{Homeserver, NewDevice},
        policy::HostFuture,
        revocations::{RevocationListener, Revoked},
    },
    matrix::{DeviceId, UserId, device_of},
    secret::Secret,
    server::AuthorizationServer,
    token::GrantId,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, Sender};

use crate::outgoing::{Endpoint, HttpClient, HttpError, Transport, UrlError};

/// How often something is tried, and how long the first pause is; each one after it is twice as
/// long.
#[derive(Clone, Copy, Debug)]
struct Patience {
    attempts: u32,
    pause: Duration,
}

/// A client waits for its tokens meanwhile.
const BRIEF: Patience = Patience { attempts: 3, pause: Duration::from_millis(100) };

/// Nobody waits.
const LONG: Patience = Patience { attempts: 8, pause: Duration::from_secs(1) };

/// How many ended sessions may wait to be told of.
const QUEUE: usize = 10_000;

/// A homeserver, by its address.
///
/// ```
/// use oauth_core::{profile::Matrix, secret::Secret, server::AuthorizationServer};
/// use oauth_tower::{matrix::RemoteHomeserver, outgoing::HttpClient};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("the shared secret");
/// let http = HttpClient::builder().build()?;
/// let homeserver = RemoteHomeserver::new("https://matrix.example.org", secret.clone(), http)?;
/// let matrix = Matrix::new("example.org").introspection_secret(secret).homeserver(homeserver);
/// let builder = AuthorizationServer::builder("https://account.example.org").profile(matrix);
/// # drop(builder);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteHomeserver {
    base: String,
    secret: Secret,
    http: HttpClient,
}

/// The homeserver did not do what it was told to.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the homeserver cannot be asked: {0}")]
    Http(#[from] HttpError),
    #[error("the homeserver answered {0} to {1}")]
    Status(http::StatusCode, &'static str),
    #[error("a request cannot be made: {0}")]
    Request(#[from] http::Error),
}

impl RemoteHomeserver {
    /// The one at `url`, of which a path is kept.
    ///
    /// # Errors
    /// [`UrlError`]: it must be https.
    pub fn new(url: &str, secret: Secret, http: HttpClient) -> Result<Self, UrlError> {
        Self::at(url, secret, http, Transport::Https)
    }

    /// The same, but plain http will do for one on this machine.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn insecure_loopback(url: &str, secret: Secret, http: HttpClient) -> Result<Self, UrlError> {
        Self::at(url, secret, http, Transport::HttpsOrLoopback)
    }

    fn at(url: &str, secret: Secret, http: HttpClient, transport: Transport) -> Result<Self, UrlError> {
        let base = Endpoint::parse(url, transport)?.uri().to_string();
        Ok(Self { base: base.trim_end_matches('/').to_owned(), secret, http })
    }

    async fn tell(&self, what: &'static str, body: &Value, patience: Patience) -> Result<(), Fault> {
        let mut pause = patience.pause;
        for _ in 1..patience.attempts {
            if self.try_to_tell(what, body).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
        }
        self.try_to_tell(what, body).await.map_err(|failed| Fault::Host(failed.into()))
    }

    /// All of it can be said twice.
    async fn try_to_tell(&self, what: &'static str, body: &Value) -> Result<(), Failed> {
        let request = Request::post(format!("{}/_synapse/mas/{what}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.secret.expose()))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json");
        let response = self.http.send(request.body(Bytes::from(body.to_string()))?).await?;
        if response.status().is_success() { Ok(()) } else { Err(Failed::Status(response.status(), what)) }
    }
}

impl Homeserver for RemoteHomeserver {
    fn upsert<'a>(&'a self, device: NewDevice<'a>) -> HostFuture<'a, ()> {
        Box::pin(async move {
            let user = json!({ "localpart": device.user.localpart() });
            self.tell("provision_user", &user, BRIEF).await?;
            let mut body = json!({ "localpart": device.user.localpart(), "device_id": device.device.as_str() });
            if let (Some(name), Some(members)) = (device.name, body.as_object_mut()) {
                members.insert("display_name".to_owned(), name.into());
            }
            self.tell("upsert_device", &body, BRIEF).await
        })
    }

    fn delete<'a>(&'a self, user: &'a UserId, device: &'a DeviceId) -> HostFuture<'a, ()> {
        let body = json!({ "localpart": user.localpart(), "device_id": device.as_str() });
        Box::pin(async move { self.tell("delete_device", &body, LONG).await })
    }

    fn sync<'a>(&'a self, user: &'a UserId, devices: &'a [DeviceId]) -> HostFuture<'a, ()> {
        let devices: Vec<&str> = devices.iter().map(DeviceId::as_str).collect();
        let body = json!({ "localpart": user.localpart(), "devices": devices });
        Box::pin(async move { self.tell("sync_devices", &body, LONG).await })
    }
}

impl fmt::Debug for RemoteHomeserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteHomeserver").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Hears which sessions end.
struct Ear(Sender<GrantId>);

impl RevocationListener for Ear {
    fn revoked(&self, what: &Revoked) {
        if let Revoked::Grant(grant) = what {
            // Beyond the bound, the homeserver hears it when it asks about a token.
            let _full = self.0.try_send(*grant);
        }
    }
}

/// Tells `homeserver` of every device whose session ends, for as long as it is polled: a future for
/// the host to spawn. What ends while nobody polls, or while the homeserver is away for minutes,
/// is not told: its tokens are dead all the same, as it hears when it asks about them.
pub async fn forget_devices(server: AuthorizationServer, homeserver: impl Homeserver) {
    let (sender, mut ended) = mpsc::channel(QUEUE);
    let ear: Arc<dyn RevocationListener> = Arc::new(Ear(sender));
    let weak: Weak<dyn RevocationListener> = Arc::downgrade(&ear);
    server.revocations().subscribe(weak);
    while let Some(grant) = ended.recv().await {
        if let Err(fault) = forget(&server, &homeserver, grant).await {
            server.report(&fault);
        }
    }
}

async fn forget(server: &AuthorizationServer, homeserver: &impl Homeserver, grant: GrantId) -> Result<(), Fault> {
    let Some(grant) = server.store().grant(grant).await? else { return Ok(()) };
    let (Some(subject), Ok(Some(device))) = (&grant.facts.subject, device_of(&grant.facts.scope)) else {
        return Ok(());
    };
    let Some(user) = server.matrix_user(subject) else { return Ok(()) };
    // It may have signed in again.
    if server.devices_of(subject).await?.iter().any(|known| known.id == device) {
        return Ok(());
    }
    homeserver.delete(&user, &device).await
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{Mutex, PoisonError},
    };

    use http::{Response, StatusCode};
    use http_body_util::Full;
    use tower::service_fn;

    use super::*;

    type Heard = Arc<Mutex<Vec<(String, Value)>>>;

    /// One that fails `failures` times, and what it heard.
    fn homeserver(failures: usize) -> (RemoteHomeserver, Heard) {
        let heard = Heard::default();
        let ears = Arc::clone(&heard);
        let service = service_fn(move |request: Request<Bytes>| {
            let mut heard = ears.lock().unwrap_or_else(PoisonError::into_inner);
            assert_eq!(request.headers()[AUTHORIZATION], "Bearer s");
            heard.push((request.uri().to_string(), serde_json::from_slice(request.body()).unwrap()));
            let status = if heard.len() <= failures { StatusCode::BAD_GATEWAY } else { StatusCode::CREATED };
            let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
            *response.status_mut() = status;
            async move { Ok::<_, Infallible>(response) }
        });
        let made = RemoteHomeserver::new("https://hs.example/x/", Secret::new("s"), HttpClient::new(service));
        (made.unwrap(), heard)
    }

    fn names() -> (UserId, DeviceId) {
        (UserId::new("alice", "example.org").unwrap(), DeviceId::new("D/+1").unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_is_known_before_the_device() {
        let ((home, heard), (user, device)) = (homeserver(0), names());
        home.upsert(NewDevice::new(&user, &device).name("Element")).await.unwrap();
        let at = |what: &str| format!("https://hs.example/x/_synapse/mas/{what}");
        let device = json!({ "localpart": "alice", "device_id": "D/+1", "display_name": "Element" });
        let user = (at("provision_user"), json!({ "localpart": "alice" }));
        assert_eq!(*heard.lock().unwrap(), [user, (at("upsert_device"), device)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_tried_again_and_not_for_ever() {
        let ((home, heard), (user, device)) = (homeserver(2), names());
        home.upsert(NewDevice::new(&user, &device)).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 4);
        let (home, heard) = homeserver(100);
        home.upsert(NewDevice::new(&user, &device)).await.unwrap_err();
        assert_eq!(heard.lock().unwrap().len(), 3);
        let (home, heard) = homeserver(7);
        home.delete(&user, &device).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 8);
    }

    #[test]
    fn secrets_go_over_tls_and_stay_out_of_logs() {
        let http =
            || HttpClient::new(service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))));
        assert!(RemoteHomeserver::new("http://127.0.0.1:1/", Secret::new("s"), http()).is_err());
        let home = RemoteHomeserver::insecure_loopback("http://127.0.0.1:1/", Secret::new("s3cret"), http()).unwrap();
        assert!(!format!("{home:?}").contains("s3cret"));
        assert!(RemoteHomeserver::insecure_loopback("http://hs.example/", Secret::new("s"), http()).is_err());
    }
}
