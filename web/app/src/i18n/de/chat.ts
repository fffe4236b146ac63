// Wörter eines Chats.

import { plural } from "../index";

export const back = "Zurück zur Liste";
export const menu = "Mehr zu diesem Chat";
export const activeAgo = "aktiv {time}";
export const online = "online";
export const away = "abwesend";
export const awayLong = "länger abwesend";
export const busy = "beschäftigt";
export const wantsToChat = "hat Zeit zum Chatten";
export const blocked = "blockiert";
export const yourself = "Notizen an sich selbst";
export const you = "Du";
export const lockEncrypted = "Ende-zu-Ende-verschlüsselt";
export const lockVerified = "Ende-zu-Ende-verschlüsselt und verifiziert";
export const lockLeftOut = "Ende-zu-Ende-verschlüsselt, aber einige Geräte sind ausgeschlossen";
export const lockOpen = "Nicht Ende-zu-Ende-verschlüsselt";
export const find = "In diesem Chat suchen";
export const media = "Bilder und Dateien";
export const muted = "Stumm";
export const mute = "Stummschalten";
export const mute1h = "1 Stunde stummschalten";
export const mute8h = "8 Stunden stummschalten";
export const mute1w = "1 Woche stummschalten";
export const muteAlways = "Immer stummschalten";
export const unmute = "Nicht mehr stumm";
export const pin = "Anheften";
export const unpin = "Lösen";
export const details = "Details";
export const block = "Blockieren";
export const unblock = "Blockierung aufheben";

export const readersTitle = "Wer diesen Chat lesen kann";
export const readersPlain =
  "Was du hier schreibst, ist nicht Ende-zu-Ende-verschlüsselt: Dein Server und der von {name} können es lesen.";
export const readersNone =
  "Nachrichten werden verschlüsselt, bevor sie dieses Gerät verlassen. Welche Geräte von {name} sie lesen können, steht fest, sobald die erste gesendet ist.";
export const readersTheirs = (n: number): string =>
  plural(n, "Ein Gerät von {name}", "{n} Geräte von {name}");
export const readersOwn = (n: number): string =>
  plural(n, "Dein anderes Gerät", "{n} andere Geräte von dir");
export const readersThis = "Dieses Gerät";
export const readersNobody = "Sonst niemand: Kein Server unterwegs kann mitlesen.";
export const readersLeftOut = (n: number): string =>
  plural(
    n,
    "Ein Gerät ist ausgeschlossen: Du vertraust ihm nicht, oder es hat keine brauchbaren Schlüssel.",
    "{n} Geräte sind ausgeschlossen: Du vertraust ihnen nicht, oder sie haben keine brauchbaren Schlüssel.",
  );
export const readersVerified = "Du hast alle Geräte von {name} verifiziert.";
export const readersUnverified =
  "Du hast noch keine Schlüssel mit {name} verglichen. Das stellt sicher, dass niemand dazwischen mithört.";
export const devices = "Geräte und Verifizierung";
export const encryptAgain = "Diesen Chat verschlüsseln";


export const timeline = "Nachrichten mit {name}";
export const unread = (n: number): string => (n === 0 ? "Ungelesene Nachrichten" : plural(n, "Eine ungelesene Nachricht", "{n} ungelesene Nachrichten"));
export const older = "Ältere Nachrichten werden geladen …";
export const olderFailed = "Ältere Nachrichten konnten nicht geladen werden.";
export const newer = "Neuere Nachrichten werden geladen …";
export const newerFailed = "Neuere Nachrichten konnten nicht geladen werden.";
export const behind = "Was inzwischen geschrieben wurde, konnte noch nicht geladen werden.";
export const again = "Noch einmal versuchen";
export const beginning = "Hier beginnt dein Chat mit {name}.";
export const beginningEncrypted =
  "Nachrichten sind Ende-zu-Ende-verschlüsselt: Nur du und {name} können sie lesen, kein Server dazwischen.";
export const hello = "👋";
export const sendHello = "{name} zuwinken";
export const latest = "Zur neuesten Nachricht";
export const latestNew = (n: number): string =>
  plural(n, "Zur neuesten Nachricht, eine neue", "Zur neuesten Nachricht, {n} neue");
export const nextMention = (n: number): string =>
  plural(n, "Zur Nachricht springen, die dich nennt", "Zur nächsten von {n} Nachrichten springen, die dich nennen");
