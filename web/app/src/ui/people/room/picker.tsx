// Choosing several people: from the contacts, or by address.

import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";

import { fill, words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Avatar, composing, Icon, TextField } from "../../kit";
import { parseAddress } from "../address";
import "./picker.css";

/** Contacts that are listed at a time. */
const MOST = 60;

interface PickerProps {
  chosen: Signal<ReadonlySet<string>>;
  /** Addresses that cannot be chosen. */
  without: ReadonlySet<string>;
}

export function PeoplePicker({ chosen, without }: PickerProps) {
  const store = useStore();
  const w = words().rooms.picker;
  const typed = useSignal("");
  const letters = typed.value.trim().toLocaleLowerCase();
  const own = store.account.value?.address;
  const all = [...store.contacts.value.values()].filter(
    (one) => one.inRoster && !one.blocked && !without.has(one.address) && one.address !== own,
  );
  const fits = all
    .filter((one) => one.name.toLocaleLowerCase().includes(letters) || one.address.includes(letters))
    .sort((a, b) => a.name.localeCompare(b.name));
  const written = parseAddress(typed.value);
  const address = written.is === "right" ? written.address : null;
  const stranger = address !== null && address !== own && !without.has(address) && !all.some((one) => one.address === address);
  const toggle = (one: string) => {
    const next = new Set(chosen.peek());
    if (!next.delete(one)) next.add(one);
    chosen.value = next;
  };
  const nameOf = (one: string) => store.contact(one)?.name ?? one;
  return (
    <div class="picker-people">
      {chosen.value.size > 0 && (
        <ul class="picker-chosen">
          {[...chosen.value].map((one) => (
            <li key={one}>
              <button type="button" class="picker-chip" onClick={() => toggle(one)}>
                <Avatar address={one} name={nameOf(one)} avatar={store.contact(one)?.avatar} size={24} />
                <bdi aria-hidden="true">{nameOf(one)}</bdi>
                <span class="hidden-text">{fill(w.remove, { name: nameOf(one) })}</span>
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <TextField
        label={w.search}
        type="search"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={typed.value}
        onInput={(value) => (typed.value = value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || composing(event)) return;
          event.preventDefault();
          const first = stranger ? address : fits.length === 1 ? fits[0]?.address : undefined;
          if (!first) return;
          if (!chosen.peek().has(first)) toggle(first);
          typed.value = "";
        }}
      />
      <ul class="picker-list">
        {stranger && address !== null && !chosen.value.has(address) && (
          <li>
            <button
              type="button"
              class="picker-one"
              onClick={() => {
                toggle(address);
                typed.value = "";
              }}
            >
              <Avatar address={address} name={address} avatar={null} size={40} />
              <span class="picker-name">{fill(w.add, { address })}</span>
              <Icon name="plus" size={20} />
            </button>
          </li>
        )}
        {fits.slice(0, MOST).map((one) => (
          <li key={one.address}>
            <button
              type="button"
              class="picker-one"
              role="checkbox"
              aria-checked={chosen.value.has(one.address)}
              onClick={() => toggle(one.address)}
            >
              <Avatar address={one.address} name={one.name} avatar={one.avatar} size={40} />
              <span class="picker-name">
                <bdi>{one.name}</bdi>
                {one.name !== one.address && <bdi class="picker-address">{one.address}</bdi>}
              </span>
              <span class="picker-box" aria-hidden="true">
                {chosen.value.has(one.address) && <Icon name="check" size={16} />}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p class="people-text" role="status">
        {fits.length > MOST
          ? w.rest(fits.length - MOST)
          : fits.length > 0 || stranger
            ? ""
            : letters === ""
              ? w.empty
              : w.nobody}
      </p>
    </div>
  );
}
