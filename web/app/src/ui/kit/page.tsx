import { createContext, type ComponentChildren } from "preact";
import { useContext } from "preact/hooks";

import { words } from "../../i18n";
import { back } from "../../route";
import { IconButton } from "./button";
import { Icon } from "./icon";
import type { IconName } from "./icons";
import "./page.css";

/** Whether pages are drawn beside the list that leads to them: then there is nothing to go back to. */
export const Beside = createContext(false);

export interface PageProps {
  title: string;
  children: ComponentChildren;
  /** Buttons at the end of the header. */
  actions?: ComponentChildren;
  /** Without a button back, for what is always there. */
  root?: boolean;
  onBack?: () => void;
}

/** A pane with a header: its title, a button back, and what can be done. */
export function Page({ title, children, actions, root = false, onBack = back }: PageProps) {
  const beside = useContext(Beside);
  return (
    <section class="page" aria-label={title}>
      <header class="page-header">
        {!root && !beside && <IconButton icon="back" label={words().shell.back} onClick={onBack} />}
        <h1 class="page-title" dir="auto" tabIndex={-1}>
          {title}
        </h1>
        {actions}
      </header>
      <div class="page-content scroll">
        <div class="page-column">{children}</div>
      </div>
    </section>
  );
}

/** A group of lines under a small heading. */
export function Group({ title, children }: { title?: string; children: ComponentChildren }) {
  return (
    <section class="group">
      {title && <h2 class="group-title">{title}</h2>}
      <div class="group-lines">{children}</div>
    </section>
  );
}

export interface RowProps {
  label: ComponentChildren;
  icon?: IconName;
  /** In place of the icon. */
  start?: ComponentChildren;
  hint?: ComponentChildren;
  /** At the end: a value, a badge. */
  end?: ComponentChildren;
  danger?: boolean;
  /** It leads somewhere: shown by an arrow. */
  leads?: boolean;
  disabled?: boolean;
  onClick?: (event: MouseEvent) => void;
}

/** A line of a group: a button if it does something. */
export function Row(props: RowProps) {
  const { label, icon, start, hint, end, danger = false, leads = false, onClick } = props;
  const inside = (
    <>
      {start ?? (icon && <Icon name={icon} size={22} />)}
      <span class="row-words">
        <span class="row-label">{label}</span>
        {hint && <span class="row-hint">{hint}</span>}
      </span>
      {end && <span class="row-end">{end}</span>}
      {leads && <Icon name="chevron" size={18} />}
    </>
  );
  const classes = danger ? "row row-danger" : "row";
  if (!onClick) return <div class={classes}>{inside}</div>;
  return (
    <button type="button" class={`${classes} row-press`} onClick={onClick} disabled={props.disabled ?? false}>
      {inside}
    </button>
  );
}

export interface EmptyProps {
  icon: IconName;
  title: string;
  text?: ComponentChildren;
  /** One thing to do. */
  action?: ComponentChildren;
  /** It is all that the page shows. */
  whole?: boolean;
}

/** Friendly words where nothing is yet. */
export function Empty({ icon, title, text, action, whole = false }: EmptyProps) {
  const Title = whole ? "h1" : "h2";
  return (
    <div class="empty">
      <span class="empty-icon" aria-hidden="true">
        <Icon name={icon} size={36} />
      </span>
      <Title class="empty-title">{title}</Title>
      {text && <p class="empty-text">{text}</p>}
      {action}
    </div>
  );
}
