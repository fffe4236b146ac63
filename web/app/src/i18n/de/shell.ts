import { plural } from "../index";

export const back = "Zurück";
export const cancel = "Abbrechen";
export const close = "Schließen";
export const dismiss = "Ausblenden";
export const details = "Details";
export const more = "Mehr";
export const send = "Senden";
export const share = "Teilen";
export const later = "Später";
export const notNow = "Nicht jetzt";
export const allow = "Erlauben";
export const reload = "Neu laden";
export const failed = "Das hat nicht geklappt: {reason}";
export const password = "Passwort";
export const showPassword = "Passwort zeigen";
export const hidePassword = "Passwort verbergen";
export const copied = "Kopiert";
export const copyRefused = "Der Browser lässt die Seite nicht kopieren. Bitte markiere den Text und kopiere ihn selbst.";

export const conversations = "Chats";
export const newChat = "Neuer Chat";
export const yourProfile = "Dein Profil";
export const filter = "Anzeigen";
export const filterAll = "Alle";
export const filterGroups = "Gruppen";
export const filterMuted = "Stumm";
export const filterHidden = "Verborgen";
export const filterUnread = "Ungelesen";
export const filterUnreadCount = (n: number) => plural(n, "Ungelesen ({n})", "Ungelesen ({n})");
export const allRead = "Alles gelesen";
export const allReadText = "Hier wartet nichts auf dich.";
export const nobody = "Noch niemand hier";
export const nobodyText = "Lade Freunde ein oder füge jemanden hinzu, der schon eine Adresse hat. Was ihr euch schreibt, ist von Gerät zu Gerät verschlüsselt.";
export const inviteSomebody = "Leute einladen";
export const addContact = "Mit Adresse hinzufügen";
export const requests = "Nachrichtenanfragen";
export const requestsCount = (n: number) => plural(n, "{n} Person möchte mit dir schreiben", "{n} Personen möchten mit dir schreiben");

export const you = "Du:";
export const draft = "Entwurf:";
export const typing = "schreibt …";
export const nothingYet = "Noch keine Nachrichten";
export const online = "online";
export const mutedMark = "stumm";
export const pinnedMark = "angeheftet";
export const unreadCount = (n: number) => plural(n, "{n} ungelesene Nachricht", "{n} ungelesene Nachrichten");
export const wrote = "{name} hat geschrieben. Ungelesen: {n}";
export const news = "Neuigkeiten";
export const time = {
  now: "jetzt",
  minutes: (n: number) => plural(n, "{n} Min.", "{n} Min."),
  yesterday: "Gestern",
};
export const delivery = {
  queued: "wartet auf den Versand",
  sent: "gesendet",
  delivered: "zugestellt",
  read: "gelesen",
  failed: "nicht gesendet",
};

export const menuOf = "Aktionen für {name}";
export const markRead = "Als gelesen markieren";
export const pin = "Anheften";
export const unpin = "Lösen";
export const mute = "Stummschalten";
export const unmute = "Nicht mehr stumm";
export const muteFor = "{name} stummschalten für";
export const muteHour = "1 Stunde";
export const muteHours = "8 Stunden";
export const muteWeek = "1 Woche";
export const muteForever = "Immer";
export const hide = "Verbergen";
export const hideHint = "Eine neue Nachricht bringt ihn zurück";
export const unhide = "In der Liste zeigen";
export const clearHistory = "Verlauf leeren …";
export const clearTitle = "Den Verlauf mit {name} leeren?";
export const clearText =
  "Alle Nachrichten darin und die Bilder und Dateien, die damit aufbewahrt werden, werden von diesem Gerät gelöscht. Nur hier: Die anderen behalten ihre, und deine anderen Geräte auch. Hier lassen sie sich nicht zurückholen, und was noch nicht gesendet ist, wird nicht gesendet.";