export const opening = "Der Chat wird geöffnet …";
export const notFoundHere = "Diese Nachricht ist nicht mehr hier.";
export const searchingOlder = "Die Nachricht wird gesucht …";
export const searchingMore = "Die Suche läuft noch …";

export const says = "{name}, {time}";
export const replyTo = "Antwort auf {name}: {text}";
export const edited = "bearbeitet";
export const editedTitle = "Bearbeitet: frühere Fassungen zeigen";
export const versionsTitle = "Fassungen dieser Nachricht";
export const versionNow = "Jetzt";
export const versionUntil = "Bis {time}";
export const retracted = "Diese Nachricht wurde gelöscht.";
export const retractedOwn = "Du hast diese Nachricht gelöscht.";
export const showAll = (n: number): string => plural(n, "Alles zeigen", "Alles zeigen ({n} Zeichen)");
export const showMore = "Mehr zeigen";
export const showLess = "Weniger zeigen";
export const notEncrypted = "unverschlüsselt";
export const queued = "Wartet auf den Versand";
export const waitsForKeys = "Wartet auf die Schlüssel von {name}";
export const sent = "Gesendet: Der Server hat sie";
export const delivered = "Auf einem Gerät angekommen";
export const read = "Gelesen";
export const stateDetails = "{state}: Details";
export const failed = "Nicht gesendet: {reason}";
export const retry = "Noch einmal versuchen";
export const discard = "Verwerfen";
export const unavailable = "Nachricht, die nicht hier ist";
export const picture = "Bild";
export const video = "Video";
export const voice = "Sprachnachricht";
export const sound = "Ton";
export const file = "Datei";
export const reactedBy = "{names}: {emoji}";
export const reactionsOf = "Reaktionen: {list}";
export const moreReactions = (n: number): string => plural(n, "Eine weitere Reaktion", "{n} weitere Reaktionen");
export const noReactions = "Niemand hat reagiert.";
export const addReaction = "Mit {emoji} reagieren";
export const removeReaction = "{emoji} zurücknehmen";

export const whyNotForThisDevice =
  "Diese Nachricht wurde nicht für dieses Gerät verschlüsselt: Sie wurde gesendet, bevor der Absender dieses Gerät kannte.";
export const whyNoSession =
  "Diese Nachricht ist nicht lesbar: Dieses Gerät und das des Absenders hatten keine gemeinsamen Schlüssel. Bitte darum, sie noch einmal zu senden.";
export const whyUnknownKey =
  "Diese Nachricht ist nicht lesbar: Sie wurde mit einem Schlüssel gemacht, den dieses Gerät nicht mehr hat. Bitte darum, sie noch einmal zu senden.";
export const whyForged =
  "Dieser Nachricht ist nicht zu trauen: Sie ist beschädigt oder nicht von dem, den sie nennt.";
export const whyKeyUsed =
  "Diese Nachricht ist nicht lesbar: Sie kam zu spät oder wurde schon gelesen, und ihr Schlüssel ist gelöscht. Bitte darum, sie noch einmal zu senden.";
export const whyTooFarAhead =
  "Diese Nachricht ist nicht lesbar: Zu viele Nachrichten davor fehlen. Bitte darum, sie noch einmal zu senden.";
export const whyMalformed =
  "Diese Nachricht ergibt keinen Sinn: Das Programm des Absenders hat einen Fehler gemacht.";
export const whyContradiction =
  "Dieser Nachricht ist nicht zu trauen: Was darin unterschrieben ist, nennt einen anderen Absender oder einen anderen Chat.";
export const whyDistrusted = "Diese Nachricht kommt von einem Gerät, dem du nicht vertraust.";
export const whyUnknownEncryption =
  "Diese Nachricht benutzt eine Verschlüsselung, die Clownfish nicht kennt.";
export const repair = "Verschlüsselung reparieren";
export const repaired = "Neue Schlüssel sind vereinbart. Was ab jetzt kommt, ist lesbar.";

export const newDevice = "{name} benutzt ein neues Gerät.";
export const newDeviceOwn = "Du benutzt ein neues Gerät.";
export const newDeviceWaits = "{name} benutzt ein neues Gerät. Es bekommt nichts, bis du entscheidest.";
export const newDeviceOwnWaits = "Du benutzt ein neues Gerät. Es bekommt nichts, bis du entscheidest.";
export const lookAtDevice = "Ansehen";
export const gap = "Hier können Nachrichten fehlen: Der Server hat sie nicht mehr.";
export const restored =
  "Dieses Profil ist auf einen früheren Stand zurückgesetzt worden. Die Verschlüsselung mit allen beginnt neu; was andere seitdem geschickt haben, ist vielleicht nicht lesbar.";
