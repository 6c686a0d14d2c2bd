//! What stands on the page where codes of devices are typed.

use std::borrow::Cow;

use super::texts;

texts! { "device"
    /// What stands on the page where codes of devices are typed.
    DeviceTexts {
        /// What the sign-in page says that it leads to.
        place: "your device",
        /// The heading.
        title: "Connect a device",
        /// Below it.
        lead: "Enter the code that your device shows.",
        /// Against codes that somebody else has sent.
        warning: "Go on only if you asked for this code yourself, on a device that you have with you. Whoever sends \
                  you a code, in a message or on the phone, wants to get into your account.",
        /// The label of the field.
        code: "Code",
        /// Below it.
        code_hint: "Eight letters, as in WDJB-MJHT. Capitals and hyphens do not matter.",
        /// Below the field, where a link has filled it in.
        compare: "Compare it, letter by letter, with what your device shows.",
        /// The button.
        button: "Continue",
        /// The code leads to no device.
        unknown: "No device waits for this code. It may be mistyped, or too old.",
        /// There were too many such codes.
        limited: "Too many codes were wrong. Try again in {seconds} seconds.",
        /// The question.
        consent_title: "Allow {client} on a device to use your account?",
        /// Below it; `{code}` is what the device must show.
        consent_warning: "Allow it only if you have the device with you and it shows the code {code}. If somebody has \
                          sent you here, it is their device that would use your account.",
        /// After a yes.
        allowed: "Your device is connected",
        /// What comes next.
        allowed_text: "Go back to your device, which goes on by itself in a few seconds.",
        /// After a no.
        denied: "Access was denied",
        /// What that means.
        denied_text: "The device gets nothing. You can close this page now.",
        /// The request was decided, or took too long.
        ended: "This request has ended",
        /// What to do about it.
        ended_text: "It took too long, was finished already, or was started in another browser. If your device still \
                     waits, let it show you a new code.",
        /// What to do about a form that cannot be read.
        unreadable_text: "Nothing was done. Enter the code again to start anew.",
        /// The link back to the form.
        again: "Enter a code",
    }
}
