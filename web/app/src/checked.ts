// Parts of the page that are loaded later. The document names their hashes as well, in links that ask for nothing
// (build.mjs). A part is imported when what it consists of was fetched by such a link, and compared.

/** Runs `load`, the import of a part, once all of its scripts are here and are what they should be. */
export async function checked<T>(part: string, load: () => Promise<T>): Promise<T> {
  await Promise.all([...document.querySelectorAll<HTMLLinkElement>(`link[data-part="${part}"]`)].map(fetched));
  return load();
}

const links = new WeakMap<HTMLLinkElement, Promise<void>>();

function fetched(link: HTMLLinkElement): Promise<void> {
  const known = links.get(link);
  if (known) return known;
  // Old browsers fetch no scripts ahead, and tell nothing of it.
  if (!link.relList.supports("modulepreload")) return Promise.resolve();
  const made = new Promise<void>((done, failed) => {
    link.onload = () => done();
    link.onerror = () => failed(new Error(`${link.getAttribute("href")} did not come, or is not the file of this version`));
    link.rel = "modulepreload";
  });
  links.set(link, made);
  return made;
}
