// The worker of the page: one account at work, with its store in the origin's private files.
//
// A panic of the core leaves its memory in no defined state. The worker says so and does nothing
// more; the page starts another one, which goes on from the store (client.ts).

import load, { install_storage } from "clownfish-core";

import { Driver } from "./driver";
import { ROOT, removeAll } from "./files";
import type { FromWorker, ToWorker } from "./protocol";
import { dataKey, forgetKey } from "./vault";

/** Tries to get the private files, which an earlier worker may still be letting go. */
const TRIES = 30;
const BETWEEN_TRIES = 100;

let driver: Driver | null = null;

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  switch (message.is) {
    case "start":
      void start(message).catch((error: unknown) => fail(error, true));
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
          if (error instanceof WebAssembly.RuntimeError) fail(error, false);
        },
      );
      return;
    }
    case "wake":
      driver?.wake();
      return;
    case "stop":
      driver?.stop();
      tell({ is: "stopped" });
      return;
  }
};

// Whatever was not expected: the core may be in no defined state.
self.addEventListener("error", (event) => fail(event.error ?? event.message, false));
self.addEventListener("unhandledrejection", (event) => fail(event.reason, false));

async function start({ device, core, erase }: Extract<ToWorker, { is: "start" }>): Promise<void> {
  if (!("createSyncAccessHandle" in FileSystemFileHandle.prototype)) {
    const reason = "the browser's private files hold no database";
    return tell({ is: "failed", why: "unsupported", reason });
  }
  const loading = load({ module_or_path: core });
  // The key first: without it nothing that is left can be read.
  if (erase) await forgetKey();
  const { key, fresh } = await dataKey();
  // Without its key nothing that is here can be read.
  if (fresh) await patiently(removeAll);
  await loading;
  await patiently(() => install_storage(`${ROOT}/database`));
  const made = new Driver(key, device, tell, () => void wipe());
  made.start();
  driver = made;
}

/** The key goes first: if nothing else happens, the next worker removes the rest. */
async function wipe(): Promise<void> {
  driver = null;
  await forgetKey();
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

function fail(error: unknown, starting: boolean): void {
  driver = null;
  const crashed = !starting || error instanceof WebAssembly.RuntimeError;
  tell({ is: "failed", why: crashed ? "crashed" : "storage", reason: words(error) });
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
