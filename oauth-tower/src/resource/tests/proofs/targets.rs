//! `htu` is where clients see the service, whatever the request says of that.

use super::*;

// spec: RS-26
#[tokio::test]
async fn targets_that_are_the_same_pass_and_others_do_not() {
    let bench = Bench::new(Dpop::optional());
    for same in [
        "https://api.example/photos",
        "https://API.example/photos",
        "HTTPS://api.example/photos",
        "https://api.example:443/photos",
        "https://api.example:/photos",
        "https://api.example/photos?page=2",
        "https://api.example/photos?another=query",
        "https://api.example/photos#top",
        "https://api.example/%70hotos",
        "https://api.example/a/../photos",
        "https://api.example/./photos",
    ] {
        assert_eq!(bench.send(&[&bench.claiming(json!({ "htu": same }))]).await, served(), "{same}");
    }
    for other in [
        "https://evil.example/photos",
        "https://api.example.evil.example/photos",
        "https://evil.example/?https://api.example/photos",
        "https://api.example@evil.example/photos",
        "https://u:p@api.example/photos",
        "http://api.example/photos",
        "http://api.example:443/photos",
        "https://api.example:8443/photos",
        "https://api.example/photos/",
        "https://api.example//photos",
        "https://api.example/Photos",
        "https://api.example/photos%2F",
        "https://api.example/photo",
        "https://api.example/",
        "https://api.example",
        "/photos",
        "api.example/photos",
        "//api.example/photos",
        " https://api.example/photos",
        "https://api.example/photos\n",
        "https://api.example/ph\u{f6}tos",
    ] {
        bench.refuses(other, &bench.claiming(json!({ "htu": other }))).await;
    }
    bench.refuses("long", &bench.claiming(json!({ "htu": format!("{URL}?{}", "x".repeat(9_000)) }))).await;
}

// spec: RS-26
#[tokio::test]
async fn paths_are_compared_in_their_normal_form_on_both_sides() {
    let bench = Bench::new(Dpop::optional());
    for (uri, htu) in [
        ("/%7eada/a%2fb", "https://api.example/~ada/a%2Fb"),
        ("/a/./b/../c", "https://api.example/a/c"),
        ("/", "https://api.example"),
        ("/?q", "https://api.example/"),
        ("https://evil.example/photos", URL),
        ("/a%2f..%2fb", "https://api.example/a%2F..%2Fb"),
    ] {
        let proof = bench.claiming(json!({ "htu": htu }));
        assert_eq!(bench.send_as(Method::GET, uri, &[&proof]).await, served(), "{uri}");
    }
    for (uri, htu) in
        [("/a%2fb", "https://api.example/a/b"), ("/a", "https://api.example/A"), ("/a/", "https://api.example/a")]
    {
        let proof = bench.claiming(json!({ "htu": htu }));
        assert_eq!(bench.send_as(Method::GET, uri, &[&proof]).await, invalid_proof(), "{uri}");
    }
}

// spec: RS-26
#[tokio::test]
async fn no_header_of_the_request_moves_the_target() {
    let bench = Bench::new(Dpop::optional());
    let request = |proof: &str| {
        let mut request = Request::get("/photos").header(AUTHORIZATION, format!("DPoP {}", bench.token));
        for (name, value) in [
            ("host", "evil.example"),
            ("forwarded", "host=evil.example;proto=http"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", "8443"),
            ("x-forwarded-prefix", "/evil"),
            ("x-original-url", "/evil"),
            ("x-rewrite-url", "/evil"),
            ("x-http-method-override", "DELETE"),
        ] {
            request = request.header(name, value);
        }
        request.header("dpop", proof).body(String::new()).unwrap()
    };
    assert_eq!(bench.outcome(request(&bench.good())).await, served());
    for changes in [
        json!({ "htu": "https://evil.example/photos" }),
        json!({ "htu": "http://evil.example/photos" }),
        json!({ "htu": "https://api.example:8443/photos" }),
        json!({ "htu": "https://api.example/evil" }),
        json!({ "htu": "https://api.example/evil/photos" }),
        json!({ "htm": "DELETE" }),
    ] {
        assert_eq!(bench.outcome(request(&bench.claiming(changes.clone()))).await, invalid_proof(), "{changes}");
    }
}
