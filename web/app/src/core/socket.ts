// The WebSocket of a domain (RFC 7395): where it is (XEP-0156), and one connection.

/** What a connection tells; nothing more after `closed`. */
export interface Listener {
  opened(secure: boolean): void;
  received(text: string): void;
  closed(reason: string): void;
}

/** One connection, from the search for its address on. */
export class Connection {
  readonly #listener: Listener;
  #socket: WebSocket | null = null;
  #over = false;

  constructor(domain: string, listener: Listener) {
    this.#listener = listener;
    void this.#connect(domain);
  }

  send(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Closes it after what was sent is written. It tells nothing any more. */
  close(): void {
    this.#over = true;
    this.#socket?.close();
  }

  async #connect(domain: string): Promise<void> {
    let address: string;
    try {
      address = await endpoint(domain, new URL(self.location.origin));
    } catch (error) {
      return this.#end(words(error));
    }
    if (this.#over) return;
    let socket: WebSocket;
    try {
      socket = new WebSocket(address, "xmpp");
    } catch (error) {
      return this.#end(words(error));
    }
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (!this.#over) this.#listener.opened(isSecure(new URL(address)));
    };
    socket.onmessage = (event) => {
      if (this.#over) return;
      if (typeof event.data === "string") this.#listener.received(event.data);
      else this.#end("the server sent nonsense");
    };
    socket.onclose = (event) => {
      const lost = opened ? "the connection was lost" : `${new URL(address).host} does not answer`;
      this.#end(event.reason || lost);
    };
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.close();
    this.#listener.closed(reason);
  }
}

/**
 * The address of a domain's WebSocket. The server that gave this page is asked for its own domain;
 * for another one its host-meta says where it is (XEP-0156 §3), and if it says nothing, the server
 * of this page may serve it under another name.
 */
export async function endpoint(domain: string, page: URL): Promise<string> {
  const own = new URL("/xmpp-websocket", page);
  own.protocol = page.protocol === "http:" ? "ws:" : "wss:";
  if (domain === page.hostname) return own.href;
  return (await announced(domain)) ?? own.href;
}

const RELATION = "urn:xmpp:alt-connections:websocket";
const PATIENCE = 10_000;
const MOST_BYTES = 64 * 1024;

async function announced(domain: string): Promise<string | null> {
  const host = domain.startsWith("[") ? domain : encodeURIComponent(domain);
  const base = `https://${host}/.well-known/host-meta`;
  const json = await fetched(`${base}.json`);
  const found = json === null ? null : fromJson(json);
  if (found !== null) return found;
  const xml = await fetched(base);
  return xml === null ? null : fromXml(xml);
}

async function fetched(url: string): Promise<string | null> {
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(PATIENCE),
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    if (!answer.ok || Number(answer.headers.get("content-length") ?? 0) > MOST_BYTES) return null;
    const text = await answer.text();
    return text.length > MOST_BYTES ? null : text;
  } catch {
    return null;
  }
}

/** Reads `host-meta.json` (RFC 6415 §3). */
export function fromJson(text: string): string | null {
  try {
    const links: unknown = JSON.parse(text)?.links;
    if (!Array.isArray(links)) return null;
    for (const link of links) {
      if (link?.rel === RELATION && typeof link.href === "string") {
        const address = safe(link.href);
        if (address !== null) return address;
      }
    }
  } catch {
    // It says nothing.
  }
  return null;
}

/** Reads `host-meta` (RFC 6415 §2). Workers have no parser of XML; only one attribute is wanted. */
export function fromXml(text: string): string | null {
  for (const [link] of text.matchAll(/<(?:\w+:)?Link\s[^>]*>/g)) {
    const attribute = (name: string) =>
      new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(link)?.slice(1).find(Boolean);
    const href = attribute("href")?.replaceAll("&amp;", "&");
    if (attribute("rel") === RELATION && href) {
      const address = safe(href);
      if (address !== null) return address;
    }
  }
  return null;
}

function safe(address: string): string | null {
  try {
    const url = new URL(address);
    return isSecure(url) && url.hash === "" ? url.href : null;
  } catch {
    return null;
  }
}

/** Nobody on the way can listen: TLS, or no way at all. */
export function isSecure(url: URL): boolean {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "wss:" || (url.protocol === "ws:" && here);
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