export const clearAction = "Verlauf leeren";
export const cleared = "Der Verlauf mit {name} ist auf diesem Gerät geleert";
export const deleteChat = "Chat löschen …";
export const deleteTitle = "Den Chat mit {name} löschen?";
export const deleteAction = "Chat löschen";
export const deleted = "Der Chat mit {name} ist auf diesem Gerät gelöscht";
export const undo = "Rückgängig";
export const hidden = "{name} ist verborgen, bis jemand schreibt";
export const block = "Blockieren";
export const blockTitle = "{name} blockieren?";
export const blockText = "Du bekommst von dieser Adresse keine Nachrichten mehr, und sie sieht nicht, wann du online bist. Sie erfährt nichts davon.";
export const blocked = "{name} ist blockiert";
export const unblock = "Blockierung aufheben";
export const unblockSomebody = "Blockierung von {name} aufheben";
export const unblocked = "{name} ist nicht mehr blockiert";

export const starred = "Nachrichten mit Stern";
export const starredOf = "Mit Stern: {name}";
export const starredNone = "Keine Nachrichten mit Stern";
export const starredNoneText = "Gib einer Nachricht in ihrem Menü einen Stern, um sie hier wiederzufinden.";
export const starredHint = "Sterne gehören nur dir. Deine anderen Geräte bekommen sie verschlüsselt; sonst erfährt niemand davon.";
export const unstar = "Stern entfernen";
export const unstarThat = "Stern entfernen: {text}";
export const starredBusy = "Nachrichten mit Stern werden gesucht …";
export const starredFailed = "Die Nachrichten mit Stern können nicht gezeigt werden";
export const starredAgain = "Noch einmal versuchen";

export const search = "Suchen";
export const searchLabel = "Personen, Chats und Nachrichten suchen";
export const clearSearch = "Suche leeren";
export const hiddenChats = "Verborgene Chats";
/** Other words by which it is found. */
export const hiddenChatsAlso = "archiv archiviert versteckt ausgeblendet";
export const mutedChats = "Stumme Chats";
export const mutedChatsAlso = "stummgeschaltet lautlos leise";
export const searchCut = "Die Suche wurde abgebrochen, weil Clownfish neu starten musste.";
export const searchAgain = "Noch einmal versuchen";
export const searching = "Suche läuft …";
export const people = "Personen";
export const chats = "Andere Chats";
export const messages = "Nachrichten";
export const nothingFound = "Nichts gefunden";
export const nothingFoundText = "Versuche es mit weniger oder anderen Buchstaben.";
export const foundCount = (n: number) => plural(n, "{n} Treffer", "{n} Treffer");
export const jump = "Gehe zu";
export const jumpHint = "Name, Adresse oder Seite";

export const nothingOpen = "Wähle einen Chat";
export const nothingOpenText = "Oder drücke Strg K und tippe ein paar Buchstaben eines Namens.";
export const nothingOpenApple = "Oder drücke ⌘ K und tippe ein paar Buchstaben eines Namens.";

export const connection = {
  connecting: "Verbinden …",
  catchingUp: "Verpasstes wird geholt …",
  offline: "Du bist offline. Was du schreibst, wird gesendet, sobald du wieder online bist.",
  waiting: "Keine Verbindung: {reason}.",
  again: (n: number) => plural(n, "Nächster Versuch in {n} Sekunde.", "Nächster Versuch in {n} Sekunden."),
  tryNow: "Jetzt versuchen",
  refused: "Der Server lässt dieses Gerät nicht hinein: {reason}",
  signIn: "Neu anmelden",
};
export const signInAgainText = "Gib das Passwort von {address} ein. Deine Chats bleiben auf diesem Gerät, wie sie sind.";
export const wrongPassword = "Das Passwort stimmt nicht.";
export const storageProblem = "Auf diesem Gerät kann nichts aufbewahrt werden: {reason}";
export const storageHelp = "Schaffe Platz auf dem Gerät, leere den Verlauf von Chats oder schließe andere Fenster. Bis dahin bleibt, was ankommt, auf dem Server.";
export const update = "Eine neue Version ist da.";
export const updateNow = "Aktualisieren";

