// Runs axe over every screen on the sample, in both themes and at both sizes:  node dev/axe.mjs
// Ends with 1 if it finds something.

import axe from "axe-core";

import { serve } from "./serve.mjs";
import { act, launch, open } from "./shot.mjs";

const SCREENS = [
  { name: "list" },
  { name: "list, muted and unread only", steps: ["click=.chip >> nth=1"] },
  { name: "list menu", steps: ["right=.conversation >> nth=3"] },
  { name: "how long to mute", steps: ["right=.conversation >> nth=0", "click=role=menuitem[name='Mute']"] },
  { name: "search", steps: ["click=.list-search-field", "type=ro", "wait=500"] },
  { name: "search, nothing", steps: ["click=.list-search-field", "type=qqxz", "wait=500"] },
  { name: "nobody", query: "empty=" },
  { name: "jump", steps: ["press=Control+k", "type=be"] },
  { name: "keys", steps: ["press=?"] },
  { name: "waiting", query: "connection=waiting", steps: ["wait=2400"] },
  { name: "connecting", query: "connection=connecting", steps: ["wait=2400"] },
  { name: "offline", query: "connection=offline", steps: ["wait=2400"] },
  { name: "refused", query: "connection=refused", steps: ["click=.bar-action"] },
  { name: "storage", query: "storage=" },
  { name: "starting", query: "starting=" },
  { name: "elsewhere", query: "core=elsewhere" },
  { name: "unsupported", query: "core=unsupported" },
  { name: "crashed", query: "core=crashed" },
  { name: "settings", route: "settings" },
  ...["appearance", "notifications", "privacy", "storage", "about", "account"].map((page) => ({
    name: `settings ${page}`,
    route: `settings/${page}`,
  })),
  { name: "invitation", route: "settings/invite", steps: ["click=.invite .button-primary", "wait=500"] },
  { name: "password", route: "settings/account", steps: ["click=.row-press >> nth=0"] },
  { name: "sign out", route: "settings/account", steps: ["click=.row-danger"] },
  { name: "toast", steps: ["right=.conversation >> nth=4", "click=role=menuitem[name=/Hide/]", "wait=200"] },
  { name: "largest text", query: "text=largest" },
  { name: "shared, nothing", route: "share" },
  { name: "a chat", route: "chat/romeo%40verona.example", steps: ["wait=500"] },
  { name: "hostile chat", route: "chat/hostile%40elsinore.example", steps: ["wait=500"] },
  { name: "welcome", query: "signedOut=" },
  { name: "welcome, sign in", query: "signedOut=", steps: ["click=text=Sign in", "click=button[type=submit]"] },
  { name: "welcome, invitation", query: "signedOut=", steps: ["click=text=I have an invitation", "click=button[type=submit]"] },
  { name: "welcome, invited", query: "signedOut=", route: "invite/abc/romeo%40verona.example/anna" },
  ...["abc/romeo%40verona.example/taken", "used/romeo%40verona.example/anna", "abc/romeo%40nowhere.example/anna"].map((rest) => ({
    name: `welcome, ${rest}`,
    query: "signedOut=",
    route: `invite/${rest}`,
    steps: ["click=button[type=submit]", "wait=900"],
  })),
  { name: "people, add", route: "add", steps: ["click=.people-form input", "type=romeo@veronna.example", "wait=200"] },
  { name: "people, own code", route: "add", steps: ["click=text=Show my code", "wait=400"] },
  { name: "people, scan", route: "add", steps: ["click=text=Scan a code", "wait=400"] },
  { name: "people, requests", route: "requests" },
  { name: "people, details", route: "details/romeo%40verona.example", steps: ["click=.device-press", "wait=200"] },
  { name: "people, not encrypted", route: "details/horatio%40elsinore.example" },
  { name: "people, blocked", route: "details/tybalt%40verona.example" },
  { name: "people, stranger", route: "details/iago%40venice.example" },
  { name: "people, verify", route: "details/romeo%40verona.example", steps: ["click=text=Verify Romeo", "wait=300", "click=text=Or compare", "wait=300"] },
  { name: "people, profile", route: "settings/profile", steps: ["click=.profile-name input", "type=x"] },
  { name: "people, devices", route: "settings/devices", steps: ["click=.device-press", "wait=200"] },
];

const only = process.argv.slice(2);
const server = await serve();
const browser = await launch();
let found = 0;
try {
  for (const screen of SCREENS) {
    if (only.length > 0 && !only.some((name) => screen.name.includes(name))) continue;
    for (const size of ["phone", "desktop"]) {
      for (const theme of ["light", "dark"]) found += await check(screen, size, theme);
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
console.log(found === 0 ? "nothing found" : `${found} found`);
process.exitCode = found === 0 ? 0 : 1;

async function check({ name, route = "list", query = "", steps = [] }, size, theme) {
  const { context, page } = await open(browser, server.url, { size, theme, query, route });
  for (const step of steps) await act(page, step);
  await page.waitForTimeout(300);
  // Through the debugger: the content policy lets nothing else in.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  for (const { id, help, nodes } of violations) {
    console.log(`${name} (${size}, ${theme}): ${id}: ${help}`);
    for (const node of nodes.slice(0, 3)) console.log(`    ${node.target.join(" ")}\n    ${node.failureSummary?.split("\n").slice(1).join(" ")}`);
  }
  await context.close();
  return violations.length;
}
