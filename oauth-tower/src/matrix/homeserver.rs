//! What a homeserver is told, one request for each.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{
    Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use oauth_core::{
    engine::{
        fault::Fault,
        matrix::{Homeserver, NewDevice},
        policy::HostFuture,
    },
    matrix::{DeviceId, UserId},
    secret::Secret,
};
use serde_json::{Map, Value, json};

use crate::outgoing::{Endpoint, HttpClient, HttpError, Transport, UrlError};

/// How often something is tried, and how long the first pause is; each one after it is twice as
/// long.
#[derive(Clone, Copy, Debug)]
struct Patience {
    attempts: u32,
    pause: Duration,
}

/// Somebody waits meanwhile.
const BRIEF: Patience = Patience { attempts: 3, pause: Duration::from_millis(100) };

/// Nobody waits.
const LONG: Patience = Patience { attempts: 8, pause: Duration::from_secs(1) };

/// Longer names are refused by Synapse; in characters.
const LONGEST_NAME: usize = 100;

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
    #[error("the homeserver answered {status} {errcode} to {what}")]
    Refused { status: StatusCode, errcode: String, what: &'static str },
    #[error("it was no homeserver that answered {status} to {what}: perhaps a proxy")]
    Strange { status: StatusCode, what: &'static str },
    #[error("a request cannot be made: {0}")]
    Request(#[from] http::Error),
}

impl Failed {
    /// Not merely a path that is not there.
    fn is_no_user(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::NOT_FOUND, errcode, .. } if errcode == "M_NOT_FOUND")
    }
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
        self.try_for(what, body, patience).await.map_err(|failed| Fault::Host(failed.into()))
    }

    /// Also what was refused: Synapse refuses one of two that make the same user known at once.
    async fn try_for(&self, what: &'static str, body: &Value, patience: Patience) -> Result<(), Failed> {
        let mut pause = patience.pause;
        for _ in 1..patience.attempts {
            match self.try_to_tell(what, body).await {
                Err(failed) if !failed.is_no_user() => tokio::time::sleep(pause).await,
                done => return done,
            }
            pause = pause.saturating_mul(2);
        }
        self.try_to_tell(what, body).await
    }

    /// All of it can be said twice.
    async fn try_to_tell(&self, what: &'static str, body: &Value) -> Result<(), Failed> {
        let request = Request::post(format!("{}/_synapse/mas/{what}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.secret.expose()))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json");
        let response = self.http.send(request.body(Bytes::from(body.to_string()))?).await?;
        let status = response.status();
        match status {
            _ if !status.is_success() => Err(Failed::Refused { status, errcode: errcode(response.body()), what }),
            _ if is_done(status, response.body()) => Ok(()),
            _ => Err(Failed::Strange { status, what }),
        }
    }
}

impl Homeserver for RemoteHomeserver {
    fn upsert<'a>(&'a self, device: NewDevice<'a>) -> HostFuture<'a, ()> {
        Box::pin(async move {
            let user = json!({ "localpart": device.user.localpart() });
            self.tell("provision_user", &user, BRIEF).await?;
            let mut body = json!({ "localpart": device.user.localpart(), "device_id": device.device.as_str() });
            if let (Some(name), Some(members)) = (device.name, body.as_object_mut()) {
                let name: String = name.chars().take(LONGEST_NAME).collect();
                members.insert("display_name".to_owned(), name.into());
            }
            self.tell("upsert_device", &body, BRIEF).await
        })
    }

    fn delete<'a>(&'a self, user: &'a UserId, device: &'a DeviceId) -> HostFuture<'a, ()> {
        let body = json!({ "localpart": user.localpart(), "device_id": device.as_str() });
        Box::pin(async move {
            match self.try_for("delete_device", &body, BRIEF).await {
                // Then there is no device either.
                Err(failed) if failed.is_no_user() => Ok(()),
                other => other.map_err(|failed| Fault::Host(failed.into())),
            }
        })
    }

    fn sync<'a>(&'a self, user: &'a UserId, devices: &'a [DeviceId]) -> HostFuture<'a, ()> {
        let devices: Vec<&str> = devices.iter().map(DeviceId::as_str).collect();
        let body = json!({ "localpart": user.localpart(), "devices": devices });
        Box::pin(async move { self.tell("sync_devices", &body, LONG).await })
    }
}

