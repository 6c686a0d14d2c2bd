//! What stands on the pages of an interaction.

use std::borrow::Cow;

use super::texts;

texts! { "common"
    /// What stands on more than one page.
    CommonTexts {
        /// The title of a page that was sent back with a problem.
        error_title: "Error: {title}",
        /// Who is signed in.
        signed_in_as: "You are signed in as {user}.",
        /// Before the button of another account.
        not_you: "Not you?",
        /// The button that lets somebody else sign in.
        another_account: "Use another account",
        /// A button or a link that leads on.
        go_on: "Continue",
        /// Before the code of an error.
        error: "Error",
        /// Before what went wrong.
        reason: "Reason",
    }
}

texts! { "sign_in"
    /// What stands on the sign-in page.
    SignInTexts {
        /// The heading.
        title: "Sign in",
        /// What it is for: an application, or a page of this server.
        lead: "to continue to {client}",
        /// The label of the user name.
        username: "User name",
        /// The label of the password.
        password: "Password",
        /// The button.
        button: "Sign in",
        /// The application asks for a new sign-in.
        again: "Confirm that it is still you: the application asks for a new sign-in.",
        /// The application asks for something better than a password.
        another_way: "The application asks for a sign-in of another kind.",
        /// A field was left empty.
        incomplete: "Enter your user name and your password.",
        /// One text for both, so that it does not tell which names exist.
        wrong: "The user name or the password is not right.",
        /// Too many attempts.
        limited: "Too many attempts failed. Try again in {seconds} seconds.",
    }
}

texts! { "consent"
    /// What stands on the consent page.
    ConsentTexts {
        /// The title of the document.
        document: "Allow access?",
        /// The heading.
        title: "Allow {client} to use your account?",
        /// The warning before a program on the person's own machine.
        local: "This application says that it runs on your own device. Go on only if you started it yourself a \
                moment ago.",
        /// It asks for no scope.
        nothing: "It asks to know who you are, and for nothing else.",
        /// Above the scopes.
        asks: "It asks for",
        /// Above those that are new.
        asks_anew: "New: it asks for this, too",
        /// Above those that were allowed before.
        known: "You have allowed it before",
        /// Above the authorization details.
        details: "In detail",
        /// Before the resources.
        resources: "For use with",
        /// A resource that is new.
        new_resource: "{resource} (new)",
        /// Before the host of the document that describes the application.
        origin: "It comes from",
        /// Before the host of its website.
        website: "It says that its website is",
        /// Before the host of the redirect URI.
        redirect: "Either way, you will be sent to",
        /// A link to its terms: `{terms}` is the link.
        read_terms: "It asks you to read its {terms} (in a new tab).",
        /// A link to its privacy policy: `{policy}` is the link.
        read_policy: "It asks you to read its {policy} (in a new tab).",
        /// Both links.
        read_both: "It asks you to read its {terms} and its {policy} (in a new tab).",
        /// The text of the link.
        terms: "terms of service",
        /// The text of the link.
        policy: "privacy policy",
        /// The button.
        allow: "Allow",
        /// The button.
        deny: "Deny",
    }
}

texts! { "choose"
    /// What stands on the page where an account is chosen.
    ChooseTexts {
        /// The heading.
        title: "Choose an account",
        /// What it is for.
        lead: "to continue to {client}",
        /// The button of the account that is signed in.
        button: "Continue as {user}",
    }
}

texts! { "leave"
    /// What stands on the page before a website that nobody vouches for.
    LeaveTexts {
        /// The title of the document.
        document: "You are about to leave",
        /// The heading; `{site}` is the host of this server.
        title: "You are about to leave {site}",
        /// What happened. The host of the website is below.
        lead: "An application sent you here with a request that does not work, and nothing was shared with it. It \
               wants to have you back at",
        /// The warning.
        warning: "Nobody has checked that website. Go on only if you know it. If you do not, close this page.",
        /// The button.
        button: "Go on to {host}",
    }
}

texts! { "sign_out"
    /// What is said about signing out.
    SignOutTexts {
        /// The heading.
        title: "Sign out?",
        /// What happens.
        lead: "You are signed in as {user}. Applications that you allowed to use your account stay allowed.",
        /// The button.
        button: "Sign out",
        /// The heading afterwards.
        done: "You are signed out",
        /// The text afterwards.
        done_text: "You can close this page now.",
    }
}

texts! { "message"
    /// What is said where nothing more can be done: headings, and the texts below
    /// them.
    MessageTexts {
        /// The interaction is over, or was never this browser's.
        ended: "This sign-in has ended",
        /// The text.
        ended_text: "It took too long, was finished already, or was started in another browser. Go back to the \
                     application and start again.",
        /// The form was not this page's, or not for whom it is sent now.
        out_of_date: "This page is out of date",
        /// The text.
        out_of_date_text: "Nothing was done. The page may have been open for long, or somebody has signed in or out \
                           meanwhile.",
        /// No page of this server sends such a request.
        unreadable: "This request cannot be read",
        /// The text.
        unreadable_text: "Go back to the application and start again.",
        /// The server cannot go on now.
        unavailable: "Not available at the moment",
        /// The text.
        unavailable_text: "The server could not finish this step, and nothing was done. Reload this page in a moment \
                           to try again.",
    }
}
