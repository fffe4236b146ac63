// As much of a browser as modules touch when they are loaded. Imported first.

Object.assign(globalThis, {
  location: { hash: "" },
  addEventListener: () => {},
  history: { state: null, pushState: () => {}, replaceState: () => {}, back: () => {} },
  matchMedia: () => ({ matches: false, addEventListener: () => {} }),
  localStorage: { getItem: () => null, setItem: () => {}, removeItem: () => {} },
  document: { visibilityState: "visible", hasFocus: () => true, addEventListener: () => {}, querySelectorAll: () => [] },
  navigator: { languages: ["en"], userAgent: "" },
});

export {};
