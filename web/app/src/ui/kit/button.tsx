import type { ButtonHTMLAttributes, ComponentChildren, Ref } from "preact";

import { Icon } from "./icon";
import type { IconName } from "./icons";
import { Spinner } from "./spinner";
import "./button.css";

type Native = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "icon" | "size" | "class" | "label">;

export interface ButtonProps extends Native {
  /** `primary` for the one thing to do here, `quiet` without a ground, `danger` for what hurts. */
  kind?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  /** At work: it cannot be pressed again, and shows it. */
  busy?: boolean;
  /** As wide as there is room. */
  wide?: boolean;
  class?: string;
  children: ComponentChildren;
  ref?: Ref<HTMLButtonElement>;
}

/** A button with words. */
export function Button(props: ButtonProps) {
  const { kind = "plain", icon, busy = false, wide = false, children, onClick, ...rest } = props;
  // What is at work keeps the focus, which the browser would take from something disabled.
  const press: Native["onClick"] = (event) => (busy ? event.preventDefault() : onClick?.(event));
  const classes = ["button", `button-${kind}`, wide ? "button-wide" : "", props.class ?? ""];
  return (
    <button
      type="button"
      {...rest}
      class={classes.filter(Boolean).join(" ")}
      onClick={press}
      aria-disabled={busy || undefined}
      aria-busy={busy}
    >
      {busy ? <Spinner size={18} /> : icon && <Icon name={icon} size={20} />}
      <span class="button-text">{children}</span>
    </button>
  );
}

export interface IconButtonProps extends Native {
  icon: IconName;
  /** What it does, for those who listen and for the pointer that rests on it. */
  label: string;
  /** Filled in the accent colour. */
  strong?: boolean;
  size?: number;
  class?: string;
  ref?: Ref<HTMLButtonElement>;
}

/** A button that is only an icon. */
export function IconButton(props: IconButtonProps) {
  const { icon, label, strong = false, size = 22, ...rest } = props;
  const classes = ["icon-button", strong ? "icon-button-strong" : "", props.class ?? ""];
  return (
    <button
      type="button"
      title={label}
      {...rest}
      class={classes.filter(Boolean).join(" ")}
      aria-label={label}
    >
      <Icon name={icon} size={size} />
    </button>
  );
}