export const clock = {
  ahead: "Die Uhr dieses Geräts geht {time} vor. Nachrichten können unter falschen Zeiten stehen.",
  behind: "Die Uhr dieses Geräts geht {time} nach. Nachrichten können unter falschen Zeiten stehen.",
  minutes: (n: number) => plural(n, "{n} Minute", "{n} Minuten"),
  hours: (n: number) => plural(n, "{n} Stunde", "{n} Stunden"),
  days: (n: number) => plural(n, "{n} Tag", "{n} Tage"),
};

export const starting = "Wird gestartet …";
export const elsewhere = "Clownfish ist in einem anderen Tab offen";
export const elsewhereText = "Immer nur ein Tab kann dein Konto haben. Der andere gibt es dann frei.";
export const useHere = "Hier verwenden";
export const updateTitle = "Jetzt aktualisieren?";
export const updateUnsent = "Eine Sprachnachricht, Dateien oder eine Änderung an einer Nachricht, die noch nicht gesendet sind, gehen dabei verloren. Sende sie zuerst, um sie zu behalten.";
export const failedTitle = {
  unsupported: "Dieser Browser kann Clownfish nicht ausführen",
  load: "Clownfish ließ sich nicht laden",
  altered: "Clownfish wurde nicht richtig geladen",
  busy: "Ein anderes Fenster hat deine Chats noch",
  storage: "Deine Chats lassen sich nicht öffnen",
  damaged: "Deine Chats lassen sich nicht öffnen",
  crashed: "Clownfish ist stehen geblieben",
};
export const failedText = {
  unsupported: "Es braucht Dateispeicher für Webseiten. Private Fenster haben oft keinen: Versuche ein normales Fenster oder ein aktuelles Firefox, Chrome, Edge oder Safari.",
  load: "Ein Teil der App kam nicht über das Netz. Deine Nachrichten sind auf diesem Gerät aufbewahrt. Lade neu, sobald du online bist.",
  altered: "Ein Teil der App ist nicht das, woraus diese Version besteht, und wurde deshalb nicht ausgeführt. Deine Nachrichten sind auf diesem Gerät aufbewahrt. Lade später neu; wenn das nicht hilft, sag es denen, die den Server betreiben.",
  busy: "Es hat sie noch nicht losgelassen. Schließe andere Fenster von Clownfish und lade dann neu.",
  storage: "Der Browser verweigert den Zugriff auf das, was auf diesem Gerät aufbewahrt ist. Schaffe Platz auf dem Gerät und lade dann neu.",
  damaged: "Was auf diesem Gerät aufbewahrt ist, ist beschädigt und lässt sich nicht lesen. Lade zuerst neu; wenn das nicht hilft, fang neu an.",
  crashed: "Nichts ist verloren: Deine Nachrichten sind auf diesem Gerät aufbewahrt. Lade neu, um weiterzumachen.",
};
export const lostTitle = "Was auf diesem Gerät aufbewahrt war, ist weg";
export const lostText = "Der Browser hat seinen Speicher geleert, oder jemand hat ihn gelöscht: Die Nachrichten und Schlüssel, die Clownfish hier aufbewahrt hat, gibt es nicht mehr. Dein Konto auf dem Server wird dadurch nicht gelöscht, und Nachrichten sind auf deinen anderen Geräten und auf dem Server, solange er sie aufbewahrt. Melde dich neu an, um weiterzumachen: Dies wird ein neues Gerät, das vorher Verschlüsseltes nicht lesen kann. Oder lege mit einer Einladung ein anderes Konto an.";
export const lostAction = "Neu anmelden";
export const eraseAction = "Löschen und neu anmelden";
export const eraseTitle = "Alles auf diesem Gerät löschen?";
export const eraseText = "Alle Nachrichten, Dateien und Schlüssel, die Clownfish in diesem Browser aufbewahrt, werden gelöscht. Nachrichten, die nur dieses Gerät lesen konnte, sind verloren; alles andere kommt vom Server zurück, wenn du dich anmeldest.";
export const erase = "Löschen";
export const crashed = "Auf dieser Seite ist etwas schiefgegangen";
export const crashedText = "Nichts ist verloren: Deine Nachrichten sind auf diesem Gerät aufbewahrt. Lade neu, um weiterzumachen.";
export const crashedDetails = "Was geschehen ist";

