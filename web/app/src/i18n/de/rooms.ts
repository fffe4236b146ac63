// Wörter für Gruppen und Kanäle.

import { plural } from "../index";

export const newGroup = "Neue Gruppe";
export const newGroupHint = "Privat und verschlüsselt, mit Leuten deiner Wahl";
export const joinChannel = "Kanal beitreten";
export const joinChannelHint = "Mit seiner Adresse oder einem Link";
export const newChannel = "Neuer Kanal";
export const newChannelHint = "Offen für alle, die seine Adresse haben";

export const create = {
  name: "Name der Gruppe",
  nameHint: "Alle in der Gruppe sehen ihn. Ohne Namen heißt sie nach ihren Leuten.",
  channelName: "Name des Kanals",
  channelNameHint: "Worum es geht",
  channelText: "Alle, die seine Adresse haben, können beitreten und mitlesen. Er ist nicht verschlüsselt, und niemand erfährt die Adressen der anderen.",
  people: "Wer dabei ist",
  chosen: (n: number) => plural(n, "{n} Person gewählt", "{n} Personen gewählt"),
  make: "Gruppe anlegen",
  makeChannel: "Kanal anlegen",
  nameMissing: "Ein Kanal braucht einen Namen.",
};

export const picker = {
  search: "Kontakt suchen oder Adresse eingeben",
  add: "{address} hinzufügen",
  nobody: "Niemand dieses Namens unter deinen Kontakten. Eine ganze Adresse geht auch.",
  empty: "Noch keine Kontakte. Gib die Adresse ein, die dazukommen soll.",
  remove: "{name} entfernen",
  rest: (n: number) => plural(n, "Und {n} mehr: Gib ein paar Buchstaben des Namens ein.", "Und {n} mehr: Gib ein paar Buchstaben des Namens ein."),
};

export const join = {
  title: "Kanal beitreten",
  address: "Adresse oder Link",
  addressHint: "Zum Beispiel garten@conference.example.org",
  nick: "Dein Name dort",
  nickHint: "Ohne einen heißt du wie in deinem Profil.",
  password: "Passwort",
  passwordHint: "Wer dir vom Kanal erzählt hat, kennt es.",
  enter: "Beitreten",
  open: "Öffnen",
  groupTitle: "Gruppe beitreten",
  group: "Der Gruppe „{name}“ beitreten?",
  groupText: "Alle darin sehen deinen Namen und, in einer privaten Gruppe, deine Adresse.",
  other: "Andere Gruppe oder anderer Kanal",
  wrong: "Das ist weder die Adresse eines Kanals noch ein Link zu einem.",
  person: "Das führt zu einer Person. Beginne stattdessen einen Chat mit ihr.",
};

export const members = (n: number) => plural(n, "{n} Mitglied", "{n} Mitglieder");
export const present = (n: number) => plural(n, "{n} hier", "{n} hier");
export const you = "du";
export const entering = "Beitritt läuft …";
export const outside = "Du bist nicht dabei";
export const invites = "{name} lädt dich ein";
export const typing = "{name} schreibt …";
export const typingTwo = "{name} und {other} schreiben …";
export const typingMore = (n: number) => plural(n, "{name} und {n} andere Person schreiben …", "{name} und {n} andere schreiben …");
export const somebody = "Jemand";
export const group = "Gruppe";
export const channel = "Kanal";
export const mentionsMark = (n: number) => plural(n, "Du wirst erwähnt", "Du wirst {n}-mal erwähnt");

export const invitation = {
  title: "{name} lädt dich in diese Gruppe ein",
  reason: "„{reason}“",
  unknown: "{name} gehört nicht zu deinen Kontakten.",
  accept: "Beitreten",
  decline: "Ablehnen",
  declined: "Du hast die Einladung abgelehnt",
};
export const gate = {
  out: "Du bist nicht in dieser Gruppe.",
  outAction: "Wieder beitreten",
  refused: "Du bist nicht in dieser Gruppe: {reason}",
  refusedAction: "Noch einmal versuchen",
  reads: "Du kannst hier lesen, aber nicht schreiben.",
  remove: "Verbergen",
};

