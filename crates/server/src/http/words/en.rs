//! English.

use super::{About, Invitation, Join, Request, Reset, Words};

pub(super) const WORDS: Words = Words {
    tag: "en",
    to_the_front_door: "To the front door",
    nothing_here: ("Nothing here", "The address leads nowhere."),
    too_long: ("Too long", "Please write less."),
    use_the_form: ("Not this way", "Please use the form."),
    bad_name: "The name can have letters, digits, dots and dashes, and no spaces.",
    invitation: Invitation {
        too_many: (
            "Please wait",
            "Too many invitations were looked up from this network. Try again in an hour.",
        ),
        invalid: (
            "This invitation is no longer valid",
            "It has been used, has expired, or was revoked. Ask for a new one.",
        ),
        invites: |inviter, place| format!("{inviter} invites you to {place}"),
        invited: |place| format!("You are invited to {place}"),
        lead: "A private chat server: end-to-end encrypted, no phone number, no advertising.",
        your_address: ["Your address will be ", ". You choose the password."],
        you_choose: ["You choose a name and a password; your address will be ", "."],
        name: "name",
        in_the_browser: "Continue in the browser",
        nothing_to_install: "Nothing to install. Or use an app:",
        get_an_app: "1. Get an app",
        open_it: "2. Open the invitation in it",
        on_this_device: "On this device:",
        open_in_the_app: "Open in the app",
        scan: "On a phone, scan this with the app:",
        code: "The invitation as a QR code",
        copy: "Or copy it: ",
        limits: |uses, hours| {
            let time = match hours {
                0 => "less than an hour".to_owned(),
                1 => "one more hour".to_owned(),
                hours if hours < 48 => format!("{hours} more hours"),
                hours => format!("{} more days", hours / 24),
            };
            let uses = match uses {
                1 => "one person".to_owned(),
                uses => format!("{uses} people"),
            };
            format!("The invitation is good for {uses} and for {time}.")
        },
    },
    join: Join {
        summary: "The app cannot open it?",
        explanation: "Make the account here, then log in with the app. Dino, Gajim and Profanity need this.",
        name: "Name",
        password: "Password",
        again: "The password again",
        make: "Make the account",
        not_the_same: "The two passwords are not the same.",
        taken: "Somebody has that name already.",
        failed: "It did not work. Please try again later.",
        welcome: "Welcome",
        your_address: ["Your address is ", "."],
        log_in: "Log in with it and your password, in as many apps as you like:",
    },
    about: About {
        lead: "A private chat server. Its people write to each other with apps of their choice, end-to-end \
               encrypted, without giving a phone number to anybody.",
        apps: "Apps",
        addresses: ["An address here looks like ", ". These apps work well with it:"],
        is_it_you: "Is it really you?",
        fingerprints: "Messages are encrypted for the devices of the person you write to. To be sure whose \
                       devices these are, meet once and scan the code that the app shows: in Conversations it \
                       is in the contact's details, in other apps look for <em>fingerprints</em> or \
                       <em>encryption keys</em>. From then on the app warns you when a device appears that has \
                       not been checked.",
        browser: "In the browser",
        no_installation: "Clownfish, the app of this server, needs no installation.",
        open_clownfish: "Open Clownfish",
        without_clownfish: "This server was built without Clownfish, the app for browsers. Who runs it gets it \
                            with <code>make web</code> in the source, and a new build after that.",
        account: "An account",
        by_invitation: "People come in by invitation. If you know somebody here, ask them for one.",
        ask: "Ask for an account",
        questions: ["Questions go to ", "."],
    },
    request: Request {
        none_taken: ("Not here", "This server takes no requests. People come in by invitation."),
        too_many: (
            "Please wait",
            "Too many requests came from this network today. Try again tomorrow.",
        ),
        full: ("Please come back later", "Many requests wait for an answer already."),
        thanks: ("Thank you", "The operator will read your request and answer it."),
        heading: "Ask for an account",
        explanation: "A person reads this and, if it is a yes, sends you an invitation.",
        name: "The name you would like",
        contact: "Where the invitation can reach you",
        contact_example: "e-mail, phone, another chat address",
        text: "Who are you? (optional)",
        trap: "Leave this empty",
        send: "Send",
        no_contact: "Please say how the invitation can reach you.",
        long_text: "Please write less than a thousand characters.",
    },
    reset: Reset {
        too_many: (
            "Please wait",
            "Too many links were looked up from this network. Try again in an hour.",
        ),
        invalid: (
            "This link is no longer valid",
            "It has been used or is too old. Whoever runs the server can make another one.",
        ),
        failed: ("Please come back later", "The server cannot do that at the moment."),
        heading: "A new password",
        account: ["For the account ", "."],
        explanation: "All devices will be logged out, and log in again with the new password. What was \
                      end-to-end encrypted can still be read where it was read before.",
        password: "New password",
        set: "Set the password",
        unusable: |least| {
            format!("Take a longer or less obvious one: at least {least} characters.")
        },
        done: "The password is set",
        log_in: ["Log in as ", " with the new password, in each of your apps."],
    },
};