export const optOut = "{name} bittet dich, unverschlüsselt zu schreiben.";
export const optOutReason = "{name} bittet dich, unverschlüsselt zu schreiben: „{reason}“.";
export const optOutDecide = "Nichts wird gesendet, bis du entscheidest.";
export const keepEncrypting = "Weiter verschlüsseln";
export const writePlain = "Unverschlüsselt schreiben …";
export const plainTitle = "Unverschlüsselt schreiben?";
export const plainText =
  "Dein Server und der von {name} können dann alles lesen, was du hier ab jetzt schreibst. Du kannst die Verschlüsselung jederzeit wieder einschalten.";
export const plainConfirm = "Unverschlüsselt schreiben";
export const plainWaiting =
  "Was schon wartet, bleibt verschlüsselt: In seinem Menü kannst du es unverschlüsselt senden oder verwerfen.";
export const sendPlain = "Unverschlüsselt senden …";
export const sendPlainTitle = "Diese Nachricht unverschlüsselt senden?";
export const sendPlainText =
  "Alle Server auf dem Weg können sie lesen. Was du danach schreibst, wird wie bisher verschlüsselt.";
export const sendPlainConfirm = "Unverschlüsselt senden";
export const cancel = "Abbrechen";
export const close = "Schließen";

export const actions = "Aktionen für die Nachricht";
export const moreActions = "Mehr";
export const react = "Reagieren";
export const moreEmoji = "Mehr Emoji";
export const reply = "Antworten";
export const copy = "Text kopieren";
export const copied = "Kopiert";
export const copyFailed = "Der Browser hat das Kopieren nicht erlaubt.";
export const forward = "Weiterleiten …";
export const edit = "Bearbeiten";
export const remove = "Für alle löschen …";
export const deleteHere = "Auf diesem Gerät löschen …";
export const messageDetails = "Details";
export const star = "Mit Stern markieren";
export const unstar = "Stern entfernen";
export const starred = "Mit Stern";
export const select = "Auswählen";
export const save = "Speichern";
export const removeTitle = (n: number): string =>
  plural(n, "Diese Nachricht für alle löschen?", "{n} Nachrichten für alle löschen?");
export const removeText = (n: number): string =>
  plural(
    n,
    "Die Programme aller Beteiligten werden gebeten, sie zu löschen. Wer sie schon gelesen hat, erinnert sich vielleicht daran, und manche Programme behalten sie.",
    "Die Programme aller Beteiligten werden gebeten, sie alle zu löschen. Wer sie schon gelesen hat, erinnert sich vielleicht daran, und manche Programme behalten sie.",
  );
export const removeConfirm = "Für alle löschen";
export const deleteHereTitle = (n: number): string =>
  plural(n, "Diese Nachricht auf diesem Gerät löschen?", "{n} Nachrichten auf diesem Gerät löschen?");
export const deleteHereText = (n: number): string =>
  plural(
    n,
    "Nur auf diesem Gerät: Alle anderen im Chat behalten sie, und deine anderen Geräte auch. Hier lässt sie sich nicht zurückholen.",
    "Nur auf diesem Gerät: Alle anderen im Chat behalten sie, und deine anderen Geräte auch. Hier lassen sie sich nicht zurückholen.",
  );
export const deleteHereConfirm = "Auf diesem Gerät löschen";
export const discardTitle = "Diese Nachricht verwerfen?";
export const discardText = "Sie wurde nie gesendet. Sie verschwindet von diesem Gerät.";
export const selected = (n: number): string => plural(n, "Eine ausgewählt", "{n} ausgewählt");
export const selectMessage = "Nachricht auswählen";
export const copySelected = "Kopieren";
export const forwardSelected = "Weiterleiten";
export const removeSelected = "Löschen";
export const endSelection = "Auswahl beenden";
export const forwardTitle = "Weiterleiten an";
export const forwardSearch = "Personen suchen";
export const forwardNobody = "Niemand gefunden.";
export const forwarded = "An {name} weitergeleitet";
export const forwardedTo = (n: number): string => plural(n, "An einen Chat weitergeleitet", "An {n} Chats weitergeleitet");
export const forwardMost = "Höchstens {n} auf einmal";
export const forwardPlainTitle = "Unverschlüsselt weiterleiten?";
export const forwardPlainText =
  "Das wurde Ende-zu-Ende-verschlüsselt geschrieben. Was an {name} geht, ist es nicht: Server unterwegs werden es lesen können.";
