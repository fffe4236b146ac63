// One connection over the WebSocket of the server that gave this page (RFC 7395).

/** What a connection tells; nothing more after `closed`. */
export interface Listener {
  opened(secure: boolean): void;
  received(text: string): void;
  closed(reason: string): void;
}

/** One connection. */
export class Connection {
  readonly #listener: Listener;
  #socket: WebSocket | null = null;
  #over = false;

  constructor(listener: Listener) {
    this.#listener = listener;
    // After whoever made it has it.
    queueMicrotask(() => this.#connect());
  }

  send(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Closes it after what was sent is written. It tells nothing any more. */
  close(): void {
    this.#over = true;
    this.#socket?.close();
  }

  #connect(): void {
    if (this.#over) return;
    const address = endpoint(new URL(self.location.origin));
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
      if (!this.#over) this.#listener.opened(isSecure(address));
    };
    socket.onmessage = (event) => {
      if (this.#over) return;
      if (typeof event.data === "string") this.#listener.received(event.data);
      else this.#end("the server sent nonsense");
    };
    socket.onclose = (event) => {
      const lost = opened ? "the connection was lost" : `${address.host} does not answer`;
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
 * The address of the WebSocket: that of the server which gave this page, whatever name the account's
 * domain has. The content policy lets the page talk to no other.
 */
export function endpoint(page: URL): URL {
  const own = new URL("/xmpp-websocket", page);
  own.protocol = page.protocol === "http:" ? "ws:" : "wss:";
  return own;
}

/** Nobody on the way can listen: TLS, or no way at all. */
export function isSecure(url: URL): boolean {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  return url.protocol === "wss:" || (url.protocol === "ws:" && here);
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