export const mention = "{name} erwähnen";
export const mentionList = "Wer erwähnt werden soll";
export const memberMenu = "Was mit {name} getan werden kann";
export const writeTo = "{name} schreiben";
export const moderate = "Für alle löschen …";
export const moderateTitle = "Diese Nachricht von {name} für alle löschen?";
export const moderateText = "Die Gruppe nimmt sie allen weg. Wer sie schon gelesen hat, kann sich daran erinnern.";
export const invitedLine = "{name} hat dich eingeladen.";
export const invitedLineReason = "{name} hat dich eingeladen: „{reason}“.";
export const declinedLine = "{name} hat die Einladung abgelehnt.";
export const asksLine = "„{name}“ ({address}) bittet um Aufnahme.";
export const asksLineUnknown = "„{name}“ (Adresse unbekannt) bittet um Aufnahme.";
export const declinedLineReason = "{name} hat die Einladung abgelehnt: „{reason}“.";
export const beginning = "Hier beginnt {name}.";
export const beginningOpen = "Alle, die beitreten, können mitlesen. Nichts hier ist verschlüsselt.";
export const beginningPrivate = "Nur die Mitglieder können lesen, was hier geschrieben wird. Nicht einmal der Server kann es.";
export const placeholderOpen = "An alle hier";
export const writeOpenLabel = "Nachricht an alle hier, unverschlüsselt";

export const happenings = {
  earlier: (n: number) => plural(n, "{n} frühere Änderung", "{n} frühere Änderungen"),
  joined: "{name} ist beigetreten",
  left: "{name} ist gegangen",
  removed: "{name} ist kein Mitglied mehr",
  putOut: "{name} wurde hinausgeworfen",
  putOutReason: "{name} wurde hinausgeworfen: „{reason}“",
  banned: "{name} wurde ausgeschlossen",
  bannedReason: "{name} wurde ausgeschlossen: „{reason}“",
  became: {
    owner: "{name} ist jetzt Eigentümer",
    admin: "{name} ist jetzt Admin",
    member: "{name} ist jetzt Mitglied",
    none: "{name} hat keine besonderen Rechte mehr",
    outcast: "{name} wurde ausgeschlossen",
  },
  youBecame: {
    owner: "Du bist jetzt Eigentümer",
    admin: "Du bist jetzt Admin",
    member: "Du bist jetzt Mitglied",
    none: "Du hast keine besonderen Rechte mehr",
    outcast: "Du wurdest ausgeschlossen",
  },
  may: {
    moderator: "{name} moderiert jetzt",
    participant: "{name} kann jetzt schreiben",
    visitor: "{name} kann jetzt nur lesen",
    none: "{name} wurde hinausgeworfen",
  },
  youMay: {
    moderator: "Du moderierst jetzt",
    participant: "Du kannst jetzt schreiben",
    visitor: "Du kannst jetzt nur lesen",
    none: "Du wurdest hinausgeworfen",
  },
  nick: "{old} heißt jetzt {name}",
  subject: "Das Thema ist jetzt „{subject}“",
  subjectBy: "{name} hat das Thema geändert: „{subject}“",
  noSubject: "Es gibt kein Thema mehr",
  name: "Die Gruppe heißt jetzt {name}",
  picture: "Die Gruppe hat jetzt ein anderes Bild",
};

