// How a link is shown: nobody should be surprised by where it leads.

import type { Route } from "../../../route";
import { parseLink } from "../../people/links";

export interface Shown {
  /** What stands in the text. */
  text: string;
  /** The host it really leads to, where the text does not say it plainly. */
  host: string | null;
  /** The whole address, punycode and all. */
  title: string;
}

/** More characters than this of an address are not shown. */
const LONGEST = 160;

/** `text` is what was written, `link` where it leads. */
export function shown(text: string, link: string): Shown {
  const url = parsed(link);
  if (!url) return { text: shortened(text), host: null, title: link };
  const web = url.protocol === "http:" || url.protocol === "https:";
  // A backslash ends the host for a browser, but not for every reader.
  const plain =
    !(url.username || url.password || text.includes("\\")) && authority(text) === url.host.toLowerCase();
  return { text: shortened(text), host: web && !plain ? url.host : null, title: url.href };
}

/** The host a reader takes a written address for. */
function authority(text: string): string {
  const rest = text.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  return (rest.split(/[/?#\\]/, 1)[0] ?? "").toLowerCase().replace(/:(80|443)$/, "");
}

function parsed(link: string): URL | null {
  try {
    return new URL(link);
  } catch {
    return null;
  }
}

/** The beginning and the end of what is too long. */
function shortened(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST - 40)}…${text.slice(-32)}`;
}

/** Whether an address may be opened from a message at all. */
export function opens(link: string): boolean {
  const url = parsed(link);
  return !!url && ["http:", "https:", "xmpp:", "mailto:", "tel:", "geo:"].includes(url.protocol);
}

/** Where in the app an `xmpp:` link leads: into a room, or to a person, whatever else it asks for; else `null`. */
export function leads(link: string): Route | null {
  const own = link.startsWith(`${location.origin}/#/enter/`);
  if (!own && !/^xmpp:/i.test(link)) return null;
  const to = parseLink(link);
  if (to?.is === "room") return { at: "join", address: to.address, link: to };
  // Keys that somebody sends in a message prove nothing: they are compared in the details.
  if (to?.is === "person") return { at: "chat", address: to.address, message: null };
  return to?.inviter ? { at: "chat", address: to.inviter, message: null } : null;
}
