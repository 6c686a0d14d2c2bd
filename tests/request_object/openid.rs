//! The request object that OpenID Connect Core section 6.1 prints, by the key that it prints. It asks for what does not
//! exist here, and is answered so: the signature was good, and what is inside was read.

use oauth_core::client::{Client, ClientJwks};
use serde_json::json;

use crate::support::*;

const OBJECT: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsyYmRjIn0.ew0KICJpc3MiOiAiczZCaGRSa3F0MyIsDQogImF1ZCI6ICJodHRwczovL3Nlcn\
    Zlci5leGFtcGxlLmNvbSIsDQogInJlc3BvbnNlX3R5cGUiOiAiY29kZSBpZF90b2tlbiIsDQogImNsaWVudF9pZCI6ICJzNkJoZFJrcXQzIiwNCi\
    AicmVkaXJlY3RfdXJpIjogImh0dHBzOi8vY2xpZW50LmV4YW1wbGUub3JnL2NiIiwNCiAic2NvcGUiOiAib3BlbmlkIiwNCiAic3RhdGUiOiAiYW\
    YwaWZqc2xka2oiLA0KICJub25jZSI6ICJuLTBTNl9XekEyTWoiLA0KICJtYXhfYWdlIjogODY0MDAsDQogImNsYWltcyI6IA0KICB7DQogICAidX\
    NlcmluZm8iOiANCiAgICB7DQogICAgICJnaXZlbl9uYW1lIjogeyJlc3NlbnRpYWwiOiB0cnVlfSwNCiAgICAgIm5pY2tuYW1lIjogbnVsbCwNCi\
    AgICAgImVtYWlsIjogeyJlc3NlbnRpYWwiOiB0cnVlfSwNCiAgICAgImVtYWlsX3ZlcmlmaWVkIjogeyJlc3NlbnRpYWwiOiB0cnVlfSwNCiAgIC\
    AgInBpY3R1cmUiOiBudWxsDQogICAgfSwNCiAgICJpZF90b2tlbiI6IA0KICAgIHsNCiAgICAgImdlbmRlciI6IG51bGwsDQogICAgICJiaXJ0aG\
    RhdGUiOiB7ImVzc2VudGlhbCI6IHRydWV9LA0KICAgICAiYWNyIjogeyJ2YWx1ZXMiOiBbInVybjptYWNlOmluY29tbW9uOmlhcDpzaWx2ZXIiXX\
    0NCiAgICB9DQogIH0NCn0.nwwnNsk1-ZkbmnvsF6zTHm8CHERFMGQPhos-EJcaH4Hh-sMgk8ePrGhw_trPYs8KQxsn6R9Emo_wHwajyFKzuMXZFS\
    Z3p6Mb8dkxtVyjoy2GIzvuJT_u7PkY2t8QU9hjBcHs68PkgjDVTrG1uRTx0GxFbuPbj96tVuj11pTnmFCUR6IEOXKYr7iGOCRB3btfJhM0_AKQUf\
    qKnRlrRscc8Kol-cSLWoYE9l5QqholImzjT_cMnNIznW9E7CDyWXTsO70xnB4SkG6pXfLSjLLlxmPGiyon_-Te111V8uE83IlzCYIb_NMXvtTIVc\
    1jpspnTSD7xMbpL-2QgwUsAlMGzw";

const N: &str = "y9Lqv4fCp6Ei-u2-ZCKq83YvbFEk6JMs_pSj76eMkddWRuWX2aBKGHAtKlE5P7_vn__PCKZWePt3vGkB6ePgzAFu08NmKemwE5bQI0e6kIC\
    htt_6KzT5OaaXDFI6qCLJmk51Cc4VYFaxgqevMncYrzaW_50mZ1yGSFIQzLYP8bijAHGVjdEFgZaZEN9lsn_GdWLaJpHrB3ROlS50E45wxrlg9xM\
    ncVb8qDPuXZarvghLL0HzOuYRadBJVoWZowDNTpKpk2RklZ7QaBO7XDv3uR7s_sf2g-bAjSYxYUGsqkNA9b3xVW53am_UZZ3tZbFTIh557JICWKH\
    lWj5uzeJXaw";

const ISSUER: &str = "https://server.example.com";

// spec: AUZ-42
#[tokio::test]
async fn the_object_of_openid_connect_core_is_read() {
    let key = json!({ "kty": "RSA", "kid": "k2bdc", "n": N, "e": "AQAB" });
    let jwks = ClientJwks::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    let client = Client::builder("s6BhdRkqt3").redirect_uri("https://client.example.org/cb").scope("openid");
    let w = World::at_with(ISSUER, |builder| builder.client(client.clone().jwks(jwks.clone()).build().unwrap())).await;
    let ask = |object: &str| format!("/authorize?client_id=s6BhdRkqt3&request={object}");
    let answer = w.get(&ask(OBJECT)).await;
    let response = answer.redirected_to("https://client.example.org/cb");
    assert_eq!(response.get("error"), Some("unsupported_response_type"));
    assert_eq!((response.get("state"), response.get("iss")), (Some("af0ifjsldkj"), Some(ISSUER)));
    // One bit further it is nobody's.
    let response =
        w.get(&ask(&OBJECT.replace("AlMGzw", "AlMGzQ"))).await.redirected_to("https://client.example.org/cb");
    assert_eq!((response.get("error"), response.get("state")), (Some("invalid_request_object"), None));
}
