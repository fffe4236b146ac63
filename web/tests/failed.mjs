// A reporter for Node's test runner, for scripts/test.sh: the file that FAILED names has a line for each file in which
// something failed, with how many tests passed, failed and were skipped in it.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";

export default async function* failed(events) {
  const files = new Map();
  for await (const { type, data } of events) {
    if (!["test:pass", "test:fail"].includes(type) || !data.file) continue;
    if (!files.has(data.file)) files.set(data.file, { broken: false, passed: 0, failed: 0, skipped: 0 });
    const file = files.get(data.file);
    file.broken ||= type === "test:fail";
    // Node counts no suites either.
    if (data.details?.type !== "suite") {
      file[data.skip !== undefined ? "skipped" : type === "test:pass" ? "passed" : "failed"] += 1;
    }
    // At once: told to exit, Node does not wait for what a reporter still has to say.
    writeFileSync(process.env.FAILED, [...files].filter(([, { broken }]) => broken).map(line).join(""));
  }
}

function line([name, { passed, failed, skipped }]) {
  return `${relative("", name)} ${passed} ${failed} ${skipped}\n`;
}