export const forwardPlainConfirm = "Unverschlüsselt weiterleiten";

export const detailsTitle = "Über diese Nachricht";
export const detailFrom = "Von";
export const detailTime = "Zeit";
export const detailState = "Stand";
export const detailReached = "Geräte, die sie haben";
export const reachedDelivered = "Zugestellt";
export const reachedRead = "Gelesen";
export const detailEncryption = "Verschlüsselung";
export const detailDevice = "Geschrieben auf";
export const detailKey = "Schlüssel";
export const detailFile = "Datei";
export const detailVersions = "Frühere Fassungen";
export const detailReactions = "Reaktionen";
export const encryptedWith = "Ende-zu-Ende-verschlüsselt (OMEMO)";
export const encryptedLater = "Wird verschlüsselt, sobald sie gesendet wird";
export const encryptedNot = "Unverschlüsselt: Server unterwegs konnten sie lesen";
export const deviceNamed = "{label} ({id})";
export const deviceUnnamed = "Ein Gerät";
export const deviceThis = "Dieses Gerät";
export const trustUndecided = "Noch nicht entschieden";
export const trustBlind = "Vertraut, nicht verifiziert";
export const trustVerified = "Verifiziert";
export const trustDistrusted = "Nicht vertraut";

export const writeLabel = "Verschlüsselte Nachricht";
export const writePlainLabel = "Nachricht, unverschlüsselt";
export const writePlaceholder = "Verschlüsselt";
export const writePlainPlaceholder = "Unverschlüsselt";
export const captionPlaceholder = "Bildunterschrift";
export const send = "Senden";
export const saveEdit = "Änderung speichern";
export const replyingTo = "Antwort an {name}";
export const editing = "Nachricht bearbeiten";
export const stopReply = "Nicht antworten";
export const stopEdit = "Nicht bearbeiten";
export const emoji = "Emoji";
export const attach = "Anhängen";
export const attachMedia = "Bild oder Video";
export const attachCamera = "Foto aufnehmen";
export const attachFile = "Datei";
export const drop = "Dateien hier ablegen, um sie an {name} zu senden";
export const tray = "Dateien zum Senden";
export const trayRemove = "{name} entfernen";
export const trayEmpty = "Eine leere Datei kann nicht gesendet werden.";
export const trayFull = (n: number): string =>
  plural(n, "Höchstens {most} Dateien auf einmal: Eine wurde weggelassen.", "Höchstens {most} Dateien auf einmal: {n} wurden weggelassen.");
export const tooLong = (n: number): string =>
  plural(n, "Der Text ist um ein Zeichen zu lang. Kürze ihn oder sende ihn als Datei.", "Der Text ist um {n} Zeichen zu lang. Kürze ihn oder sende ihn als Datei.");
export const asTheyAreTitle = (n: number): string =>
  plural(n, "Ein Bild senden, wie es ist?", "{n} Bilder senden, wie sie sind?");
export const asTheyAreText =
  "Dieser Browser kann {names} nicht verkleinern. Was die Kamera darin vermerkt hat, vielleicht auch den Ort der Aufnahme, würde mitgesendet.";
export const asTheyAreSend = "So senden, wie es ist";
export const describe = "{name} beschreiben";
export const described = "{name}, beschrieben: {text}";
export const describeTitle = "Bild beschreiben";
export const describeLabel = "Beschreibung für alle, die das Bild nicht sehen können";
export const describeHint = "Die anderen bekommen es mit dem Bild.";
export const describeMark = "ALT";
export const quality = "Qualität der Bilder";
export const qualitySmaller = "Kleiner";
export const qualityOriginal = "Original";
export const qualitySmallerHint =
  "Höchstens 2048 Pixel je Seite. Was die Kamera darin vermerkt hat, etwa den Ort, wird entfernt.";
export const qualityOriginalHint =
  "So, wie es ist, mit allem, was die Kamera darin vermerkt hat, vielleicht auch dem Ort der Aufnahme.";
export const notSent = "Konnte nicht gesendet werden: {reason}";
export const blockedHere = "Du hast {name} blockiert.";
export const strangerBar =
  "{name} ist nicht unter deinen Kontakten. Wenn du antwortest, ist zu sehen, dass es dich hier gibt.";
