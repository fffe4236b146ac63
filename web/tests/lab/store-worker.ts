// Runs the suite of every store on the store of the browser.

import load, { conformance_case, conformance_cases, install_storage } from "clownfish-core-tests";

self.onmessage = async (event: MessageEvent<string>) => {
  try {
    await load({ module_or_path: event.data });
    await install_storage("conformance");
    for (const name of conformance_cases()) {
      try {
        conformance_case(name);
        self.postMessage({ name });
      } catch (error) {
        self.postMessage({ name, error: String(error) });
        // After a panic nothing here can be trusted.
        break;
      }
    }
    self.postMessage({ end: true });
  } catch (error) {
    self.postMessage({ name: "start", error: String(error) });
    self.postMessage({ end: true });
  }
};