/// How it says that it has done what it was told: not with a page, which comes from a proxy.
fn is_done(status: StatusCode, body: &[u8]) -> bool {
    match status {
        StatusCode::NO_CONTENT => body.is_empty(),
        StatusCode::OK | StatusCode::CREATED => serde_json::from_slice::<Map<String, Value>>(body).is_ok(),
        _ => false,
    }
}

/// What a refusal says of itself, as far as it can be shown to anybody.
fn errcode(body: &[u8]) -> String {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let code = body.as_ref().and_then(|body| body.get("errcode")?.as_str());
    let is_code = |code: &&str| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    code.filter(is_code).unwrap_or("without an errcode").to_owned()
}

impl fmt::Debug for RemoteHomeserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteHomeserver").field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{Arc, Mutex, PoisonError},
    };

    use http::Response;
    use http_body_util::Full;
    use tower::service_fn;

    use super::*;

    type Heard = Arc<Mutex<Vec<(String, Value)>>>;

    /// One that fails `failures` times, and what it heard.
    fn homeserver(failures: usize) -> (RemoteHomeserver, Heard) {
        failing(failures, StatusCode::BAD_GATEWAY, "")
    }

    /// The same, with this answer.
    fn failing(failures: usize, status: StatusCode, body: &'static str) -> (RemoteHomeserver, Heard) {
        let heard = Heard::default();
        let ears = Arc::clone(&heard);
        let service = service_fn(move |request: Request<Bytes>| {
            let mut heard = ears.lock().unwrap_or_else(PoisonError::into_inner);
            assert_eq!(request.headers()[AUTHORIZATION], "Bearer s");
            heard.push((request.uri().to_string(), serde_json::from_slice(request.body()).unwrap()));
            let (status, body) = if heard.len() <= failures { (status, body) } else { (StatusCode::CREATED, "{}") };
            let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
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
        home.sync(&user, &[device]).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_is_cut_to_what_synapse_takes() {
        let ((home, heard), (user, device)) = (homeserver(0), names());
        home.upsert(NewDevice::new(&user, &device).name(&"é".repeat(101))).await.unwrap();
        assert_eq!(heard.lock().unwrap()[1].1["display_name"], "é".repeat(100));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_there_has_no_device_to_delete() {
        let (user, device) = names();
        let (home, heard) = failing(100, StatusCode::NOT_FOUND, r#"{"errcode":"M_NOT_FOUND"}"#);
        home.delete(&user, &device).await.unwrap();
        assert_eq!(heard.lock().unwrap().len(), 1);
        // A path that is not there is another matter.
        let (home, heard) = failing(100, StatusCode::NOT_FOUND, r#"{"errcode":"M_UNRECOGNIZED"}"#);
        let error = home.delete(&user, &device).await.unwrap_err().to_string();
        assert_eq!(error, "the homeserver answered 404 Not Found M_UNRECOGNIZED to delete_device");
        assert_eq!(heard.lock().unwrap().len(), 3);
        let (home, _) = failing(100, StatusCode::BAD_REQUEST, r#"{"errcode":"nobody\nknows"}"#);
        let error = home.upsert(NewDevice::new(&user, &device)).await.unwrap_err().to_string();
        assert_eq!(error, "the homeserver answered 400 Bad Request without an errcode to provision_user");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_the_homeservers_is_none() {
        let (user, device) = names();
        for (status, body) in [
            (StatusCode::OK, "<html>Welcome"),
            (StatusCode::OK, ""),
            (StatusCode::OK, "[]"),
            (StatusCode::CREATED, "null"),
            (StatusCode::NO_CONTENT, "{}"),
            (StatusCode::ACCEPTED, "{}"),
        ] {
            let (home, heard) = failing(100, status, body);
            let error = home.delete(&user, &device).await.unwrap_err().to_string();
            let expected = format!("it was no homeserver that answered {status} to delete_device: perhaps a proxy");
            assert_eq!(error, expected, "{body}");
            home.upsert(NewDevice::new(&user, &device)).await.unwrap_err();
            assert_eq!(heard.lock().unwrap().len(), 6);
        }
        for (status, body) in
            [(StatusCode::OK, "{}"), (StatusCode::CREATED, r#"{"x":1}"#), (StatusCode::NO_CONTENT, "")]
        {
            let (home, heard) = failing(100, status, body);
            home.delete(&user, &device).await.unwrap();
            home.upsert(NewDevice::new(&user, &device)).await.unwrap();
            assert_eq!(heard.lock().unwrap().len(), 3);
        }
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
