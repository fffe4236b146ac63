export const back = "Zurück";
export const cancel = "Abbrechen";
export const close = "Schließen";
export const dismiss = "Ausblenden";
export const showPassword = "Passwort zeigen";
export const hidePassword = "Passwort verbergen";
