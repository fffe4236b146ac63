export const back = "Back";
export const cancel = "Cancel";
export const close = "Close";
export const dismiss = "Dismiss";
export const showPassword = "Show password";
export const hidePassword = "Hide password";
