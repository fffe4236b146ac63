import { useState } from "preact/hooks";

import type { Message } from "../../../core/types";
import { words } from "../../../i18n";
import { Avatar, Dialog, Icon } from "../../kit";
import type { SheetProps } from "./readers";

/** Somebody to forward to: from the list of conversations, then from the contacts. */
interface Target {
  address: string;
  name: string;
}

export function ForwardDialog({ chat, messages, onClose }: SheetProps & { messages: Message[] }) {
  const say = words().chat;
  const { store } = chat;
  const [wanted, setWanted] = useState("");
  const talks: Target[] = store.list.value;
  const known = new Set(talks.map((one) => one.address));
  const others: Target[] = [...store.contacts.value.values()].filter(
    (one) => one.inRoster && !one.blocked && !known.has(one.address),
  );
  const lower = wanted.trim().toLocaleLowerCase();
  const found = [...talks, ...others].filter(
    (one) => one.name.toLocaleLowerCase().includes(lower) || one.address.includes(lower),
  );
  const choose = (to: Target) => {
    onClose();
    void chat.forward(messages, to);
  };
  return (
    <Dialog title={say.forwardTitle} large onClose={onClose}>
      <input
        class="picker-search forward-search"
        type="search"
        dir="auto"
        value={wanted}
        placeholder={say.forwardSearch}
        aria-label={say.forwardSearch}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      {found.length === 0 && <p class="sheet-text">{say.forwardNobody}</p>}
      <ul class="forward-list">
        {found.slice(0, 200).map((one) => (
          <li key={one.address}>
            <button type="button" class="forward-target" onClick={() => choose(one)}>
              <Avatar
                address={one.address}
                name={one.name}
                avatar={store.avatar(one.address)}
                size={40}
              />
              <bdi class="forward-name">{one.name}</bdi>
              {chat.writesPlain(one.address) && (
                <span class="forward-plain">
                  <Icon name="lockOpen" size={16} />
                  {say.notEncrypted}
                </span>
              )}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
