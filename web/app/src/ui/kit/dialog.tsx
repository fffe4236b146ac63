import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";

import { words } from "../../i18n";
import { openOver } from "../../route";
import { IconButton } from "./button";
import { phone } from "./media";
import { giveBack, promise } from "./refocus";
import "./dialog.css";

export interface DialogProps {
  title: string;
  /** Closes it: Esc, the cross, a press beside it, a swipe down on a phone. */
  onClose: () => void;
  children: ComponentChildren;
  /** Buttons below, the main one last. */
  actions?: ComponentChildren;
  /** The title is only for those who listen. */
  bare?: boolean;
  /** Fills a phone's screen, and is larger elsewhere. */
  large?: boolean;
  /** For what must not be left by mistake. */
  stays?: boolean;
  class?: string;
}

/** Where in a window what is said in passing stands: see `Toasts`. */
const NOTES = "dialog-notes";

/**
 * A window above everything else, which is out of reach while it is open: in the middle of a large
 * screen, from the bottom of a phone's. The focus goes in, and back to where it was.
 */
export function Dialog(props: DialogProps) {
  const { title, onClose, children, actions, bare = false, large = false, stays = false } = props;
  const id = useId();
  const dialog = useModal(onClose, stays);
  const drag = useDragDown(dialog, onClose, stays);
  const classes = ["dialog", large ? "dialog-large" : "", props.class ?? ""];
  return (
    <dialog ref={dialog} class={classes.filter(Boolean).join(" ")} aria-labelledby={id}>
      <div class="dialog-body">
        <div class="dialog-grip" aria-hidden="true" {...drag} />
        <header class={bare ? "hidden-text" : "dialog-header"}>
          <h2 class="dialog-title" id={id} tabIndex={-1}>
            {title}
          </h2>
          {!bare && !stays && <IconButton icon="close" label={words().shell.close} onClick={onClose} />}
        </header>
        <div class="dialog-content scroll">{children}</div>
        <div class={NOTES} />
        {actions && <footer class="dialog-actions">{actions}</footer>}
      </div>
    </dialog>
  );
}

/** The same; the name says that it is a list of things to do, from the bottom of a phone. */
export const Sheet = Dialog;

/** The windows that are open, the topmost last. What is not in that one cannot be reached meanwhile. */
export const windows = signal<readonly HTMLDialogElement[]>([]);

/** Where in a window something can be said without lying over its buttons. */
export function placeForNotes(window: HTMLDialogElement): Element {
  return window.querySelector(`.${NOTES}`) ?? window;
}

/** A <dialog> that is open as long as it is drawn. */
export function useModal(onClose: () => void, stays = false) {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    const before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    const kept = before && promise(before);
    element.showModal();
    windows.value = [...windows.peek(), element];
    // Where nothing asks for the focus, the title has it: it says what this is.
    if (!element.querySelector("[autofocus]")) {
      element.querySelector<HTMLElement>(".dialog-title")?.focus();
    }
    return () => {
      windows.value = windows.peek().filter((one) => one !== element);
      element.close();
      kept?.();
      if (before && before !== document.body) giveBack(before);
    };
  }, []);
  useEffect(() => {
    if (stays) return undefined;
    return openOver(() => close.current(), phone.peek() ? "windowStep" : "window");
  }, [stays]);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    const cancel = (event: Event) => {
      event.preventDefault();
      event.stopPropagation();
      if (!stays) close.current();
    };
    // A press that starts beside it and ends there; not a selection that slips out.
    let beside = false;
    const down = (event: PointerEvent) => {
      beside = event.target === element;
    };
    const click = (event: MouseEvent) => {
      if (beside && event.target === element && !stays) close.current();
    };
    // Esc belongs to the window on top, not to what is below.
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape") event.stopPropagation();
    };
    element.addEventListener("cancel", cancel);
    element.addEventListener("pointerdown", down);
    element.addEventListener("click", click);
    element.addEventListener("keydown", key);
    return () => {
      element.removeEventListener("cancel", cancel);
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("click", click);
      element.removeEventListener("keydown", key);
    };
  }, [stays]);
  return dialog;
}

/** Handlers for the grip of a sheet: down far enough closes it. */
function useDragDown(
  dialog: { current: HTMLDialogElement | null },
  onClose: () => void,
  stays: boolean,
) {
  const start = useRef<number | null>(null);
  const end = (event: PointerEvent) => {
    const from = start.current;
    start.current = null;
    dialog.current?.style.removeProperty("translate");
    if (from !== null && !stays && event.clientY - from > 80) onClose();
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      start.current = event.clientY;
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      if (start.current === null || !dialog.current) return;
      dialog.current.style.translate = `0 ${Math.max(0, event.clientY - start.current)}px`;
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
}