export const readers = {
  open: "Dieser Kanal ist offen für alle, oder er sagt nicht, wer darin ist. Deshalb weiß niemand, für wen zu verschlüsseln wäre: Alle, die beitreten, können mitlesen, und die Server auf dem Weg auch.",
  none: "Noch ist kein Gerät der anderen bekannt.",
  theirs: (n: number) => plural(n, "{n} Gerät der anderen Mitglieder", "{n} Geräte der anderen Mitglieder"),
  unverified: "Nicht alle Geräte der Mitglieder sind verifiziert. Vergleiche die Fingerabdrücke in den Details der einzelnen Mitglieder, um sicher zu sein.",
  verified: "Alle Geräte der Mitglieder sind verifiziert.",
  details: "Mitglieder",
  opened: "Die Gruppe ist jetzt offen für alle; deshalb kann nichts mehr für ihre Mitglieder allein verschlüsselt werden. Unverschlüsselt wird nichts gesendet, wenn du es nicht sagst.",
  nobody: "Noch kann kein Gerät der anderen Mitglieder verschlüsselte Nachrichten lesen. Unverschlüsselt wird nichts gesendet, wenn du es nicht sagst.",
  waits: "Noch hat hier sonst niemand Schlüssel. Was du schreibst, wartet und geht von selbst verschlüsselt ab, sobald es jemand lesen kann.",
  plainText: "Alle, die beitreten, und die Server auf dem Weg können von jetzt an lesen, was du hier schreibst. Du kannst die Verschlüsselung jederzeit wieder einschalten.",
};

export const details = {
  rename: "Umbenennen",
  renameTitle: "Namen ändern",
  renameLabel: "Name der Gruppe",
  pictureSaved: "Das Bild ist geändert",
  pictureRemoved: "Das Bild ist entfernt",
  title: "Gruppendetails",
  titleChannel: "Kanaldetails",
  copyAddress: "Adresse kopieren",
  subject: "Thema",
  noSubject: "Kein Thema",
  setSubject: "Thema ändern",
  subjectLabel: "Worum es geht",
  subjectHint: "Alle darin sehen es.",
  message: "Nachricht",
  encryption: "Verschlüsselung",
  encrypted: "Für die Mitglieder verschlüsselt",
  open: "Offen: kann nicht verschlüsselt werden",
  plain: "Nicht verschlüsselt, wie du es wolltest",
  turnOn: "Wieder verschlüsseln",
  members: "Mitglieder",
  invite: "Leute einladen",
  inviteTitle: "In {name} einladen",
  inviteAction: (n: number) => plural(n, "{n} Person einladen", "{n} Personen einladen"),
  invited: (n: number) => plural(n, "{n} Person ist eingeladen", "{n} Personen sind eingeladen"),
  byLink: "Mit einem Link einladen",
  byLinkHint: "Auch Leute, deren Adresse du nicht kennst. Sie brauchen ein Konto.",
  link: "Link dorthin",
  linkHint: "Er führt alle hierher, die hereindürfen",
  code: "Als Code zeigen",
  codeLabel: "Der Kanal als QR-Code",
  nick: "Dein Name hier",
  nickLabel: "Name",
  nickHint: "So sehen dich die anderen",
  notifications: "Benachrichtigungen",
  notifyAll: "Bei jeder Nachricht",
  notifyMentions: "Nur wenn dich jemand nennt oder dir antwortet",
  notifyNone: "Bei nichts",
  media: "Medien",
  options: "Optionen für {name}",
  hide: "Verbergen",
  hideHint: "Eine neue Nachricht bringt sie zurück",
  leave: "Verlassen",
  leaveTitle: "{name} verlassen?",
  leaveText: "Auf allen deinen Geräten. Was geschrieben wurde, bleibt auf diesem. Um in eine private Gruppe zurückzukommen, muss dich jemand wieder einladen.",
  leaveLast: "Nur du bist Eigentümer. Ohne einen kann niemand mehr Leute einladen oder entfernen: Mach zuerst jemand anderen zum Eigentümer, oder schließe sie.",
  left: "Du hast {name} verlassen",
  destroy: "Für alle schließen",
  destroyTitle: "{name} für alle schließen?",
  destroyText: "Niemand kann mehr beitreten oder schreiben. Das lässt sich nicht rückgängig machen.",
  destroyed: "{name} ist geschlossen",
  more: "Alle zeigen",
};

