// Handing a password to the browser's password manager, where a page can ask for that.

interface PasswordData {
  id: string;
  password: string;
  name?: string;
}

declare global {
  interface Window {
    PasswordCredential?: new (data: PasswordData) => Credential;
  }
}

/** Lets the browser offer to keep a password. Others see the form, and offer by themselves. */
export async function offerToKeep(address: string, password: string): Promise<void> {
  const Kept = window.PasswordCredential;
  if (!Kept) return;
  try {
    await navigator.credentials.store(new Kept({ id: address, password, name: address }));
  } catch {
    // The person, or the settings of the browser, said no.
  }
}
