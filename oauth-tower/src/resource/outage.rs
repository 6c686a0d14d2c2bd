//! Why nothing can be found out about tokens: for whoever runs the program.

use std::{error::Error, fmt::Write};

/// Says that something of `issuer` is down, and why. No token and no secret is
/// in `reason`.
pub(super) fn report(issuer: &str, reason: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(issuer, reason, "an authorization server cannot be used");
    #[cfg(not(feature = "tracing"))]
    let _ = (issuer, reason);
}

/// `error` and what it comes from, where it does not say that itself.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            // Writing to a string cannot fail.
            write!(text, ": {said}").unwrap_or_default();
        }
        cause = error.source();
    }
    text
}

#[cfg(all(test, feature = "tracing"))]
mod tests {
    use std::{
        fmt::Debug,
        sync::{Arc, Mutex},
    };

    use tracing::{
        Event, Level, Metadata, Subscriber,
        field::{Field, Visit},
        span,
    };

    use crate::resource::{Issuer, ResourceServer, tests::upstream::Upstream};

    /// What was said at level `warn`.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<String>>);

    impl Subscriber for Said {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::WARN && metadata.target().starts_with("oauth_tower")
        }

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    impl Visit for Said {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            if let Ok(mut said) = self.0.lock() {
                *said += &format!("{field}={value:?} ");
            }
        }
    }

    #[tokio::test]
    async fn whoever_runs_the_program_learns_why_the_answer_is_503() {
        let said = Said::default();
        let _guard = tracing::subscriber::set_default(said.clone());
        let asked = Issuer::introspection("https://asked.example", "https://asked.example/introspect");
        let upstream = Upstream::new();
        upstream.answer("https://asked.example/introspect", 401, &[], "");
        let api = ResourceServer::builder("https://api.example").issuer(asked.client_basic("api", "hush"));
        let api = api.issuer(Issuer::jwt("https://keys.example")).http(upstream.client()).build().unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", "Bearer very-secret".parse().unwrap());
        assert_eq!(api.validate_headers(&headers).await.unwrap_err().status(), 503);
        api.warm_up().await.unwrap_err();
        let said = said.0.lock().unwrap();
        for part in ["https://asked.example", "401", "https://keys.example", "there are no metadata"] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(!said.contains("secret") && !said.contains("hush"), "{said}");
    }
}