export const strangerAccept = "Als Kontakt aufnehmen";
export const plainBar = "Unverschlüsselt: Server unterwegs können lesen, was du schreibst.";
export const plainBarAction = "Verschlüsseln";
export const leftOutBar = (n: number): string =>
  plural(n, "Ein Gerät wird das nicht lesen können.", "{n} Geräte werden das nicht lesen können.");
export const leftOutAction = "Welche?";
export const waitsBar =
  "{name} hat noch keine Schlüssel. Was du schreibst, wartet und geht von selbst verschlüsselt ab, sobald {name} eine App geöffnet hat, die es lesen kann.";
export const nobodyBar =
  "Noch kein Gerät von {name} kann verschlüsselte Nachrichten lesen. Ohne Verschlüsselung wird nichts gesendet, außer du willst es so.";

export const record = "Sprachnachricht aufnehmen";
export const recording = "Aufnahme, {time}";
export const recordCancel = "Aufnahme verwerfen";
export const recordPause = "Pause";
export const recordResume = "Weiter aufnehmen";
export const recordSend = "Sprachnachricht senden";
export const recordSlide = "Zum Abbrechen wischen";
export const recordLocked = "Die Aufnahme läuft weiter. Sende oder verwirf sie, wenn du fertig bist.";
export const recordBlocked =
  "Das Mikrofon ist gesperrt. Erlaube es für diese Seite in den Einstellungen des Browsers, meist hinter dem Zeichen neben der Adresse.";
export const recordMissing = "Es wurde kein Mikrofon gefunden.";
export const recordUnable = "Dieser Browser kann keinen Ton aufnehmen.";
export const recordShort = "Zum Aufnehmen halten oder einmal tippen, um länger aufzunehmen.";
export const recordEnded = "Das Mikrofon ist weg. Was bis dahin aufgenommen wurde, kannst du noch senden.";
export const recordLost = "Das Mikrofon war weg, bevor etwas aufgenommen wurde.";

export const fetchSize = "Laden ({size})";
export const fetch = "Laden";
export const fetchFile = "{name} laden, {size}";
export const fetchFailed = "Konnte nicht geladen werden: {reason}";
export const transferring = "{percent} % von {name}";
export const transferWaiting = "Übertragung von {name}";
export const transferCancel = "Übertragung abbrechen";
export const sizeUnknown = "Größe unbekannt";
export const viewPicture = "Das Bild {name} ansehen";
export const viewFilm = "Film {name} ansehen";
export const broken = "Diese Datei kann nicht gezeigt werden. Speichern kannst du sie trotzdem.";
export const gone = "Diese Datei ist nicht mehr auf diesem Gerät.";
export const fetchAgain = "Noch einmal laden";
export const saveFile = "{name} speichern";
export const playFile = "{name} abspielen, {size}";
export const play = "Abspielen";
export const pause = "Pause";
export const speed = "Tempo {speed}";
export const position = "Stelle";
export const player = "Wiedergabe";
export const playerShow = "Nachricht zeigen";
export const playerClose = "Wiedergabe beenden";
export const galleryTitle = "Bilder und Dateien";
export const galleryEmpty = "Keine Bilder oder Dateien in diesem Chat.";
export const galleryMore = "Ältere werden gesucht …";
export const galleryFailed = "Ältere konnten nicht geladen werden.";
export const viewerNext = "Nächstes";
export const viewerPrevious = "Voriges";
export const viewerZoomIn = "Vergrößern";
export const viewerZoomOut = "Verkleinern";
export const viewerCount = "{n} von {all}";

export const searchHint = "Suchen";
export const searchNext = "Nächster Treffer (älter)";
export const searchPrevious = "Voriger Treffer (neuer)";
export const searchNone = "Nichts gefunden";
export const searchCount = "{n} von {all}";
export const searchClose = "Suche schließen";

export const emojiTitle = "Emoji wählen";
export const emojiSearch = "Emoji suchen";
export const emojiNone = "Kein Emoji gefunden.";
export const emojiRecent = "Zuletzt";
export const emojiFailed = "Die Emojis konnten nicht geladen werden.";
export const emojiTone = "Hautton";
export const emojiTones = ["Ohne Hautton", "Heller Hautton", "Mittelheller Hautton", "Mittlerer Hautton", "Mitteldunkler Hautton", "Dunkler Hautton"];
export const emojiGroups = {
  faces: "Smileys",
  people: "Menschen",
  nature: "Tiere und Natur",
  food: "Essen",
  activity: "Aktivitäten",
  travel: "Reisen",
  things: "Dinge",
  signs: "Zeichen",
  flags: "Flaggen",
};