export const titleUnread = "({n}) Clownfish";
export const notifications = "Benachrichtigungen";
export const notifyOffer = "Möchtest du benachrichtigt werden, wenn jemand schreibt?";
export const turnOn = "Einschalten";
export const notifyHidden = "Neue Nachricht";
export const notifyStranger = "Nachricht von jemand Unbekanntem";
export const notifyStrangerText = "Solange du nicht antwortest, erfährt die Person nichts von dir.";
export const notifyCount = "{name} ({n})";
export const notifyReply = "Antworten";
export const notifyReplyHint = "Nachricht";
export const wokenMessage = "Neue Nachricht";
export const wokenCall = "Jemand hat angerufen";
export const wokenRequest = "Jemand möchte Kontakt aufnehmen";
export const notify = "Bei Nachrichten benachrichtigen";
export const notifyHint = "Nicht bei stummen Chats und nicht bei dem, den du gerade ansiehst";
export const notifyText = "Zeigen, was geschrieben wurde";
export const notifyTextHint = "Sonst nur, dass es etwas Neues gibt";
export const sound = "Ton abspielen";
export const notifyOpen = "Benachrichtigungen kommen, solange Clownfish in einem Tab oder Fenster offen ist, auch im Hintergrund, und sonst, wo der Server diesen Browser wecken kann.";
export const permission = {
  granted: "Benachrichtigungen sind erlaubt",
  default: "Benachrichtigungen sind noch nicht erlaubt",
  denied: "Benachrichtigungen sind gesperrt",
  unsupported: "Dieser Browser hat keine Benachrichtigungen",
};
export const permissionHint = {
  granted: "Von diesem Browser, für diese Seite",
  default: "Der Browser wird dich fragen",
  denied: "Erlaube sie in den Einstellungen des Browsers für diese Seite: das Symbol neben der Adresse",
  unsupported: "Auf iPhone und iPad: Lege Clownfish zuerst auf den Home-Bildschirm",
};

export const keyboard = "Tastenkürzel";
export const keyNames = { control: "Strg", alt: "Alt", shift: "Umschalt", enter: "Eingabe" };
export const keys = {
  jump: "Zu einem Chat oder einer Seite",
  nextUnread: "Nächster ungelesener Chat",
  nextChat: "Nächster oder vorheriger Chat",
  search: "Suchen",
  move: "In einer Liste bewegen",
  open: "Öffnen",
  menu: "Aktionen für Chat oder Nachricht",
  send: "Senden",
  newLine: "Neue Zeile",
  editLast: "Letzte Nachricht ändern (Feld ist leer)",
  leave: "Schließen oder eine Ebene höher",
  help: "Diese Hilfe",
};

export const settings = "Einstellungen";
export const appearance = "Darstellung";
export const theme = "Farben";
export const themeSystem = "System";
export const themeLight = "Hell";
export const themeDark = "Dunkel";
export const textSize = "Schriftgröße";
export const textSmall = "Klein";
export const textNormal = "Normal";
export const textLarge = "Groß";
export const textLargest = "Sehr groß";
export const languageLabel = "Sprache";
export const systemLanguage = "System";
export const plainKeys = "Tasten ohne Strg";
export const plainKeysHint = "„?“ zeigt alle Tasten, „/“ sucht";
export const oneSide = "Alle Nachrichten auf einer Seite";
export const oneSideHint = "Deine erkennst du an der Farbe";
export const wallpaper = "Hinter den Nachrichten";
export const wallpaperHere = "Hinter den Nachrichten dieses Chats";
export const wallpaperUsual = "Wie in allen Chats";
export const wallpapers = {
  plain: "Schlicht",
  rose: "Rose",
  meadow: "Wiese",
  sea: "Meer",
  dusk: "Abend",
  dots: "Punkte",
  lines: "Linien",
};
export const writing = "Schreiben";
export const enterSends = "Eingabe sendet die Nachricht";
export const enterSendsOn = "Umschalt und Eingabe machen eine neue Zeile";
export const enterSendsOff = "Eingabe macht eine neue Zeile; Strg und Eingabe senden";

