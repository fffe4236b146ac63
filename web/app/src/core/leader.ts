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
  /** This tab has left, or leaves, and keeps the lock for the one that asked. */
  #leaving = false;
  #queued = false;
  /** The other tab has until then to answer, or to take what it asked for. */
  #patience: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor(tenant: Tenant) {
    this.#tenant = tenant;
    this.#channel.onmessage = (event: MessageEvent<Word>) => this.#onWord(event.data);
    this.#request({ ifAvailable: true });
  }

  /** Takes the account from the tab that has it. */
  takeOver(): void {
    if (this.#release !== null || this.#asking) return;
    this.#asking = true;
    this.#patience = setTimeout(() => this.#steal(), PATIENCE);
    this.#say("let go");
  }

  #request(options: LockOptions): void {
    const held = navigator.locks.request(NAME, options, (lock) => {
      if (lock) return this.#hold();
      this.#queue();
      return undefined;
    });
    // It ends with an error when another tab takes the lock without waiting for it.
    void held.catch(() => this.#lost());
  }

  #queue(): void {
    this.#tenant.wait();
    if (this.#queued) return;
    this.#queued = true;
    void navigator.locks
      .request(NAME, () => {
        this.#queued = false;
        return this.#hold();
      })
      .catch(() => this.#lost());
  }

  #steal(): void {
    if (!this.#asking) return;
    this.#asking = false;
    clearTimeout(this.#patience);
    this.#request({ steal: true });
  }

  /** Has the lock until it is given back. */
  #hold(): Promise<void> {
    this.#asking = false;
    clearTimeout(this.#patience);
    return new Promise((resolve) => {
      this.#release = resolve;
      this.#tenant.arrive();
    });
  }

  #lost(): void {
    if (this.#release === null) return;
    this.#release = null;
    clearTimeout(this.#patience);
    const left = this.#leaving;
    this.#leaving = false;
    if (left) return this.#queue();
    void this.#tenant.leave().then(() => this.#queue());
  }

  #onWord(word: Word): void {
    if (word === "free") return this.#steal();
    if (this.#release === null || this.#leaving) return;
    this.#leaving = true;
    // The lock is not free in between: tabs that only wait would get it.
    void this.#tenant.leave().then(() => {
      this.#patience = setTimeout(() => this.#stay(), PATIENCE);
      this.#say("free");
    });
  }

  /** Nobody took it. */
  #stay(): void {
    this.#leaving = false;
    if (this.#release !== null) this.#tenant.arrive();
  }

  #say(word: Word): void {
    this.#channel.postMessage(word);
  }
}
