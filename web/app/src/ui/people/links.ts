// What people paste, scan and open: addresses, links to people with their keys (RFC 5122, XEP-0384
// as clients show them in QR codes), and invitations (XEP-0379, XEP-0401, XEP-0445).

import { cutAt } from "../../cut";
import { isServer, parseAddress } from "./address";

export interface Invitation {
  is: "invitation";
  /** The server of the account to be made; unknown if the link does not say it. */
  server: string | null;
  token: string;
  /** The address of who invites. */
  inviter: string | null;
  /** The name the account is for, or a proposed one. */
  name: string | null;
}

export interface Person {
  is: "person";
  address: string;
  /** What the link calls them. */
  name: string | null;
  /** The link, if it has fingerprints in it. */
  keys: string | null;
}

/** A room (XEP-0045 §17.1). */
export interface RoomLink {
  is: "room";
  address: string;
  /** A password, or the secret of a link that makes whoever follows it a member (XEP-0488). */
  password: string | null;
  /** What the link calls it. */
  name: string | null;
}

export type Link = Invitation | Person | RoomLink;

/** So much of the name of a room is in a link. */
export const LONGEST_NAME = 60;
/** Longer texts are no links. */
const LONGEST = 8192;
/** Tokens are letters and digits, a few dozen. */
const TOKEN = /^[\w.~+/=-]{1,256}$/u;

/** Reads whatever leads to somebody, or `null`. */
export function parseLink(typed: string): Link | null {
  const text = typed.trim();
  if (text === "" || text.length > LONGEST) return null;
  if (/^xmpp:/iu.test(text)) return parseUri(text);
  if (/^https?:\/\//iu.test(text)) return parsePage(text);
  const address = parseAddress(text);
  return address.is === "right" ? { is: "person", address: address.address, name: null, keys: null } : null;
}

/** `xmpp:ADDRESS?ACTION;NAME=VALUE…` */
function parseUri(uri: string): Link | null {
  const rest = uri.slice(uri.indexOf(":") + 1).replace(/^\/\/[^/]*\/?(?=[^/]*@)|^\/\//u, "").replace(/#.*$/u, "");
  const mark = rest.indexOf("?");
  const path = decoded(mark < 0 ? rest : rest.slice(0, mark));
  const query = mark < 0 ? "" : rest.slice(mark + 1);
  const parts = query.split(/[;&]/u).filter((part) => part !== "");
  const action = parts[0]?.includes("=") ? "" : (parts[0] ?? "");
  const values = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf("=");
    const value = equals > 0 ? decoded(part.slice(equals + 1)) : null;
    if (value !== null) values.set(part.slice(0, equals), value);
  }
  if (path === null) return null;
  const token = values.get("preauth") ?? "";
  if (action === "register" || (action === "roster" && values.get("ibr") === "y")) {
    return TOKEN.test(token) ? invitation(path, token, action === "register") : null;
  }
  const address = parseAddress(path);
  if (address.is !== "right") return null;
  if (action === "join") {
    const [password, name] = [values.get("password") || null, values.get("name") || null];
    return { is: "room", address: address.address, password, name };
  }
  const keys = action === "trust-message" || parts.some((part) => part.startsWith("omemo-sid-"));
  return { is: "person", address: address.address, name: values.get("name") || null, keys: keys ? uri : null };
}

function invitation(path: string, token: string, forName: boolean): Invitation | null {
  if (!path.includes("@")) {
    const server = path.toLowerCase();
    return isServer(server) ? { is: "invitation", server, token, inviter: null, name: null } : null;
  }
  const address = parseAddress(path);
  if (address.is !== "right") return null;
  const { server, name } = address;
  return forName
    ? { is: "invitation", server, token, inviter: null, name }
    : { is: "invitation", server, token, inviter: address.address, name: null };
}

/** Pages that stand for such a link: `https://SERVER/invite/TOKEN`, and those that have one in them. */
function parsePage(text: string): Link | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const arrived = parseFragment(url.hash);
  if (arrived) return { ...arrived, server: arrived.server ?? url.hostname };
  const room = parseEnter(url.hash);
  if (room) return room;
  const inside = decoded(text)?.match(/xmpp:.*$/iu)?.[0];
  if (inside) return parseUri(inside);
  const folders = url.pathname.split("/").filter((part) => part !== "");
  const last = decoded(folders.at(-1) ?? "");
  // Pages of other services that show an address: its query is that of the link.
  if (url.hash.includes("@")) return parseUri(`xmpp:${url.hash.slice(1)}`);
  if (folders.length === 2 && folders[0] === "i" && last?.includes("@")) {
    return parseUri(`xmpp:${folders[1]}${url.search}`);
  }
  if (!folders.slice(0, -1).includes("invite") || last === null || !TOKEN.test(last)) return null;
  return { is: "invitation", server: url.hostname, token: last, inviter: null, name: null };
}

