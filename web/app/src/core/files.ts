// Files of messages in the origin's private files, each encrypted with a key of its own that stands
// in the sealed row of its message (web/core/src/files.rs).

import type { Cipher, Sealed } from "./worker-types";

/** Larger files are not taken: they are in memory while they are encrypted. */
export const MOST_BYTES = 256 * 1024 * 1024;

const FOLDER = "files";
/** Names of files that no message has yet. */
const CLAIMED = "claimed";

/** The folder of everything that this program keeps in the origin's private files. */
export const ROOT = "clownfish";

/** Keeps bytes under the name of `sealed`, encrypted with its key. On disk when it returns. */
export async function keep(sealed: Sealed, bytes: ArrayBuffer): Promise<void> {
  const ciphertext = await encrypt(sealed.cipher, bytes);
  const folder = await filesFolder(true);
  const handle = await folder.getFileHandle(sealed.name, { create: true });
  try {
    const access = await handle.createSyncAccessHandle();
    try {
      access.truncate(0);
      if (access.write(new Uint8Array(ciphertext)) !== ciphertext.byteLength) throw full();
      access.flush();
    } finally {
      access.close();
    }
  } catch (error) {
    await folder.removeEntry(sealed.name).catch(() => {});
    throw error;
  }
}

/** The bytes that were kept; `null` when they are not here any more. */
export async function read(sealed: Sealed): Promise<ArrayBuffer | null> {
  try {
    const folder = await filesFolder(false);
    const handle = await folder.getFileHandle(sealed.name);
    const ciphertext = await (await handle.getFile()).arrayBuffer();
    return await decrypt(sealed.cipher, ciphertext);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return null;
    throw error;
  }
}

/**
 * A file is about to be kept that no message has yet. Until `settle` says that one has, or that it is
 * gone, it is among those that `sweep` removes: a page may be closed in between.
 */
export async function claim(name: string): Promise<void> {
  await (await folderOf(CLAIMED, true)).getFileHandle(name, { create: true });
}

/** A message is about to have it, or it is gone. */
export async function settle(name: string): Promise<void> {
  await removed(CLAIMED, name);
}

/** Removes files that no message ever got. To be called before anything is claimed. */
export async function sweep(): Promise<void> {
  const claimed = await folderOf(CLAIMED, true);
  for await (const name of claimed.keys()) {
    await forget(name);
    await settle(name);
  }
}

/** Forgets a file, if it is here. */
export async function forget(name: string): Promise<void> {
  await removed(FOLDER, name);
}

async function removed(folder: string, name: string): Promise<void> {
  try {
    await (await folderOf(folder, false)).removeEntry(name);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error;
  }
}

/** Removes everything this program keeps in the origin's private files. */
export async function removeAll(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  try {
    await root.removeEntry(ROOT, { recursive: true });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "NotFoundError")) throw error;
  }
}

/** AES-256-GCM; the tag follows the ciphertext. */
export async function encrypt(cipher: Cipher, bytes: BufferSource): Promise<ArrayBuffer> {
  const key = await imported(cipher, "encrypt");
  return crypto.subtle.encrypt({ name: "AES-GCM", iv: unhex(cipher.iv) }, key, bytes);
}

/** The reverse; throws `OperationError` when the bytes are not genuine. */
export async function decrypt(cipher: Cipher, bytes: BufferSource): Promise<ArrayBuffer> {
  const key = await imported(cipher, "decrypt");
  return crypto.subtle.decrypt({ name: "AES-GCM", iv: unhex(cipher.iv) }, key, bytes);
}

/** SHA-256, 64 hexadecimal digits. */
export async function sha256(bytes: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function imported(cipher: Cipher, usage: KeyUsage): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", unhex(cipher.key), "AES-GCM", false, [usage]);
}

function unhex(digits: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  }
  return bytes;
}

function filesFolder(create: boolean): Promise<FileSystemDirectoryHandle> {
  return folderOf(FOLDER, create);
}

async function folderOf(name: string, create: boolean): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const own = await root.getDirectoryHandle(ROOT, { create });
  return own.getDirectoryHandle(name, { create });
}

function full(): DOMException {
  return new DOMException("there is no space left", "QuotaExceededError");
}
