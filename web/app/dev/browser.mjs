// The browser of all tests, and how it is started.

/** Only a machine that is very busy takes this long, in milliseconds. */
export const PATIENCE = 60_000;

export const PROGRAM = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  timeout: 2 * PATIENCE,
  args: [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
  ],
};
