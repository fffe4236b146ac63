//! German.

use super::{About, Invitation, Join, Request, Reset, Words};

pub(super) const WORDS: Words = Words {
    tag: "de",
    to_the_front_door: "Zum Eingang",
    nothing_here: ("Hier ist nichts", "Diese Adresse führt nirgendwohin."),
    too_long: ("Zu lang", "Bitte schreib weniger."),
    use_the_form: ("So nicht", "Bitte nimm das Formular."),
    bad_name: "Der Name kann Buchstaben, Ziffern, Punkte und Striche haben, und keine Leerzeichen.",
    invitation: Invitation {
        too_many: (
            "Bitte warte",
            "Aus diesem Netz wurden zu viele Einladungen aufgerufen. Versuch es in einer Stunde wieder.",
        ),
        invalid: (
            "Diese Einladung gilt nicht mehr",
            "Sie wurde benutzt, ist abgelaufen oder wurde zurückgenommen. Bitte um eine neue.",
        ),
        invites: |inviter, place| format!("{inviter} lädt dich zu {place} ein"),
        invited: |place| format!("Du bist zu {place} eingeladen"),
        lead: "Ein privater Server zum Chatten: Ende-zu-Ende-verschlüsselt, ohne Telefonnummer, ohne Werbung.",
        your_address: ["Deine Adresse wird ", ". Das Passwort wählst du."],
        you_choose: ["Du wählst einen Namen und ein Passwort; deine Adresse wird ", "."],
        name: "name",
        in_the_browser: "Im Browser weiter",
        nothing_to_install: "Nichts zu installieren. Oder nimm eine App:",
        get_an_app: "1. Hol dir eine App",
        open_it: "2. Öffne die Einladung damit",
        on_this_device: "Auf diesem Gerät:",
        open_in_the_app: "In der App öffnen",
        scan: "Auf einem Telefon: lies das mit der App ein:",
        code: "Die Einladung als QR-Code",
        copy: "Oder kopiere sie: ",
        limits: |uses, hours| {
            let time = match hours {
                0 => "weniger als eine Stunde".to_owned(),
                1 => "noch eine Stunde".to_owned(),
                hours if hours < 48 => format!("noch {hours} Stunden"),
                hours => format!("noch {} Tage", hours / 24),
            };
            let uses = match uses {
                1 => "eine Person".to_owned(),
                uses => format!("{uses} Personen"),
            };
            format!("Die Einladung gilt für {uses} und {time}.")
        },
    },
    join: Join {
        summary: "Die App kann sie nicht öffnen?",
        explanation: "Leg das Konto hier an und melde dich dann mit der App an. Dino, Gajim und Profanity brauchen das.",
        name: "Name",
        password: "Passwort",
        again: "Das Passwort noch einmal",
        make: "Konto anlegen",
        not_the_same: "Die beiden Passwörter sind nicht gleich.",
        taken: "Diesen Namen hat schon jemand.",
        failed: "Das hat nicht geklappt. Bitte versuch es später noch einmal.",
        welcome: "Willkommen",
        your_address: ["Deine Adresse ist ", "."],
        log_in: "Melde dich damit und mit deinem Passwort an, in so vielen Apps, wie du möchtest:",
    },
    about: About {
        lead: "Ein privater Server zum Chatten. Wer hier ist, schreibt mit einer App eigener Wahl, \
               Ende-zu-Ende-verschlüsselt und ohne jemandem eine Telefonnummer zu geben.",
        apps: "Apps",
        addresses: ["Eine Adresse hier sieht so aus: ", ". Diese Apps passen gut dazu:"],
        is_it_you: "Bist du es wirklich?",
        fingerprints: "Nachrichten werden für die Geräte der Person verschlüsselt, der du schreibst. Damit sicher \
                       ist, wessen Geräte das sind, trefft euch einmal und lest den Code ein, den die App zeigt: \
                       in Conversations steht er in den Details zum Kontakt, in anderen Apps such nach \
                       <em>Fingerabdrücken</em> oder <em>Schlüsseln</em>. Von da an warnt die App, wenn ein Gerät \
                       auftaucht, das nicht geprüft ist.",
        browser: "Im Browser",
        no_installation: "Clownfish, die App dieses Servers, muss nicht installiert werden.",
        open_clownfish: "Clownfish öffnen",
        without_clownfish: "Dieser Server wurde ohne Clownfish, die App für Browser, gebaut. Wer ihn betreibt, \
                            bekommt sie mit <code>make web</code> im Quelltext und einem neuen Bau danach.",
        account: "Ein Konto",
        by_invitation: "Herein kommt man mit einer Einladung. Wenn du hier jemanden kennst, bitte um eine.",
        ask: "Um ein Konto bitten",
        questions: ["Fragen gehen an ", "."],
    },
    request: Request {
        none_taken: (
            "Hier nicht",
            "Dieser Server nimmt keine Anfragen an. Herein kommt man mit einer Einladung.",
        ),
        too_many: (
            "Bitte warte",
            "Aus diesem Netz kamen heute zu viele Anfragen. Versuch es morgen wieder.",
        ),
        full: ("Bitte komm später wieder", "Viele Anfragen warten schon auf eine Antwort."),
        thanks: ("Danke", "Wer den Server betreibt, liest deine Anfrage und beantwortet sie."),
        heading: "Um ein Konto bitten",
        explanation: "Ein Mensch liest das und schickt dir, wenn die Antwort Ja ist, eine Einladung.",
        name: "Der Name, den du gern hättest",
        contact: "Wo die Einladung dich erreicht",
        contact_example: "E-Mail, Telefon, eine andere Chat-Adresse",
        text: "Wer bist du? (freiwillig)",
        trap: "Lass das leer",
        send: "Absenden",
        no_contact: "Bitte schreib, wo die Einladung dich erreicht.",
        long_text: "Bitte schreib weniger als tausend Zeichen.",
    },
    reset: Reset {
        too_many: (
            "Bitte warte",
            "Aus diesem Netz wurden zu viele Links aufgerufen. Versuch es in einer Stunde wieder.",
        ),
        invalid: (
            "Dieser Link gilt nicht mehr",
            "Er wurde benutzt oder ist zu alt. Wer den Server betreibt, kann einen neuen machen.",
        ),
        failed: ("Bitte komm später wieder", "Der Server kann das gerade nicht."),
        heading: "Ein neues Passwort",
        account: ["Für das Konto ", "."],
        explanation: "Alle Geräte werden abgemeldet und melden sich mit dem neuen Passwort wieder an. Was \
                      Ende-zu-Ende-verschlüsselt war, ist dort lesbar, wo es schon lesbar war.",
        password: "Neues Passwort",
        set: "Passwort setzen",
        unusable: |least| {
            format!("Nimm ein längeres oder weniger naheliegendes: mindestens {least} Zeichen.")
        },
        done: "Das Passwort ist gesetzt",
        log_in: ["Melde dich in jeder deiner Apps als ", " mit dem neuen Passwort an."],
    },
};
