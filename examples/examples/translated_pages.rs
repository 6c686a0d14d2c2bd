//! Sign-in and consent pages in two languages: English, which comes with the
//! library, and German, which comes with the app.
//!
//!     cargo run -p examples --example translated_pages
//!
//! A browser that prefers German gets German, and so does whoever comes from a
//! client that asks for it: `ui_locales=de`.

use axum::Router;
use examples::say;
use oauth_axum_rs::{
    AuthorizationServer, AuthorizationServerExt, Client, PeerExt,
    pages::{InvalidText, Pages, PasswordUsers, Texts},
};
use tokio::net::TcpListener;

const ISSUER: &str = "http://127.0.0.1:9400";

/// What there is to translate: `Texts::english()`. What is missing here stays
/// English. Such a list may as well come from a file.
const GERMAN: &[(&str, &str)] = &[
    ("common.error_title", "Fehler: {title}"),
    ("common.signed_in_as", "Sie sind als {user} angemeldet."),
    ("common.not_you", "Sind Sie das nicht?"),
    ("common.another_account", "Anderes Konto verwenden"),
    ("common.go_on", "Weiter"),
    ("sign_in.title", "Anmelden"),
    ("sign_in.lead", "um mit {client} fortzufahren"),
    ("sign_in.username", "Benutzername"),
    ("sign_in.password", "Passwort"),
    ("sign_in.button", "Anmelden"),
    ("sign_in.again", "Bestätigen Sie, dass Sie es noch sind: Die Anwendung verlangt eine neue Anmeldung."),
    ("sign_in.incomplete", "Geben Sie Benutzername und Passwort ein."),
    ("sign_in.wrong", "Benutzername oder Passwort ist nicht richtig."),
    ("sign_in.limited", "Zu viele Versuche sind gescheitert. Nächster Versuch in {seconds} Sekunden."),
    ("consent.document", "Zugriff erlauben?"),
    ("consent.title", "Darf {client} auf Ihr Konto zugreifen?"),
    (
        "consent.local",
        "Diese Anwendung läuft angeblich auf Ihrem eigenen Gerät. Fahren Sie nur fort, wenn Sie sie eben selbst gestartet haben.",
    ),
    ("consent.nothing", "Sie will wissen, wer Sie sind, und sonst nichts."),
    ("consent.asks", "Sie will"),
    ("consent.asks_anew", "Neu: Sie will außerdem"),
    ("consent.known", "Das haben Sie schon erlaubt"),
    ("consent.resources", "Zu verwenden bei"),
    ("consent.redirect", "In jedem Fall geht es weiter zu"),
    ("consent.allow", "Erlauben"),
    ("consent.deny", "Ablehnen"),
    ("sign_out.title", "Abmelden?"),
    ("sign_out.button", "Abmelden"),
    ("sign_out.done", "Sie sind abgemeldet"),
    ("sign_out.done_text", "Sie können diese Seite jetzt schließen."),
];

fn german() -> Result<Texts, InvalidText> {
    let mut german = Texts::new("de");
    for (name, text) in GERMAN {
        german.set(name, *text)?;
    }
    german.scopes.insert("notes:read".to_owned(), "Ihre Notizen lesen".to_owned());
    Ok(german)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let users = PasswordUsers::default().insecure_plain("alice", "wonderland");
    let app = Client::builder("app").name("Notizen").redirect_uri("http://127.0.0.1/callback").scope("notes:read");
    let server = AuthorizationServer::builder(ISSUER)
        .client(app.build()?)
        .subjects(users.clone())
        // In the metadata, so that clients know.
        .authorization(|it| it.ui_locales = vec!["en".to_owned(), "de".to_owned()])
        .insecure_development() // plain http, on this machine only
        .build()
        .await?;
    let pages =
        Pages::new(&server, users).scope_text("notes:read", "Read your notes").texts([Texts::default(), german()?]); // the first one is for whoever reads neither
    let app: Router = server.router().merge(pages.router());

    say(format_args!("Sign in at {ISSUER}/authorize?client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback"));
    say("  &response_type=code&code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU&code_challenge_method=S256");
    let listener = TcpListener::bind("127.0.0.1:9400").await?;
    axum::serve(listener, app.into_make_service_with_peer()).await?;
    Ok(())
}
