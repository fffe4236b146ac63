// How a link is shown: nobody should be surprised by where it leads.

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

/** Whether an `xmpp:` link leads into a room (XEP-0045 §17.1). */
export function joins(link: string): boolean {
  const url = parsed(link);
  return !!url && url.protocol === "xmpp:" && /^\?join(;|&|$)/.test(url.search);
}

/** The bare address of an `xmpp:` link that asks for nothing more than to talk; else `null`. */
export function chatAddress(link: string): string | null {
  const url = parsed(link);
  if (!url || url.protocol !== "xmpp:") return null;
  if (url.search !== "" && url.search !== "?message") return null;
  try {
    const bare = decodeURIComponent(url.pathname).split("/", 1)[0] ?? "";
    return bare.includes("@") ? bare : null;
  } catch {
    return null;
  }
}
