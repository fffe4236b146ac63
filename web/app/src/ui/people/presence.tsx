import type { Contact, Presence } from "../../core/types";
import { words } from "../../i18n";
import "./people.css";

/** Whether somebody is there, in words. */
export function presenceText(contact: Contact): string {
  const w = words().people.presence;
  return contact.seen ? w[contact.presence] : w.unknown;
}

/** The same as a dot, for those who look. */
export function PresenceDot({ presence }: { presence: Presence }) {
  return <span class={`presence-dot presence-dot-${presence}`} aria-hidden="true" />;
}
