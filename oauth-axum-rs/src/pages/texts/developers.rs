//! What stands on the registration page for developers.

use std::borrow::Cow;

use super::texts;

texts! { "developers"
    /// What stands on the registration page for developers.
    DeveloperTexts {
        /// The heading.
        title: "Register an application",
        /// Above the list of problems.
        problems: "There is a problem",
        /// A field that may stay empty; after its label.
        optional: "(optional)",
        /// Above the choice of types.
        kind: "Where it runs",
        /// A confidential client.
        web: "On a server",
        /// What it is; `{method}` is how it authenticates.
        web_hint: "A web application that can keep a secret. It gets one ({method}).",
        /// A public client.
        app: "In a browser or on a device",
        /// What it is.
        app_hint: "An application that anybody can take apart. It has no secret, and proves with PKCE that a code is \
                   its own.",
        /// Above terms that stand on the page.
        terms: "Terms",
        /// Accepting those.
        accept_above: "I accept the terms above",
        /// Accepting terms that are elsewhere: `{terms}` is the link.
        accept: "I accept the {terms}",
        /// The text of the link.
        accept_link: "terms for developers (opens in a new tab)",
        /// The button.
        button: "Register",
        /// The title of the document that shows what was registered.
        registered: "Application registered",
        /// Its heading; `{client}` is the name of the application.
        registered_title: "{client} is registered",
        /// The warning.
        once: "Copy this page now. What is secret on it is shown this once, and cannot be shown again.",
        /// Before the client identifier.
        client_id: "Client ID",
        /// Before the secret.
        secret: "Client secret",
        /// Before a secret that ends; `{lifetime}` is one of the next four.
        secret_for: "Client secret, good for {lifetime}",
        /// A time.
        seconds: "{count} seconds",
        /// A time.
        minutes: "{count} minutes",
        /// A time.
        hours: "{count} hours",
        /// A time.
        days: "{count} days",
        /// Before the authentication method.
        method: "It authenticates with",
        /// Before the token.
        token: "Registration access token",
        /// Before the address.
        management: "Where the registration is managed with it",
        /// Before the redirect URIs.
        redirect_uris: "Redirect URIs",
        /// What to do with the secret.
        keep_secret: "Keep the secret on your server: never in an app, in a page, or in a repository.",
        /// What to do without one; `{method}` is `S256`.
        use_pkce: "The application has no secret. It must use PKCE with {method}.",
        /// The link.
        another: "Register another application",
        /// The form was sent before: the heading.
        repeated: "This form was sent already",
        /// The text.
        repeated_text: "This form was sent before, and nothing was registered this time. The client ID and the secret \
                        were shown once, in the first answer, and cannot be shown again. If you have not seen them, \
                        register the application anew: what was registered first is of no use to anybody.",
        /// Below [`MessageTexts::unreadable`](super::MessageTexts::unreadable).
        unreadable_text: "Nothing was done. Open the page again to start anew.",
        /// Whoever is signed in may not: the heading.
        refused: "You cannot register applications",
        /// The text.
        refused_text: "You are signed in as {user}, who may not register applications at this server.",
    }
}

texts! { "developer_fields"
    /// The labels of the form, and what is said below each.
    DeveloperFieldTexts {
        /// The label.
        name: "Name of the application",
        /// The hint.
        name_hint: "People see it when they are asked to allow access.",
        /// The label.
        redirect_uris: "Redirect URIs",
        /// The hint.
        redirect_uris_hint: "Where people are sent back to. One whole address to a line, as in \
                             https://app.example/callback, http://127.0.0.1/callback or com.example.app:/callback. \
                             They are compared letter by letter.",
        /// The label.
        website: "Website",
        /// The hint.
        website_hint: "People see its host when they are asked.",
        /// The label.
        description: "Description",
        /// The hint.
        description_hint: "What the application does.",
        /// The label.
        logo: "Logo",
        /// The hint.
        logo_hint: "The address of a picture. This server keeps it, and neither loads nor shows it.",
        /// The label.
        terms: "Terms of service",
        /// The hint.
        terms_hint: "The address of the terms of your application.",
        /// The label.
        policy: "Privacy policy",
        /// The hint.
        policy_hint: "The address of the privacy policy of your application.",
        /// The label.
        contact: "Contact",
        /// The hint.
        contact_hint: "An email address where you can be reached about the application.",
    }
}

texts! { "developer_problems"
    /// What is wrong with the form. `{reason}` is the rule that is broken, as the
    /// registration endpoint words it, in English.
    DeveloperProblemTexts {
        /// The name is missing.
        name_missing: "Enter the name of the application.",
        /// The type is missing.
        kind_missing: "Choose where the application runs.",
        /// There is no redirect URI.
        redirect_uris_missing: "Enter at least one redirect URI.",
        /// There are too many.
        redirect_uris_many: "Enter at most {count} redirect URIs.",
        /// One is wrong.
        redirect_uris_line: "Line {line}: {reason}.",
        /// They are wrong.
        redirect_uris: "Redirect URIs: {reason}.",
        /// The terms were not accepted.
        terms_missing: "Accept the terms to register an application.",
        /// The name is wrong.
        name: "The name {reason}.",
        /// The website is wrong.
        website: "The website {reason}.",
        /// The logo is wrong.
        logo: "The logo {reason}.",
        /// The link is wrong.
        terms: "The link to the terms of service {reason}.",
        /// The link is wrong.
        policy: "The link to the privacy policy {reason}.",
        /// The contact is wrong.
        contact: "The contact {reason}.",
        /// The description is wrong.
        description: "The description {reason}.",
        /// The server has no clients of this type.
        kind: "This server does not register applications of this type.",
        /// Anything else is wrong.
        other: "{reason}.",
        /// The form is too old.
        late: "This page was open for more than an hour. Send the form once more.",
        /// Too many registrations.
        limited: "Too many applications were registered. Try again in {seconds} seconds.",
        /// The server cannot go on now.
        unavailable: "The server could not finish this. Send the form again in a moment.",
    }
}
