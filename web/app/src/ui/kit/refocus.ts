// Where the focus goes when what has it is taken from the page: a request that was answered, a message that was
// deleted, a button whose work is done. Otherwise nothing would have it, and whoever uses keys or a screen reader
// would begin again at the top of the page.

import { touch } from "./media";

/** Where something was: in what, and between what. */
interface Place {
  parent: Element;
  before: Node | null;
  after: Node | null;
}

/** Where the elements were that are gone from the page. */
const places = new WeakMap<HTMLElement, Place>();
/** To which a window gives the focus back. */
const promised = new Set<HTMLElement>();
/** What has it, if keys brought it there: a finger needs none, and a field that got it would bring up its keyboard. */
let current: HTMLElement | null = null;

/** What holds things that come and go. Of whole panes, the page itself sees to the focus. */
const INSIDE = ".page, .chat, .list, .dialog";
const FOCUSABLE = "button:not(:disabled), a[href], input:not(:disabled), textarea, select, [tabindex='0']";

/** Watches the focus of the page, from now on. */
export function startRefocusing(): void {
  addEventListener("focusin", ({ target }) => {
    const fingers = touch.peek() && target instanceof HTMLElement && target.matches("input, textarea");
    current = target instanceof HTMLElement && target.matches(":focus-visible") && !fingers ? target : null;
  });
  new MutationObserver((changes) => {
    for (const one of promised) note(one, changes);
    if (!current || current.isConnected) return;
    const gone = current;
    current = null;
    note(gone, changes);
    if (document.activeElement === document.body) giveBack(gone);
  }).observe(document, { childList: true, subtree: true });
}

/** Keeps an eye on what will get the focus back, until the function is called that this gives. */
export function promise(element: HTMLElement): () => void {
  promised.add(element);
  return () => void promised.delete(element);
}

/** Gives it the focus; where it is gone, what is now next to its place. */
export function giveBack(to: HTMLElement): void {
  const next = to.isConnected ? to : nextTo(to);
  next?.focus({ preventScroll: true });
}

function note(element: HTMLElement, changes: readonly MutationRecord[]): void {
  if (element.isConnected || places.has(element)) return;
  const change = changes.findLast(({ removedNodes }) => [...removedNodes].some((one) => one.contains(element)));
  if (!(change?.target instanceof Element)) return;
  places.set(element, { parent: change.target, before: change.previousSibling, after: change.nextSibling });
}

/** What is like it beside its place, the next before the previous; else anything there; else what it was in. */
function nextTo(gone: HTMLElement): HTMLElement | null {
  const place = places.get(gone);
  const around = place?.parent.isConnected ? place.parent.closest(INSIDE) : null;
  if (!place || !around) return null;
  const kind = gone.classList[0] === undefined ? gone.localName : `${gone.localName}.${CSS.escape(gone.classList[0])}`;
  const beside = [place.after, place.before].filter((one) => one instanceof Element && one.isConnected);
  for (const wanted of [kind, FOCUSABLE]) {
    for (const one of beside as Element[]) {
      const found = one.matches(wanted) ? one : one.querySelector(wanted);
      if (found instanceof HTMLElement) return found;
    }
  }
  return around.querySelector<HTMLElement>(".page-title, .dialog-title") ?? around.querySelector<HTMLElement>(FOCUSABLE);
}