export const member = {
  you: "du",
  here: "gerade hier",
  away: "gerade nicht hier",
  owner: "Eigentümer",
  admin: "Admin",
  member: "Mitglied",
  moderator: "Moderator",
  visitor: "Liest nur",
  outcast: "Ausgeschlossen",
  none: "",
  actions: "Aktionen für {name}",
  write: "{name} schreiben",
  profile: "Kontaktdetails",
  makeOwner: "Zum Eigentümer machen",
  makeAdmin: "Zum Admin machen",
  makeMember: "Zum Mitglied machen",
  makeMemberAgain: "Zum einfachen Mitglied machen",
  makeModerator: "Zum Moderator machen",
  takeModerator: "Nicht mehr Moderator",
  mute: "Nur noch lesen lassen",
  unmute: "Wieder schreiben lassen",
  remove: "Entfernen",
  removeTitle: "{name} entfernen?",
  removeText: "Ist dann kein Mitglied mehr und bekommt ab jetzt nichts mehr.",
  kick: "Hinauswerfen",
  kickTitle: "{name} hinauswerfen?",
  kickText: "Darf zurückkommen.",
  ban: "Ausschließen",
  banTitle: "{name} ausschließen?",
  banText: "Wird hinausgeworfen und kann nicht zurückkommen.",
};

export const groupLink = {
  title: "Link zu {name}",
  text: "Eine Woche lang kann jeder mit dem Link hereinkommen, wird Mitglied und liest, was von da an geschrieben wird. Er lässt sich weitergeben: Gib ihn Leuten, denen du vertraust.",
  textPlain: "Eine Woche lang kann jeder mit dem Link hereinkommen, wird Mitglied und kann lesen, was geschrieben wird, und was vorher geschrieben wurde, soweit die Gruppe es aufbewahrt: Es ist nicht verschlüsselt. Er lässt sich weitergeben: Gib ihn Leuten, denen du vertraust.",
  existing: "Gültige Links",
  goodFor: "Gilt noch {time}",
  goodUntil: "Gilt, bis er zurückgezogen wird",
  uses: (n: number) => plural(n, "für {n} Person", "für {n} Personen"),
  tooMany: "Mehr Links kann diese Gruppe nicht haben. Gib einen von ihnen noch einmal weiter, oder ziehe alle zurück.",
  make: "Link erstellen",
  made: "Der Link ist erstellt.",
  codeLabel: "Der Link als QR-Code",
  shareText: "Komm zu {name}:",
  withdraw: "Alle Links zurückziehen",
  withdrawTitle: "Alle Links zu {name} zurückziehen?",
  withdrawText: "Links, die schon ausgegeben sind, gelten nicht mehr, wer auch immer sie erstellt hat. Wer Mitglied ist, bleibt es.",
  withdrawAction: "Zurückziehen",
  withdrawn: (n: number) => (n === 0 ? "Es gab keinen Link zurückzuziehen" : plural(n, "{n} Link ist zurückgezogen", "{n} Links sind zurückgezogen")),
};

export const asking = (n: number) => plural(n, "{n} Person möchte hereinkommen", "{n} Personen möchten hereinkommen");
export const requests = {
  title: "Beitrittsanfragen",
  noAddress: "Adresse unbekannt",
  admit: "Hereinlassen",
  refuse: "Ablehnen",
  admitSomebody: "{name} hereinlassen",
  refuseSomebody: "{name} nicht hereinlassen",
  admitted: "{name} ist jetzt Mitglied",
  refused: "{name} wird nicht hereingelassen",
  gone: "Diese Anfrage hat schon jemand anderes beantwortet.",
  ask: "Um Einlass bitten",
  askTitle: "Um Einlass bitten?",
  words: "Ein paar Worte über dich (freiwillig)",
  wordsHint: "Wer entscheidet, sieht sie, deinen Namen und deine Adresse.",
  send: "Anfrage senden",
  askedOn: "Du hast um Einlass gebeten: {time}. Ein Admin entscheidet.",
  takeBack: "Anfrage zurücknehmen",
  takenBack: "Die Anfrage ist zurückgenommen",
  answer: "Beantworten",
  asked: "Anfrage gesendet. Ein Admin entscheidet.",
};
