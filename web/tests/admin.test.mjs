// The pages of the operator, in a browser: every one of them for everybody, on every screen. With UPDATE=1 the picture of
// the manual is taken anew.

import assert from "node:assert/strict";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { Person, SIZES } from "./harness.mjs";
import { PASSWORD, stage } from "./stage.mjs";

const there = stage();
const ROOT = new URL("../../", import.meta.url).pathname;
const admin = () => `https://localhost:${there.server.ports.https}/admin`;

/** Signs in with an account; ends where that leads. */
async function signIn({ page }, name, password) {
  await page.goto(admin());
  await page.getByLabel("Your address").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Nothing is wider than the screen, but what scrolls by itself. */
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

test("an administrator reaches every page, and each of them fits and is accessible", async () => {
  const { server } = there;
  for (const name of ["ada", "charles", "grace"]) await server.addAccount(name, PASSWORD);
  await server.run("account", "admin", "ada");
  const [juliet, romeo] = await there.pair("juliet", "romeo");
  await server.invite();

  const ada = await Person.sit(there.browser, { name: "ada", size: "desktop", trusts: true });
  // What it answers, the browser says as well.
  ada.expects(/status of (403|404)/);
  const { page } = ada;
  await signIn(ada, "ada", "not her password");
  await page.getByText("That is not the address and the password of an administrator.").waitFor();
  await ada.accessible();
  await signIn(ada, "romeo", PASSWORD);
  await page.getByText("That is not the address and the password of an administrator.").waitFor();
  await signIn(ada, "ada", PASSWORD);
  const all = page.getByRole("navigation").getByRole("link");
  await all.first().waitFor();
  const links = await all.evaluateAll((found) => found.map((one) => one.href));
  assert.ok(links.length >= 8, links.join());
  links.push(`${admin()}/accounts/juliet%40localhost`);
  for (const link of links) {
    await page.goto(link);
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await page.locator("script").count(), 0, link);
    await ada.accessible();
    assert.ok(await fits(page), `${link} fits`);
    await page.setViewportSize(SIZES.phone.viewport);
    assert.ok(await fits(page), `${link} fits on a phone`);
    await page.setViewportSize(SIZES.desktop.viewport);
  }
  await page.setViewportSize({ width: 1200, height: 800 });
  await page.goto(`${admin()}/accounts`);
  await page.getByRole("cell", { name: "romeo@localhost" }).waitFor();
  await ada.picture("admin");
  if (process.env.UPDATE) {
    await mkdir(join(ROOT, "docs/screenshots"), { recursive: true });
    await copyFile(join(ROOT, "target/web-pictures/admin.png"), join(ROOT, "docs/screenshots/admin.png"));
  }
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Password").waitFor();
  await page.goto(links.at(-1));
  await page.getByLabel("Password").waitFor();
  await Promise.all([ada, juliet, romeo].map((one) => one.leave()));
});
