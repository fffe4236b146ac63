// The data key of the store, wrapped by a key that no script can read: an AES-GCM key of the
// browser's own (not extractable), kept in IndexedDB. Who copies the origin's files without the
// browser's key store has ciphertext.

interface Entry {
  wrapping: CryptoKey;
  iv: Uint8Array<ArrayBuffer>;
  sealed: ArrayBuffer;
}

const DATABASE = "clownfish";
const STORE = "keys";
const ACCOUNT = "account";

/** The data key, made if there is none. `fresh` when it was: what was kept before cannot be read. */
export async function dataKey(): Promise<{ key: Uint8Array<ArrayBuffer>; fresh: boolean }> {
  const database = await open();
  try {
    const entry = await promised<Entry | undefined>(
      database.transaction(STORE).objectStore(STORE).get(ACCOUNT),
    );
    if (entry) {
      const { wrapping, iv, sealed } = entry;
      const key = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, wrapping, sealed);
      return { key: new Uint8Array(key), fresh: false };
    }
    const key = crypto.getRandomValues(new Uint8Array(32));
    await put(database, await wrapped(key));
    return { key, fresh: true };
  } finally {
    database.close();
  }
}

/** Forgets the data key: nothing that was sealed with it can be read again. */
export function forgetKey(): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(DATABASE);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

async function wrapped(key: Uint8Array<ArrayBuffer>): Promise<Entry> {
  const usages: KeyUsage[] = ["encrypt", "decrypt"];
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, usages);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, wrapping, key);
  return { wrapping, iv, sealed };
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return promised(request);
}

function put(database: IDBDatabase, entry: Entry): Promise<void> {
  // On disk before anything is sealed with it.
  const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
  transaction.objectStore(STORE).put(entry, ACCOUNT);
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

function promised<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
