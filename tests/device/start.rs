//! What a device is told, and what it may ask.

use std::net::{IpAddr, Ipv4Addr};

use oauth_core::{endpoint::RemoteAddress, server::AuthorizationServerBuilder, token::TokenKind};

use super::*;

// spec: TOK-36
#[tokio::test]
async fn a_device_is_given_its_codes_and_where_its_person_goes() {
    on_every_store_with(devices, async |w| {
        for caller in [TV, KIOSK] {
            let answer = w.post("/device_authorization", caller, &[]).await;
            assert_eq!(answer.status, 200, "{answer}");
            answer.is_not_kept();
            let body = answer.json();
            let code = body["user_code"].as_str().unwrap();
            assert_eq!((code.len(), code.as_bytes()[4]), (9, b'-'));
            assert!(code.replace('-', "").bytes().all(|letter| b"BCDFGHJKLMNPQRSTVWXZ".contains(&letter)), "{code}");
            assert_eq!(body["verification_uri"], "https://as.example/device");
            assert_eq!(body["verification_uri_complete"], format!("https://as.example/device?user_code={code}"));
            assert_eq!((body["expires_in"].as_u64(), body["interval"].as_u64()), (Some(600), Some(5)));
            assert!(body["device_code"].as_str().unwrap().starts_with("odc_"));
        }
    })
    .await;
}

// spec: TOK-38, SEC-06
#[tokio::test]
async fn a_device_code_has_more_than_128_random_bits_and_is_nowhere_at_rest() {
    let w = on_memory_with(devices).await;
    let [one, two] = [begin(&w, TV).await.device, begin(&w, TV).await.device];
    // The grant's id, and half of the secret; a keyed tag over all of it.
    assert_ne!(one[4..26], two[4..26]);
    assert_ne!(one[37..59], two[37..59]);
    assert!(World::codec().read(TokenKind::Device, &one).is_some());
    for at in 4..one.len() {
        let other = if one.as_bytes()[at] == b'7' { "8" } else { "7" };
        let bent = Codes { device: format!("{}{other}{}", &one[..at], &one[at + 1..]), user: String::new() };
        poll(&w, TV, &bent).await.is_refused(400, "invalid_grant");
    }
}

// spec: CAU-01, TOK-36
#[tokio::test]
async fn a_client_authenticates_as_it_is_registered_and_for_this_grant() {
    let w = on_memory_with(devices).await;
    let answer = w.post("/device_authorization", Caller::Basic("kiosk", "wrong"), &[]).await;
    answer.is_refused(401, "invalid_client");
    w.post("/device_authorization", Caller::Public("kiosk"), &[]).await.is_refused(401, "invalid_client");
    w.post("/device_authorization", Caller::Public("nobody"), &[]).await.is_refused(401, "invalid_client");
    w.post("/device_authorization", APP, &[]).await.is_refused(400, "unauthorized_client");
    w.token(APP, &[("grant_type", GRANT), ("device_code", "x")]).await.is_refused(400, "unauthorized_client");
}

// spec: TOK-36
#[tokio::test]
async fn scope_and_resource_are_judged_before_anyone_is_asked() {
    let w = on_memory_with(devices).await;
    let ask = async |params: &[(&str, &str)]| w.post("/device_authorization", TV, params).await;
    ask(&[("scope", "admin")]).await.is_refused(400, "invalid_scope");
    ask(&[("scope", "read read\"")]).await.is_refused(400, "invalid_scope");
    ask(&[("resource", "https://unknown.example")]).await.is_refused(400, "invalid_target");
    // Nothing of it means anything there.
    ask(&[("scope", "read"), ("resource", OTHER_API)]).await.is_refused(400, "invalid_scope");
    ask(&[("scope", "read"), ("scope", "write")]).await.is_refused(400, "invalid_request");
    let get = w.get("/device_authorization").await;
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, "POST"));
}

// spec: MET-06
#[tokio::test]
async fn the_metadata_name_the_endpoint_where_there_is_one() {
    let path = "/.well-known/oauth-authorization-server";
    let on = on_memory_with(devices).await.get(path).await.json();
    assert_eq!(on["device_authorization_endpoint"], "https://as.example/device_authorization");
    assert!(on["grant_types_supported"].as_array().unwrap().contains(&GRANT.into()));
    let w = on_memory().await;
    let off = w.get(path).await.json();
    assert!(off.get("device_authorization_endpoint").is_none());
    assert!(!off["grant_types_supported"].as_array().unwrap().contains(&GRANT.into()));
    assert_eq!(w.post("/device_authorization", APP, &[]).await.status, 404);
    assert_eq!(w.get("/device").await.status, 404);
    w.token(APP, &[("grant_type", GRANT), ("device_code", "x")]).await.is_refused(400, "unsupported_grant_type");
}

fn two(builder: AuthorizationServerBuilder) -> AuthorizationServerBuilder {
    devices(builder).devices(|settings| settings.requests_per_minute = 2)
}

async fn begin_from(w: &World, caller: Caller, last: u8) -> Answer {
    let mut request = post("/device_authorization", caller, &[]);
    request.extensions_mut().insert(RemoteAddress(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))));
    w.send(request).await
}

#[tokio::test]
async fn too_many_requests_of_a_client_at_an_address_are_429_on_every_node() {
    on_every_store_with(two, async |w| {
        let another = w.another(two).await.unwrap();
        for node in [&w, &another] {
            assert_eq!(begin_from(node, TV, 1).await.status, 200);
        }
        for node in [&w, &another] {
            let answer = begin_from(node, TV, 1).await;
            answer.is_refused(429, "temporarily_unavailable");
            assert_eq!(answer.header("retry-after"), "60");
        }
        assert_eq!(begin_from(&w, TV, 2).await.status, 200);
        assert_eq!(begin_from(&w, RADIO, 1).await.status, 200);
        w.clock.advance(60);
        assert_eq!(begin_from(&w, TV, 1).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn whoever_can_not_be_asked_is_503_and_told_nothing() {
    let w = on_memory_with(devices).await;
    w.store.set_down(true);
    w.post("/device_authorization", TV, &[]).await.is_unavailable();
}

#[tokio::test]
async fn settings_out_of_bounds_are_named() {
    let build = async |set: fn(&mut oauth_core::engine::device::DeviceSettings)| {
        let builder = oauth_core::server::AuthorizationServer::builder(ISSUER).devices(set);
        builder.build().await.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(build(|_| ()).await, Ok(()));
    assert_eq!(build(|it| it.lifetime = 0).await.unwrap_err(), "device.lifetime: out of bounds");
    assert_eq!(build(|it| it.interval = 61).await.unwrap_err(), "device.interval: out of bounds");
    let path = build(|it| it.verification_path = "device".to_owned()).await.unwrap_err();
    assert!(path.starts_with("device.verification_path: "), "{path}");
}
