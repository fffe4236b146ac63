// Files that wait to be sent, by conversation. They outlive the view: whoever looks into another
// conversation, or has another window take over, finds them again.

import { signal, type Signal } from "@preact/signals";

import { fill, words } from "../../../i18n";
import { dropPiece } from "../../../share";
import { holdsUnsent } from "../../../unsent";
import { toast } from "../../kit";
import { named } from "../logic/attach";
import { kindOf, typeOf } from "../logic/files";

/** A file that waits to be sent. */
export interface Attached {
  key: number;
  file: File;
  /** Its address in this page, for pictures. */
  url: string | null;
  /** Another app shared it: the name of the piece (share.ts), which is kept until it is in the timeline. */
  shared: string | null;
  /** What is to be seen, in words, for who cannot see it. */
  description: string;
}

/** So many files wait at most. */
export const MOST = 30;

const trays = new Map<string, Signal<readonly Attached[]>>();
/** What was taken out to be sent, and is not in the timeline yet. */
const leaving = new Set<Attached>();
/** So many that were never in a tray are on their way into the timeline. */
let passing = 0;
let keys = 0;
holdsUnsent({
  holds: () => passing > 0 || leaving.size > 0 || waiting().length > 0,
  drop: () => {
    const gone = [...leaving, ...waiting()];
    for (const tray of trays.values()) tray.value = [];
    done(gone);
  },
});

function waiting(): Attached[] {
  return [...trays.values()].flatMap((tray) => tray.peek());
}

/** What waits in a conversation. */
export function trayOf(address: string): Signal<readonly Attached[]> {
  const known = trays.get(address);
  if (known) return known;
  const made = signal<readonly Attached[]>([]);
  trays.set(address, made);
  return made;
}

/** Adds files; says it when some of them cannot be. Whether there is one more now. */
export function attachTo(address: string, files: Iterable<File>): boolean {
  return attachAll(address, [...files].map((file) => ({ file, path: null })));
}

/** The same for what another app shared: it is dropped there when it is in the timeline. */
export function attachShared(address: string, files: readonly { file: File; path: string }[]): boolean {
  return attachAll(address, files);
}

function attachAll(address: string, files: readonly { file: File; path: string | null }[]): boolean {
  const say = words().chat;
  const added: Attached[] = [];
  for (const { file, path: shared } of files) {
    if (file.size === 0) {
      toast({ text: say.trayEmpty, problem: true });
      if (shared !== null) void dropPiece(shared);
      continue;
    }
    const name = named(file.name, file.type, new Date());
    const type = typeOf({ name, mediaType: file.type });
    const kept = name === file.name && type === file.type ? file : new File([file], name, { type });
    const shows = kindOf({ name, mediaType: type }) === "picture";
    added.push({ key: ++keys, file: kept, url: shows ? URL.createObjectURL(kept) : null, shared, description: "" });
  }
  const tray = trayOf(address);
  const room = Math.max(0, MOST - tray.peek().length);
  const over = added.slice(room);
  if (over.length > 0) toast({ text: fill(say.trayFull(over.length), { most: MOST }), problem: true });
  over.forEach(release);
  for (const { shared } of over) if (shared !== null) void dropPiece(shared);
  if (room === 0 || added.length === 0) return false;
  tray.value = [...tray.peek(), ...added.slice(0, room)];
  return true;
}

/** Takes one out. */
export function detach(address: string, key: number): void {
  const tray = trayOf(address);
  const gone = tray.peek().find((one) => one.key === key);
  tray.value = tray.peek().filter((one) => one.key !== key);
  if (gone) done([gone]);
}

/** Says what is to be seen on one. */
export function describe(address: string, key: number, description: string): void {
  const tray = trayOf(address);
  tray.value = tray.peek().map((one) => (one.key === key ? { ...one, description } : one));
}

/** Takes all of them out to be sent: until `putBack` or `done` they would be lost with this window. */
export function takeOut(address: string): readonly Attached[] {
  const tray = trayOf(address);
  const taken = tray.peek();
  tray.value = [];
  for (const one of taken) leaving.add(one);
  return taken;
}

/** Puts what could not be sent back, before what was added meanwhile; not what was thrown away. */
export function putBack(address: string, files: readonly Attached[]): void {
  const tray = trayOf(address);
  tray.value = [...files.filter((one) => leaving.delete(one)), ...tray.peek()];
}

/** Would be lost with this window while it is done. */
export async function whilePassing<T>(work: () => Promise<T>): Promise<T> {
  passing += 1;
  try {
    return await work();
  } finally {
    passing -= 1;
  }
}

/** These are in the timeline, or nobody wants them. */
export function done(files: readonly Attached[]): void {
  files.forEach(release);
  for (const one of files) {
    leaving.delete(one);
    if (one.shared !== null) void dropPiece(one.shared);
  }
}

function release({ url }: Attached): void {
  if (url) URL.revokeObjectURL(url);
}
