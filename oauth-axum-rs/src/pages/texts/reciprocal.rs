//! What stands on the page where another service is given access in turn.

use std::borrow::Cow;

use super::texts;

texts! { "reciprocal"
    /// What stands on the page where another service is given access in turn.
    ReciprocalTexts {
        /// What the sign-in page says that it leads to.
        place: "your connected services",
        /// The question.
        title: "Allow {client} to use your account in turn?",
        /// Below it.
        lead: "You have connected {client} with your account here. Now it asks for access to your account, also while \
               you are away.",
        /// Nothing is asked in this browser.
        ended: "There is nothing to decide",
        /// What to do about it.
        ended_text: "It took too long, was decided already, or was started in another browser. Connect the services \
                     anew.",
        /// The other service asks for what it may not have.
        unfit: "This cannot be connected",
        /// What that means.
        unfit_text: "The other service asks for what it cannot be given. Nothing was shared.",
    }
}