export const privacy = "Privatsphäre";
export const blockedPeople = "Blockierte Personen";
export const nobodyBlocked = "Niemand ist blockiert";
export const nobodyBlockedHint = "Blockiere jemanden in den Details oder im Menü eines Chats";
export const shownToContacts = "Was deine Kontakte sehen";
export const showTyping = "Dass du gerade schreibst";
export const showTypingHint = "Solange du ihnen schreibst";
export const showRead = "Dass du etwas gelesen hast";
export const showReadHint = "Bei ihnen wird der zweite Haken blau. Deine eigenen Geräte wissen es in jedem Fall.";
export const showIdle = "Wann du zuletzt hier warst";
export const showIdleHint = "Kontakte lesen „aktiv vor 5 Minuten“, sobald du 5 Minuten lang nicht in Clownfish warst. Aus: Sie sehen nur, ob du online bist.";
export const whoSees = "Wer was sieht";
export const seesMessages = "Deine Nachrichten";
export const seesMessagesHint = "Du und die, denen du schreibst, wenn ein Chat verschlüsselt ist. Der Server leitet weiter, was er nicht lesen kann.";
export const seesStore = "Was auf diesem Gerät aufbewahrt ist";
export const seesStoreHint = "Es ist mit einem Schlüssel verschlüsselt, den nur dieser Browser hat.";
export const seesPresence = "Ob du online bist";
export const seesPresenceHint = "Nur Kontakte, denen du es erlaubt hast.";

export const storage = "Speicher";
export const storageUsed = "{used} belegt von {room}, die der Browser erlaubt";
export const storageFree =
  "Um Platz zu schaffen, leere den Verlauf von Chats oder lösche sie, im Menü eines jeden. Die Bilder und Dateien, die damit aufbewahrt werden, gehen mit.";
export const kept = "Deine Chats bleiben dauerhaft";
export const keptHint = "Der Browser räumt sie nicht von selbst weg";
export const notKept = "Der Browser darf deine Chats löschen";
export const notKeptHint = "Wenn der Speicher des Geräts voll wird oder die Seite lange nicht benutzt wird";
export const keep = "Behalten";
export const keepRefused = "Der Browser hat nicht zugestimmt. Oft hilft es, die App zu installieren oder Benachrichtigungen zu erlauben.";
export const fetchLabel = "Bilder und Sprachnachrichten von selbst laden";
export const fetchAlways = "Immer";
export const fetchUnmetered = "Nicht über Mobilfunk";
export const fetchNever = "Nie";
export const fetchHint = "Bis 1 MB. Größere, Videos und andere Dateien werden erst geladen, wenn du darauf drückst; in Kanälen und bei Leuten, denen du nicht geantwortet hast, gilt das für alles.";
export const fetchUntold = "Dieser Browser verrät nicht, ob er mobile Daten benutzt: Darum kommt nichts von selbst.";
export const storageSealed = "Nachrichten und Dateien sind verschlüsselt gespeichert, nur auf diesem Gerät.";

export const inviteText = "Für jemanden, der noch kein Konto hat. Der Link führt hierher, und eine Minute später könnt ihr euch schreiben.";
export const makeInvite = "Einladung erstellen";
export const anotherInvite = "Noch eine";
export const inviteOnce = "Jede Einladung ist für eine Person.";
export const inviteQr = "Die Einladung als QR-Code";
export const copyLink = "Link kopieren";
export const shareText = "Schreib mir auf Clownfish:";

