//! What stands on the page where people manage their devices.

use std::borrow::Cow;

use super::texts;

texts! { "devices"
    /// What stands on the page where people manage their devices.
    DevicesTexts {
        /// What the sign-in page says that it leads to, and the heading.
        title: "Your devices",
        /// Below it.
        lead: "{user}, these are the devices that are signed in to your account.",
        /// The heading, where it is about one device.
        one: "One of your devices",
        /// Below it.
        one_lead: "{user}, this is a device that is signed in to your account.",
        /// The heading, where that device is to be signed out.
        end_one: "Sign this device out?",
        /// Below it.
        end_one_lead: "{user}, it will have no access to your account any more.",
        /// There is none, or not this one.
        none: "No such device is signed in.",
        /// Before its identifier.
        id: "Device ID",
        /// Before the day when it was signed in.
        since: "Signed in",
        /// Before the day when it last got access.
        last: "Last used",
        /// The button.
        end: "Sign out this device",
        /// The link to all devices.
        all: "All devices",
        /// What to do about a form that cannot be read.
        unreadable_text: "Nothing was done. Go back to your devices to start anew.",
    }
}
