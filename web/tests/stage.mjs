// A server and a browser for all tests of a file, and people who sit down in front of them.

import { after, before } from "node:test";

import { befriend, signIn } from "./acts.mjs";
import { launch, Person } from "./harness.mjs";
import { Server } from "./server.mjs";

/** The password of whoever sits down. */
export const PASSWORD = "a rose by any other name";

/** Called once, where a file begins; `options` are the server's. */
export function stage(options = {}) {
  const there = {
    server: null,
    browser: null,
    /** Somebody with a new account, or one that is there already, logged in. */
    async sit(name, { size, known = false } = {}) {
      if (!known) await there.server.addAccount(name, PASSWORD);
      const person = await Person.sit(there.browser, { name, size });
      await signIn(person, there.server.url, `${name}@localhost`, PASSWORD);
      return person;
    },
    /** Two contacts with new accounts, each in a browser, who have their conversation open. */
    async pair(...names) {
      const [asking, asked] = await Promise.all(names.map((name) => there.sit(name)));
      await befriend(asking, asked, { asking: `${names[0]}@localhost`, asked: `${names[1]}@localhost` });
      return [asking, asked];
    },
  };
  before(async () => {
    there.server = await Server.start(options);
    there.browser = await launch();
  });
  after(async () => {
    await there.browser?.close();
    await there.server?.remove();
  });
  return there;
}
