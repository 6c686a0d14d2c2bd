//! One's own machine, where a flag says so.

use super::*;

fn on_loopback() -> GuardedFetchBuilder {
    GuardedFetch::builder().clock(ManualClock::new(NOW)).resolver(Names::answering(&[&["127.0.0.1"]]))
}

// spec: REG-32
#[tokio::test]
async fn loopback_is_connected_to_only_where_a_development_flag_says_so() {
    let site = Site::of(&["localhost"], false, |_| Reply::json(KEYS)).await;
    let port = site.address.port();
    let urls = [format!("http://127.0.0.1:{port}/keys"), format!("http://localhost:{port}/keys")];
    let strict = on_loopback().build().unwrap();
    let lenient = on_loopback().insecure_allow_loopback().build().unwrap();
    for url in &urls {
        assert!(matches!(strict.fetch(keys_at(url)).await, Err(FetchError::Refused(_))), "{url}");
        assert!(strict.check(url).is_err() && lenient.check(url).is_ok());
    }
    assert_eq!(site.connections(), 0);
    for url in &urls {
        assert_eq!(&*lenient.fetch(keys_at(url)).await.unwrap().body, KEYS.as_bytes(), "{url}");
    }
    assert!(site.requests()[0].contains(&format!("\r\nhost: 127.0.0.1:{port}\r\n")), "{:?}", site.requests());
}

// spec: REG-32
#[tokio::test]
async fn with_the_flag_other_addresses_are_refused_all_the_same() {
    let fetch = on_loopback().resolver(Names::answering(&[&["127.0.0.1", "10.0.0.1"]])).insecure_allow_loopback();
    let fetch = fetch.build().unwrap();
    let outcome = fetch.fetch(keys_at(URL)).await;
    assert!(matches!(outcome, Err(FetchError::Refused(Refusal::Address(bad))) if bad == ip("10.0.0.1")));
    for url in ["http://10.0.0.1/", "https://169.254.169.254/", "http://app.example/", "https://93.184.216.34/"] {
        assert!(matches!(fetch.fetch(keys_at(url)).await, Err(FetchError::Refused(Refusal::Url(_)))), "{url}");
    }
}

#[tokio::test]
async fn localhost_is_loopback_whatever_anybody_answers() {
    let site = Site::start(|_| Reply::json(KEYS)).await;
    let names = Names::answering(&[&[PUBLIC]]);
    let fetch = on_loopback().resolver(names.clone()).root_certificates(site.certificate.clone());
    let fetch = fetch.insecure_allow_loopback().build().unwrap();
    let url = format!("https://localhost:{}/keys", site.address.port());
    assert!(fetch.fetch(keys_at(&url)).await.is_ok());
    assert!(names.asked().is_empty());
}

#[test]
fn a_certificate_that_is_none_is_found_when_building() {
    let broken = "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n";
    for pem in [broken, "", "nonsense"] {
        assert!(GuardedFetch::builder().root_certificates(pem).build().is_err(), "{pem}");
    }
}