/**
 * Where the page of an invitation leads: `#/invite/TOKEN/INVITER/NAME`. INVITER is an address, or the
 * name of the server if nobody in particular invites; it and NAME may be missing.
 */
export function parseFragment(hash: string): Invitation | null {
  const [at, token = "", from = "", name = ""] = hash.replace(/^#\/?/u, "").split("/").map((part) => decoded(part) ?? "");
  if (at !== "invite" || !TOKEN.test(token)) return null;
  const inviter = parseAddress(from);
  const rest = { is: "invitation", token, name: name || null } as const;
  if (inviter.is === "right") return { ...rest, server: inviter.server, inviter: inviter.address };
  return { ...rest, server: isServer(from) ? from.toLowerCase() : null, inviter: null };
}

/** A link to a person, with the fingerprints of devices that are certainly theirs. */
export function personLink(address: string, devices: readonly { id: number; fingerprint: string }[]): string {
  const keys = devices.map(({ id, fingerprint }) => `;omemo-sid-${id}=${hexOf(fingerprint)}`);
  const query = keys.length > 0 ? `?message${keys.join("")}` : "";
  return `xmpp:${encoded(address)}${query}`;
}

/**
 * A link into a group as it is given out: to a page of Clownfish, which every browser opens, with the link of the core
 * and what the group is called in the part of the address that no server sees.
 */
export function enterLink(origin: string, link: string, name: string): string {
  const to = parseLink(link);
  if (to?.is !== "room" || to.password === null) return link;
  const parts = [to.address, to.password, cutAt(name, LONGEST_NAME)].map(encodeURIComponent);
  return `${origin}/#/enter/${parts.join("/")}`;
}

/** Where such a page leads: `#/enter/ROOM/SECRET/NAME`. */
export function parseEnter(hash: string): RoomLink | null {
  if (hash.length > LONGEST) return null;
  const [at, room = "", password = "", name = ""] = hash.replace(/^#\/?/u, "").split("/").map((part) => decoded(part) ?? "");
  const address = parseAddress(room);
  if (at !== "enter" || address.is !== "right" || password === "") return null;
  return { is: "room", address: address.address, password, name: name || null };
}

/** The same as a link for other apps. */
export function uriOf({ address, password }: RoomLink): string {
  return password === null ? roomLink(address) : `${roomLink(address)};password=${encodeURIComponent(password)}`;
}

/** A link to a room. */
export function roomLink(address: string): string {
  return `xmpp:${encoded(address)}?join`;
}

/** A fingerprint without spaces, in small letters. */
export function hexOf(fingerprint: string): string {
  return fingerprint.replace(/[^0-9a-f]/giu, "").toLowerCase();
}

/** RFC 5122 §2.2: what may not stand in a path is percent-encoded. */
function encoded(address: string): string {
  return encodeURIComponent(address).replace(/%(40|24|2B|2C|3A)/gu, (part) => decodeURIComponent(part));
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
