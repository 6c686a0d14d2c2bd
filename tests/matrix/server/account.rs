//! The page where people manage their devices.

use super::*;

/// Signed in on the page, wherever `uri` leads.
async fn signed_in(w: &World, uri: &str) -> (Browser, Answer) {
    let mut browser = Browser::new(w);
    let first = browser.get(uri).await;
    let mut fields = fields_of(&first, "sign_in");
    fields.extend([("username".into(), "alice".into()), ("password".into(), PASSWORD.into())]);
    let answer = browser.submit(uri, &fields).await;
    let page = browser.get(answer.location()).await;
    assert_eq!(page.status, 200, "{page}");
    (browser, page)
}

/// The fields of the button for `device`.
fn end(page: &Answer, device: &str) -> Vec<(String, String)> {
    let mut fields = fields_of(page, "sign_out");
    fields.retain(|(name, _)| name == "csrf");
    fields.extend([("action".into(), "end".into()), ("device_id".into(), device.into())]);
    fields
}

async fn two_devices(w: &World) -> (Tokens, Tokens) {
    let first = sign_in(w, &ask(ELEMENT)).await;
    (first, sign_in(w, &ask(ELEMENT).with("scope", &scope_of("KLMNOPQRST"))).await)
}

// spec: MTX-24
#[tokio::test]
async fn people_see_their_devices_and_sign_one_out() {
    let w = world().await;
    let (first, second) = two_devices(&w).await;
    let bobs = w
        .redeem(ELEMENT, &code_of(&w, &ask(ELEMENT).with("scope", &scope_of("BOBSDEVICE")), "bob").await)
        .await
        .tokens();
    let (mut browser, page) = signed_in(&w, "/account?action=org.matrix.devices_list").await;
    assert!(page.body.contains("ABCDEFGHIJ") && page.body.contains("KLMNOPQRST") && !page.body.contains("BOBSDEVICE"));
    assert!(page.body.contains("Element &#60;X&#62;") && !page.body.contains("<X>"), "{page}");
    let answer = browser.submit("/account", &end(&page, "ABCDEFGHIJ")).await;
    assert_eq!(answer.location(), "/account");
    is_dead(&w, &first).await;
    assert!(is_live(&w, &second.access).await);
    let page = browser.get("/account").await;
    assert!(!page.body.contains("ABCDEFGHIJ") && page.body.contains("KLMNOPQRST"));
    // Somebody else's is none of hers.
    browser.submit("/account", &end(&page, "BOBSDEVICE")).await;
    assert!(is_live(&w, &bobs.access).await);
}

// spec: MTX-24
#[tokio::test]
async fn an_action_is_about_one_device_and_any_other_is_the_overview() {
    let w = world().await;
    let _sessions = two_devices(&w).await;
    let (mut browser, page) = signed_in(&w, "/account?action=org.matrix.device_view&device_id=KLMNOPQRST").await;
    assert!(!page.body.contains("ABCDEFGHIJ") && page.body.contains("KLMNOPQRST"));
    for action in ["device_view", "device_delete", "session_view", "session_end"] {
        let page = browser.get(&format!("/account?action=org.matrix.{action}&device_id=ABCDEFGHIJ")).await;
        assert!(page.body.contains("ABCDEFGHIJ") && !page.body.contains("KLMNOPQRST"), "{action}");
    }
    for query in
        ["", "?action=org.matrix.profile", "?action=x&device_id=ABCDEFGHIJ", "?action=org.matrix.device_view", "?%"]
    {
        let page = browser.get(&format!("/account{query}")).await;
        assert!(page.body.contains("ABCDEFGHIJ") && page.body.contains("KLMNOPQRST"), "{query}");
    }
    assert!(w.server.devices_of("alice").await.unwrap().len() == 2, "to look at it is not to end it");
}

#[tokio::test]
async fn nothing_is_signed_out_without_the_token_of_the_form() {
    let w = world().await;
    let (first, _) = two_devices(&w).await;
    let (mut browser, page) = signed_in(&w, "/account").await;
    let mut forged = end(&page, "ABCDEFGHIJ");
    forged.retain(|(name, _)| name != "csrf");
    assert_eq!(browser.submit("/account", &forged).await.status, 403);
    assert_eq!(Browser::new(&w).submit("/account", &end(&page, "ABCDEFGHIJ")).await.status, 403);
    assert!(is_live(&w, &first.access).await);
}
