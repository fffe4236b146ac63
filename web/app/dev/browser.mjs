// The browser of all tests, and how it is started.

/** Only a machine that is very busy takes this long, in milliseconds. */
export const PATIENCE = 60_000;

/** What nobody looks at: each window would have pages of the browser's own, which take as long as the page of the test. */
const OWN_PAGES = ["WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"];

/** What Playwright turns off as well: of two lists the last one counts. */
const PLAYWRIGHTS = [
  "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect",
  "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
];

export const PROGRAM = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  timeout: 2 * PATIENCE,
  args: [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream", `--disable-features=${[...PLAYWRIGHTS, ...OWN_PAGES].join()}`,
  ],
};
