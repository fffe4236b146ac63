import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { useModal } from "./dialog";
import { Icon } from "./icon";
import type { IconName } from "./icons";
import { place } from "./place";
import type { Point } from "./press";
import "./menu.css";

/** A line of a menu; `null` draws a line between two groups. */
export type MenuItem = {
  label: string;
  icon?: IconName;
  /** Said in small below: what it will mean. */
  hint?: string;
  danger?: boolean;
  disabled?: boolean;
  /** One of several that is chosen, or not. */
  checked?: boolean;
  run: () => void;
} | null;

export interface MenuProps {
  /** What the menu is of. */
  label: string;
  items: readonly MenuItem[];
  /** Where: a point, or the element it belongs to. */
  at: Point | Element;
  /** Above the items; gets what closes the menu. */
  header?: (close: () => void) => ComponentChildren;
  onClose: () => void;
}

/**
 * A menu at a point or below a button. Arrow keys, Home, End and first letters move in it; Esc, Tab
 * or a press elsewhere closes it, and the focus goes back. Where something is above the items, the arrow up
 * from the first of them leads there, and Tab goes to and fro.
 */
export function Menu({ label, items, at, header, onClose }: MenuProps) {
  const dialog = useModal(onClose);
  const list = useRef<HTMLDivElement>(null);
  const above = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    place(element, at);
    buttons(list.current)[0]?.focus();
  }, [at]);
  const choose = (item: MenuItem) => {
    onClose();
    item?.run();
  };
  return (
    <dialog ref={dialog} class="menu" aria-label={label} onContextMenu={(event) => event.preventDefault()}>
      <div class="menu-body">
        {header && (
          <div class="menu-header" ref={above} onKeyDown={(event) => event.key === "Tab" && enter(event, buttons(list.current)[0])}>
            {header(onClose)}
          </div>
        )}
        <div
          ref={list}
          class="menu-items"
          role="menu"
          aria-label={label}
          onKeyDown={(event) => moveByKey(event, above.current?.querySelector("button") ?? null, onClose)}
        >
          {items.map((item, index) =>
            item === null ? (
              <div class="menu-line" role="separator" key={index} />
            ) : (
              <button
                key={index}
                type="button"
                class={item.danger ? "menu-item menu-item-danger" : "menu-item"}
                role={item.checked === undefined ? "menuitem" : "menuitemradio"}
                aria-checked={item.checked}
                aria-disabled={item.disabled ?? false}
                tabIndex={-1}
                onClick={() => !item.disabled && choose(item)}
              >
                {item.icon && <Icon name={item.icon} size={20} />}
                <span class="menu-words">
                  <span>{item.label}</span>
                  {item.hint && <span class="menu-hint">{item.hint}</span>}
                </span>
                {item.checked && <Icon name="check" size={18} />}
              </button>
            ),
          )}
        </div>
      </div>
    </dialog>
  );
}

function buttons(list: HTMLElement | null): HTMLButtonElement[] {
  return list ? [...list.querySelectorAll<HTMLButtonElement>(".menu-item")] : [];
}

function enter(event: KeyboardEvent, there: HTMLElement | null | undefined): void {
  event.preventDefault();
  there?.focus();
}

function moveByKey(event: KeyboardEvent, above: HTMLElement | null, close: () => void): void {
  const all = buttons(event.currentTarget as HTMLElement);
  const now = all.indexOf(document.activeElement as HTMLButtonElement);
  const to = (index: number) => enter(event, all[(index + all.length) % all.length]);
  if (event.key === "ArrowDown") to(now + 1);
  else if (event.key === "ArrowUp" && now === 0 && above) enter(event, above);
  else if (event.key === "ArrowUp") to(now < 0 ? -1 : now - 1);
  else if (event.key === "Home") to(0);
  else if (event.key === "End") to(-1);
  else if (event.key === "Tab" && above) enter(event, above);
  else if (event.key === "Tab") {
    event.preventDefault();
    close();
  } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
    const letter = event.key.toLocaleLowerCase();
    const turned = [...all.slice(now + 1), ...all.slice(0, now + 1)];
    turned.find((one) => one.textContent?.trim().toLocaleLowerCase().startsWith(letter))?.focus();
  }
}
