// Menus, questions and toasts, opened from anywhere by a call. The page draws them once, at its end.

import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { words } from "../../i18n";
import { Button, IconButton } from "./button";
import { Dialog, placeForNotes, windows } from "./dialog";
import { Menu, type MenuProps } from "./menu";
import { stay } from "./stay";
import "./toast.css";

const menu = signal<Omit<MenuProps, "onClose"> | null>(null);

/** Opens a menu; one at a time. */
export function openMenu(what: Omit<MenuProps, "onClose">): void {
  menu.value = what;
}

export interface Question {
  title: string;
  /** What will happen. */
  text: string;
  /** The word on the button that does it. */
  action: string;
  danger?: boolean;
}

/** The question that is open. */
export const question = signal<(Question & { answer: (yes: boolean) => void }) | null>(null);

/** Asks before something is done; whether it shall be. */
export function confirm(what: Question): Promise<boolean> {
  question.peek()?.answer(false);
  return new Promise((answer) => {
    question.value = { ...what, answer };
  });
}

export interface Toast {
  text: string;
  /** One thing to do about it. */
  action?: { label: string; run: () => void };
  /** Something went wrong: it is said at once, and stays longer. */
  problem?: boolean;
}

/** What is being said. */
export const toasts = signal<readonly (Toast & { key: number })[]>([]);
let nextKey = 0;

/** Says something in passing at the bottom; at most three at a time. */
export function toast(what: Toast | string): void {
  const made = typeof what === "string" ? { text: what } : what;
  nextKey += 1;
  toasts.value = [...toasts.value.filter((one) => one.text !== made.text), { ...made, key: nextKey }].slice(-3);
}

function dismiss(key: number): void {
  toasts.value = toasts.value.filter((one) => one.key !== key);
}

/** Draws what the calls above opened. */
export function Overlays() {
  const open = menu.value;
  return (
    <>
      {open && <Menu key={overlayKey(open)} {...open} onClose={() => (menu.value = null)} />}
      <Asked />
      <Toasts />
    </>
  );
}

/**
 * Where toasts are drawn. An open window covers everything else and puts it out of reach, so they are in the
 * topmost one: moved there with all they have, since none of them begins anew because a window opens. How much
 * room they take is said to the styles: what has buttons at the bottom leaves it to them.
 */
function Toasts() {
  const home = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = document.createElement("div");
    place.className = "toasts";
    place.setAttribute("role", "status");
    place.setAttribute("aria-live", "polite");
    render(<ToastList />, place);
    const room = new ResizeObserver(() => {
      const { style } = document.documentElement;
      if (toasts.peek().length > 0) style.setProperty("--toasts", `${place.offsetHeight}px`);
      else style.removeProperty("--toasts");
    });
    room.observe(place);
    const stop = effect(() => {
      const top = windows.value.at(-1);
      (top ? placeForNotes(top) : home.current)?.append(place);
    });
    return () => {
      stop();
      room.disconnect();
      render(null, place);
      place.remove();
    };
  }, []);
  return <div class="toasts-home" ref={home} />;
}

function ToastList() {
  return (
    <>
      {toasts.value.map((one) => (
        <ToastView key={one.key} toast={one} onClose={() => dismiss(one.key)} />
      ))}
    </>
  );
}

const keys = new WeakMap<object, number>();

/** A menu that replaces another is a new one. */
function overlayKey(what: object): number {
  const key = keys.get(what) ?? ++nextKey;
  keys.set(what, key);
  return key;
}

function Asked() {
  const asked = question.value;
  if (!asked) return null;
  const end = (yes: boolean) => {
    question.value = null;
    asked.answer(yes);
  };
  return (
    <Dialog
      title={asked.title}
      onClose={() => end(false)}
      actions={
        <>
          <Button kind="quiet" autofocus={asked.danger ?? false} onClick={() => end(false)}>
            {words().shell.cancel}
          </Button>
          <Button
            kind={asked.danger ? "danger" : "primary"}
            autofocus={!asked.danger}
            onClick={() => end(true)}
          >
            {asked.action}
          </Button>
        </>
      }
    >
      <p>{asked.text}</p>
    </Dialog>
  );
}

function ToastView({ toast, onClose }: { toast: Toast; onClose: () => void }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => stay(element.current, toast.problem || toast.action ? 8_000 : 4_000, onClose), []);
  const action = toast.action;
  return (
    <div ref={element} class={toast.problem ? "toast toast-problem" : "toast"} role={toast.problem ? "alert" : undefined}>
      <p class="toast-text">{toast.text}</p>
      {action && (
        <button
          type="button"
          class="toast-action"
          onClick={() => {
            onClose();
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <IconButton icon="close" size={18} label={words().shell.dismiss} onClick={onClose} />
    </div>
  );
}
