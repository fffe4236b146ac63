// Parts of the page that are loaded later. The document names their hashes as well, in links that ask for nothing
// (build.mjs). A part is imported when what it consists of was fetched and compared: an import that finds a script
// here already does not ask for it again.

/** Runs `load`, the import of a part, once all of its scripts are here and are what they should be. */
export async function checked<T>(part: string, load: () => Promise<T>): Promise<T> {
  const links = [...document.querySelectorAll<HTMLLinkElement>(`link[data-part="${part}"]`)];
  if (links.every((link) => link.relList.supports("modulepreload"))) await Promise.all(links.map(preloaded));
  // What one imports stands in front of it.
  else for (const link of links) await run(link);
  return load();
}

const coming = new WeakMap<HTMLLinkElement, Promise<void>>();

function once(link: HTMLLinkElement, fetch: (done: () => void, failed: () => void) => void): Promise<void> {
  const known = coming.get(link);
  if (known) return known;
  const made = new Promise<void>((done, refuse) => {
    const failed = () => {
      // It is tried once more when somebody wants the part again.
      coming.delete(link);
      refuse(new Error(`${link.getAttribute("href")} did not come, or is not the file of this version`));
    };
    fetch(done, failed);
  });
  coming.set(link, made);
  return made;
}

function preloaded(link: HTMLLinkElement): Promise<void> {
  return once(link, (done, failed) => {
    link.onload = done;
    link.onerror = () => {
      // As build.mjs wrote it: when it becomes one that asks, it asks again.
      link.rel = "later";
      failed();
    };
    link.rel = "modulepreload";
  });
}

/**
 * Old browsers fetch no module ahead: the script is run, which an import of it would do as well. None of them knows
 * of Trusted Types, which would ask who made this address.
 */
function run(link: HTMLLinkElement): Promise<void> {
  return once(link, (done, failed) => {
    const script = document.createElement("script");
    script.type = "module";
    script.integrity = link.integrity;
    script.onload = () => done();
    script.onerror = () => {
      script.remove();
      failed();
    };
    script.src = link.href;
    document.head.append(script);
  });
}
