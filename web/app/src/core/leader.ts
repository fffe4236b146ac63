// One tab at a time has the account: a lock of the browser decides which (Web Locks), and a channel
// between the tabs asks for it.
//
// Tabs that wait get the lock when the tab that has it is closed, in the order in which they came.
// A tab whose person said "use here" asks first, and takes the lock when it was let go, or when
// nobody answers: a tab that hangs must not keep the account.

const NAME = "clownfish:account";
/** Milliseconds the other tab has to close its store. */
const PATIENCE = 5_000;

type Word = "let go" | "free";

export interface Tenant {
  /** The account is this tab's. */
  arrive(): void;
  /** Another tab wants it: close everything. Called once for every `arrive`. */
  leave(): Promise<void>;
  /** It is another tab's. */
  wait(): void;
}

export class Leader {
  readonly #tenant: Tenant;
  readonly #channel = new BroadcastChannel(NAME);
  /** Gives the lock back, while this tab has it. */
  #release: (() => void) | null = null;
  #asking: ReturnType<typeof setTimeout> | null = null;

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
    this.#channel.onmessage = (event: MessageEvent<Word>) => this.#onWord(event.data);
    void navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
      if (lock) return this.#hold();
      this.#queue();
      return undefined;
    });
  }

  /** Takes the account from the tab that has it. */
  takeOver(): void {
    if (this.#release !== null || this.#asking !== null) return;
    this.#asking = setTimeout(() => this.#steal(), PATIENCE);
    this.#say("let go");
  }

  #queue(): void {
    this.#tenant.wait();
    void navigator.locks.request(NAME, () => this.#hold()).catch(() => this.#lost());
  }

  #steal(): void {
    if (this.#asking === null) return;
    clearTimeout(this.#asking);
    this.#asking = null;
    const taken = navigator.locks.request(NAME, { steal: true }, () => this.#hold());
    void taken.catch(() => this.#lost());
  }

  /** Has the lock until it is given back. */
  #hold(): Promise<void> | undefined {
    // A tab that took it over is still in the line from before.
    if (this.#release !== null) return undefined;
    return new Promise((resolve) => {
      this.#release = resolve;
      this.#tenant.arrive();
    });
  }

  /** Another tab took the lock without waiting. */
  #lost(): void {
    if (this.#release === null) return;
    this.#release = null;
    void this.#tenant.leave().then(() => this.#queue());
  }

  #onWord(word: Word): void {
    if (word === "free") return this.#steal();
    const release = this.#release;
    if (release === null) return;
    this.#release = null;
    void this.#tenant.leave().then(() => {
      this.#say("free");
      release();
      this.#queue();
    });
  }

  #say(word: Word): void {
    this.#channel.postMessage(word);
  }
}
