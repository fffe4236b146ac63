// What is only in the memory of this window, and lost with it: a voice message that is being recorded,
// files that wait to be sent. Whoever has some says so here.

export interface Holder {
  /** Whether there is something now. */
  holds(): boolean;
  /** Throws it away. */
  drop(): void;
  /** Puts into the store what belongs there, and is on its way. Whether all of it is there. */
  keep?(): Promise<boolean>;
}

const holders = new Set<Holder>();

export function holdsUnsent(holder: Holder): void {
  holders.add(holder);
}

/** Whether leaving this window would lose something. */
export function hasUnsent(): boolean {
  return [...holders].some((one) => one.holds());
}

/** Throws it away, because somebody agreed, or nobody is signed in any more. */
export function dropUnsent(): void {
  for (const one of holders) one.drop();
}

/** Whether what belongs into the store is there; a store that does not answer is not waited for. */
export async function keepUnsent(): Promise<boolean> {
  const kept = Promise.all([...holders].map((one) => one.keep?.() ?? true)).then(
    (all) => all.every(Boolean),
    () => false,
  );
  return Promise.race([kept, new Promise<boolean>((enough) => setTimeout(enough, PATIENCE, false))]);
}

const PATIENCE = 3_000;

/** The browser asks before the window is closed or loaded anew while there is something. */
export function guardUnsent(): void {
  addEventListener("beforeunload", (event) => {
    if (hasUnsent()) event.preventDefault();
  });
}
