//! The example of RFC 9449, as it is printed: the answer of section 6.2 about
//! the token, then the request of section 7.1.

use super::*;
use crate::resource::tests::introspection::ENDPOINT;

/// Figure 12, and the hash of it in the proof.
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const PROOF: &str = "\
    eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQy\
    VVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.\
    eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNv\
    dXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.\
    2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const IAT: u64 = 1_562_262_618;

/// Figure 11.
fn answer() -> Value {
    json!({
        "active": true,
        "sub": "someone@example.com",
        "iss": "https://server.example.com",
        "nbf": 1_562_262_611,
        "exp": 1_562_266_216,
        "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" },
    })
}

fn request(scheme: &str, proof: Option<&str>) -> Request<String> {
    let request = Request::get("/protectedresource").header(AUTHORIZATION, format!("{scheme} {TOKEN}"));
    let request = proof.into_iter().fold(request, |request, proof| request.header("dpop", proof));
    request.body(String::new()).unwrap()
}

// spec: RS-22
// spec: RS-29
// spec: RS-30
#[tokio::test]
async fn the_request_of_rfc_9449_passes_once_with_its_proof_and_never_without() {
    let upstream = Upstream::new();
    upstream.json(ENDPOINT, &answer());
    let issuer = Issuer::introspection("https://server.example.com", ENDPOINT).client_basic("api", "hush");
    let server = ResourceServer::builder("https://resource.example.org")
        .issuer(issuer.server_checks_audience())
        .clock(ManualClock::new(UnixTime(IAT)))
        .http(upstream.client())
        .dpop(Dpop::optional())
        .build()
        .unwrap();
    for (scheme, proof, status) in [
        ("DPoP", None, 401),
        ("Bearer", None, 401),
        ("Bearer", Some(PROOF), 401),
        ("DPoP", Some(PROOF), 200),
        ("DPoP", Some(PROOF), 401),
    ] {
        let (response, served) = send(&server.layer(), request(scheme, proof)).await;
        assert_eq!((response.status().as_u16(), served), (status, status == 200), "{scheme} {proof:?}");
        if served {
            assert_eq!(response.body(), "someone@example.com");
        }
    }
    assert_eq!(upstream.calls(), 1);
}
