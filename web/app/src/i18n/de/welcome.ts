import { plural } from "../index";

export const hello = "Willkommen bei Clownfish";
export const whatItIs = "Private Chats mit Menschen, die du kennst. In Chats und privaten Gruppen wird, was du schreibst, auf diesem Gerät verschlüsselt: Nur du und die, denen du schreibst, können es lesen.";
export const haveAccount = "Anmelden";
export const haveInvitation = "Ich habe eine Einladung";
export const noAccount = "Noch kein Konto?";
export const closed = "Auf diesem Server gibt es Konten auf Einladung. Bitte jemanden, der schon da ist, um einen Link, oder die Betreiber des Servers.";

export const about = "Über diesen Server";

export const invites = "{name} lädt dich zum Chatten ein";
export const invited = "Du bist zu {server} eingeladen";
export const invitedText = "Such dir einen Namen aus und leg los: ohne Telefonnummer, ohne E‑Mail. Was du schreibst, könnt nur ihr beide lesen.";
export const invitedServerText = "Such dir einen Namen aus und leg los: ohne Telefonnummer, ohne E‑Mail. Was du schreibst, können nur du und die lesen, denen du schreibst.";
export const yourName = "Dein Name";
export const yourNameHint = "Den sehen deine Freunde. Aus ihm wird deine Adresse.";
export const nameMadeUp = "Ein Vorschlag: Schreib deinen eigenen darüber, oder behalte ihn.";
/** Eins von jedem macht einen Namen. */
export const names = [
  ["Morgen", "Abend", "Silber", "Meer", "Wind", "Stern", "Mond", "Sommer", "Nebel", "Wald", "Wiesen", "Gold", "Fluss", "Herbst", "Sonnen", "Winter"],
  ["möwe", "otter", "robbe", "fuchs", "falke", "igel", "dachs", "lachs", "eule", "kranich", "lerche", "amsel", "wal", "reiher", "biber", "hase"],
] as const satisfies readonly [readonly string[], readonly string[]];
export const namesBetween = "";
export const addressIs = "Deine Adresse wird {address}";
export const nameMissing = "Bitte gib einen Namen ein.";
export const nameUnfit = "Daraus lässt sich keine Adresse machen. Nimm mindestens einen Buchstaben oder eine Ziffer.";
export const server = "Server";
export const serverHint = "Der Name hinter dem @; wer dich eingeladen hat, kennt ihn";
export const serverWrong = "Das ist kein Name eines Servers. Er sieht aus wie example.org.";

export const passwordMade = "Ein starkes Passwort ist schon gemacht";
export const passwordWhy = "Du brauchst es, um dich auf anderen Geräten anzumelden. Lass es den Browser aufbewahren, oder schreib es auf.";
export const password = "Passwort";
export const passwordShort = (n: number) => plural(n, "Mindestens {n} Zeichen, bitte.", "Mindestens {n} Zeichen, bitte. Ein Satz lässt sich leicht merken.");
export const passwordMissing = "Bitte gib das Passwort ein.";
export const copyPassword = "Passwort kopieren";

export const start = "Loslegen";
export const startWith = "Mit {name} chatten";
export const haveAccountAlready = "Ich habe schon ein Konto";
export const back = "Zurück";

export const progress = {
  account: "Dein Konto wird angelegt …",
  signIn: "Anmeldung …",
  connecting: "Der Server wird gesucht …",
  keys: "Deine Verschlüsselung wird vorbereitet …",
  opening: "Gleich geht es los …",
};

export const nameTaken = "Den Namen „{name}“ hat schon jemand.";
export const takeOther = "Stattdessen „{name}“ nehmen";
export const invitationGone = "Diese Einladung wurde schon benutzt oder ist abgelaufen.";
export const invitationGoneText = "Einladungen gelten einmal und für einige Tage. Bitte {name} um eine neue: Das dauert nur einen Augenblick.";
export const invitationGoneSomebody = "Einladungen gelten einmal und für einige Tage. Bitte um eine neue, wo du sie herhast.";
export const askText = "Hallo! Die Einladung zum Chatten funktioniert nicht mehr. Schickst du mir eine neue?";
export const ask = "Um eine neue bitten";
export const pasteOther = "Ich habe eine andere Einladung";
export const unreachable = "Der Server {server} antwortet nicht. Ist dieses Gerät online?";
export const wrongPassword = "Die Adresse oder das Passwort ist falsch.";
export const badPassword = "Der Server nimmt dieses Passwort nicht: {reason}";
export const storageRefused = "Dieser Browser bewahrt auf diesem Gerät nichts auf: {reason}. Private Fenster tun das oft; ein gewöhnliches hilft.";
export const failed = "Das hat nicht geklappt: {reason}";
export const notHere = "Konten von {server} scheinen nicht auf dem Server zu sein, von dem diese Seite kommt. Öffne die Seite deines eigenen Servers, oder nimm für dieses Konto eine andere App.";
export const retry = "Noch einmal versuchen";

export const signInTitle = "Anmelden";
export const signInText = "Mit der Adresse und dem Passwort deines Kontos auf diesem Server.";
export const signInThen = "Danach kannst du {name} sofort schreiben.";
export const address = "Adresse";
export const addressHint = "Sie sieht aus wie anna@example.org";
export const signIn = "Anmelden";
export const forgotten = "Passwort vergessen? Die Betreiber von {server} können ein neues setzen.";

export const invitationTitle = "Deine Einladung";
export const invitationText = "Füge den Link ein, den du bekommen hast, oder scanne seinen Code.";
export const invitationLink = "Einladungslink";
export const invitationHint = "Er beginnt mit https:// oder xmpp:";
export const toGroup = "Ein Link in die Gruppe „{name}“ hat dich hierher geführt. Dafür braucht es ein Konto: Melde dich an, dann wirst du gefragt, ob du beitreten willst.";
export const toGroupElsewhere = "In einer anderen App öffnen";
export const invitationToGroup = "Dieser Link führt in eine Gruppe, und dafür braucht es ein Konto. Melde dich an, oder lege mit einer Einladung ein Konto an; füge diesen Link dann unter „Neuer Chat“ ein.";
export const invitationWrong = "Das ist keine Einladung zu einem Konto. Eine Einladung sieht aus wie https://example.org/invite/…";
export const goOn = "Weiter";
export const scan = "Code scannen";

export const iosTitle = "Lege Clownfish zuerst auf den Home-Bildschirm";
export const iosWhy = "Safari löscht, was eine Website aufbewahrt, wenn sie sieben Tage lang nicht besucht wird: auch deine Nachrichten und Schlüssel. Eine App auf dem Home-Bildschirm behält sie.";
export const iosSteps = [
  "Tippe in Safari auf „Teilen“.",
  "Wähle „Zum Home-Bildschirm“.",
  "Öffne Clownfish von dort.",
] as const;
export const iosInvitation = "Kopiere jetzt die Einladung, und füge sie in der App ein.";
export const iosCopy = "Einladung kopieren";
export const iosAnyway = "Trotzdem in Safari weitermachen";

export const install = "Clownfish installieren";
export const installed = "Clownfish ist installiert";
export const ready = "Du bist drin. Möchtest du Clownfish als App installieren?";