export const devices = "Geräte";
export const account = "Konto";
export const address = "Adresse";
export const changePassword = "Passwort ändern";
export const newPassword = "Neues Passwort";
export const passwordHint = "Mindestens 8 Zeichen. Mehrere Wörter hintereinander merkt man sich leicht.";
export const passwordShort = "Mindestens {n} Zeichen.";
export const passwordChanged = "Das Passwort ist geändert";
export const signOut = "Abmelden";
export const signOutHint = "Löscht alles, was Clownfish auf diesem Gerät aufbewahrt";
export const signOutTitle = "Abmelden und hier alles löschen?";
export const signOutText = "Alle Nachrichten, Dateien und Schlüssel dieses Kontos werden von diesem Gerät gelöscht. Nachrichten, die nur dieses Gerät lesen konnte, sind dann nicht mehr lesbar, auch nicht nach einer neuen Anmeldung.";
export const deleteHistory = "Nachrichten vom Server löschen";
export const deleteHistoryHint = "Deine Geräte und die anderen behalten ihre";
export const deleteHistoryTitle = "Alle deine Nachrichten vom Server löschen?";
export const deleteHistoryText = "Der Server löscht jede Nachricht, die er für dieses Konto aufbewahrt. Deine Geräte behalten, was sie schon geladen haben; ältere Nachrichten lassen sich nicht mehr laden, und ein neues Gerät beginnt ohne. Ein anderes deiner Geräte, das seither nicht online war, bekommt nicht, was inzwischen kam. Die anderen behalten ihre, und Gruppen, was darin gesagt wurde. Das kann niemand rückgängig machen.";
export const deleteHistoryAction = "Vom Server löschen";
export const deletedHistory = "Der Server hat deine Nachrichten gelöscht";
export const deleteAccount = "Konto löschen";
export const deleteAccountHint = "Beendet es auf dem Server, für alle deine Geräte";
export const deleteAccountTitle = "Dein Konto löschen?";
export const deleteAccountText = "Der Server löscht alles, was er von dir hat, und dieses Gerät, was hier aufbewahrt ist. Deine Kontakte behalten, was du ihnen geschrieben hast. Das kann niemand rückgängig machen.";
export const deleteAccountLabel = "Deine Adresse, um sicher zu sein";
export const deleteAccountType = "Gib {address} ein, um es zu löschen.";
export const signOutQueued = (n: number) => plural(n, "{n} Nachricht ist noch nicht gesendet und geht verloren.", "{n} Nachrichten sind noch nicht gesendet und gehen verloren.");

export const about = "Über Clownfish";
export const aboutText = "Nachrichten, die nur du und deine Freunde lesen können.";
export const version = "Version";
export const deviceNumber = "Nummer dieses Geräts";
export const encryption = "Verschlüsselung";
export const encryptionHint = "OMEMO, von Gerät zu Gerät; in diesem Browser, nicht auf dem Server";
export const licence = "Lizenz";
export const aboutOwn = "Clownfish spricht XMPP. Deine Freunde können andere Apps und andere Server verwenden, und ihr könnt euch alle schreiben.";

export const shareTo = "Senden an";
export const nothingShared = "Nichts zu senden";
export const nothingSharedText = "Was geteilt wurde, ist nicht mehr da. Teile es noch einmal aus der anderen App.";
export const sharedTooMuch = "Ein Teil wurde weggelassen: Höchstens {files} Dateien von zusammen {megabytes} MiB lassen sich auf einmal teilen.";
export const shareSearch = "An wen?";
export const sharedWhat = "Was geteilt wird";
export const sharedText = "Text";
export const shareWithout = "{name} weglassen";
export const sharedFrom = "Von einer anderen App oder einer Seite in diesem Browser geteilt. Nichts geht hinaus, bevor du es sendest.";
