// The worker of the page: one account at work, with its store in the origin's private files.
//
// A panic of the core leaves its memory in no defined state. The worker says so and does nothing
// more; the page starts another one, which goes on from the store (client.ts).

import load, { install_storage } from "clownfish-core";

import type { FailedWhy } from "./api";
import { Altered, compiled } from "./compile";
import { Driver } from "./driver";
import { ROOT, removeAll, sweep } from "./files";
import type { FromWorker, ToWorker } from "./protocol";
import { dataKey, forgetKey } from "./vault";

/** Tries to get the private files, which an earlier worker may still be letting go. */
const TRIES = 30;
const BETWEEN_TRIES = 100;

let driver: Driver | null = null;
/** The account goes: that is not left half done. */
let wiping: Promise<void> | null = null;

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  switch (message.is) {
    case "start":
      void start(message).catch((error: unknown) => fail(error));
      return;
    case "request":
      driver?.request(message.number, message.command);
      return;
    case "question": {
      const { number } = message;
      const answer = driver?.answer(message.question) ?? Promise.reject(new Error("not started"));
      answer.then(
        (answer) => tell({ is: "answer", number, answer }),
        (error: unknown) => {
          tell({ is: "refused", number, reason: words(error) });
          if (error instanceof WebAssembly.RuntimeError) fail(error);
        },
      );
      return;
    }
    case "wake":
      driver?.wake();
      return;
    case "stop":
      void (wiping ?? driver?.stop() ?? Promise.resolve()).then(() => tell({ is: "stopped" }));
      return;
  }
};

// Whatever was not expected: the core may be in no defined state.
self.addEventListener("error", (event) => fail(event.error ?? event.message));
self.addEventListener("unhandledrejection", (event) => fail(event.reason));

async function start({ device, core, erase }: Extract<ToWorker, { is: "start" }>): Promise<void> {
  if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) {
    const reason = "the browser's private files hold no database";
    return tell({ is: "failed", why: "unsupported", reason });
  }
  const loading = step("load", async () => load({ module_or_path: await compiled(core) }));
  // It is waited for below, whatever happens before.
  loading.catch(() => {});
  // The key first: without it nothing that is left can be read.
  if (erase) await step("storage", forgetKey);
  const { key, fresh } = await step("storage", dataKey);
  // Without its key nothing that is here can be read.
  if (fresh) await step("busy", () => patiently(removeAll));
  await loading;
  await step("busy", () => patiently(() => install_storage(`${ROOT}/database`)));
  // What cannot be removed is no reason not to start.
  await sweep().catch(() => undefined);
  const made = new Driver(key, device, tell, () => void wipe());
  await step("storage", () => made.start());
  driver = made;
}

/** Why the core could not start. */
class Failure extends Error {
  constructor(
    readonly why: FailedWhy,
    error: unknown,
  ) {
    super(words(error));
  }
}

/** Part of the start: what fails in it failed for this reason, unless it is another one in any case. */
async function step<T>(why: FailedWhy, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Failure(whyOf(error) ?? why, error);
  }
}

function whyOf(error: unknown): FailedWhy | null {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return "crashed";
  // The store or its key was there, and is not what it was.
  if (error instanceof Error && ["Damaged", "OperationError"].includes(error.name)) return "damaged";
  if (error instanceof Altered) return "altered";
  // This page is older than what wrote it.
  return error instanceof Error && error.name === "Newer" ? "load" : null;
}

/** The key goes first: if nothing else happens, the next worker removes the rest. */
async function wipe(): Promise<void> {
  driver = null;
  wiping = forgetKey();
  await wiping;
  tell({ is: "wiped" });
}

async function patiently(work: () => Promise<void>): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || error instanceof WebAssembly.RuntimeError) throw error;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES));
    }
  }
}

function tell(message: FromWorker): void {
  self.postMessage(message);
}

function fail(error: unknown): void {
  driver = null;
  tell({ is: "failed", why: error instanceof Failure ? error.why : "crashed", reason: words(error) });
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
