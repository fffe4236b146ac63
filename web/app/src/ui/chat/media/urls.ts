// Addresses of files in this page. Each is made once, shared by all that show the file, and given
// back when nobody does any more.

import { useEffect, useState } from "preact/hooks";

import type { Core } from "../../../core/api";
import { drawable } from "../../kit/sides";

/** A file in the page; `null` when it is not there. */
export interface Local {
  blob: Blob;
  url: string;
}

interface Held {
  users: number;
  file: Promise<Local | null>;
  later: ReturnType<typeof setTimeout> | undefined;
}

const held = new Map<string, Held>();
/** Kept so long for somebody who scrolls back. */
const KEPT_MS = 20_000;

/** Takes a file; the function gives it back. */
export function take(core: Core, local: string, type: string): [Promise<Local | null>, () => void] {
  const key = `${local}\n${type}`;
  let one = held.get(key);
  if (!one) {
    one = { users: 0, file: made(core, local, type), later: undefined };
    held.set(key, one);
    const mine = one;
    void one.file.then((file) => {
      if (!file && held.get(key) === mine) held.delete(key); // Asked for again the next time.
    });
  }
  const mine = one;
  mine.users++;
  clearTimeout(mine.later);
  return [
    mine.file,
    () => {
      mine.users--;
      if (mine.users > 0) return;
      mine.later = setTimeout(() => {
        if (held.get(key) === mine) held.delete(key);
        void mine.file.then((file) => file && URL.revokeObjectURL(file.url));
      }, KEPT_MS);
    },
  ];
}

async function made(core: Core, local: string, type: string): Promise<Local | null> {
  const found = await core.file(local, type);
  if (!found) return null;
  // An empty picture is a broken one.
  if (type.startsWith("image/") && !(await drawable(found))) return address(new Blob([], { type }));
  // The type decides what the browser makes of it; only known ones get here.
  const blob = found.type === type ? found : new Blob([found], { type });
  return address(blob);
}

function address(blob: Blob): Local {
  return { blob, url: URL.createObjectURL(blob) };
}

/** `undefined` while it is being read, `null` when it is not there. */
export function useLocal(core: Core, local: string | null, type: string): Local | null | undefined {
  const [file, setFile] = useState<Local | null | undefined>(undefined);
  useEffect(() => {
    setFile(undefined);
    if (local === null) return;
    let wanted = true;
    const [coming, release] = take(core, local, type);
    void coming.then((ready) => {
      if (wanted) setFile(ready);
    });
    return () => {
      wanted = false;
      release();
    };
  }, [core, local, type]);
  return local === null ? undefined : file;
}
