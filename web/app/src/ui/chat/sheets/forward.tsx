import { useState } from "preact/hooks";

import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Avatar, Button, Dialog, Icon } from "../../kit";
import { best } from "../../shell/fuzzy";
import { targets, type Target } from "../../shell/targets";
import { forward } from "../forward";
import type { SheetProps } from "./readers";

/** So many are listed, and so many can be chosen. */
const LISTED = 200;
const MOST = 20;

export function ForwardDialog({ chat, messages, onClose }: SheetProps & { messages: readonly Message[] }) {
  const say = words().chat;
  const { store } = chat;
  const [wanted, setWanted] = useState("");
  const [chosen, setChosen] = useState<readonly Target[]>([]);
  const all = targets(store);
  const found = wanted.trim() === "" ? all.slice(0, LISTED) : best(all, wanted, LISTED);
  const toggle = (one: Target) => {
    const rest = chosen.filter(({ address }) => address !== one.address);
    setChosen(rest.length < chosen.length ? rest : [...chosen, one].slice(0, MOST));
  };
  const send = () => {
    onClose();
    void forward(chat, messages, chosen);
  };
  const names = chosen.map((one) => one.name).join(", ");
  return (
    <Dialog
      title={say.forwardTitle}
      large
      onClose={onClose}
      actions={
        <>
          <bdi class="forward-chosen" role="status">
            {chosen.length >= MOST ? fill(say.forwardMost, { n: MOST }) : names}
          </bdi>
          <Button kind="primary" icon="send" disabled={chosen.length === 0} onClick={send}>
            {say.send}
          </Button>
        </>
      }
    >
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
        {found.map((one) => {
          const taken = chosen.some(({ address }) => address === one.address);
          return (
            <li key={one.address}>
              <button
                type="button"
                class="forward-target"
                role="checkbox"
                aria-checked={taken}
                aria-disabled={!taken && chosen.length >= MOST}
                onClick={() => toggle(one)}
              >
                <Avatar address={one.address} name={one.name} avatar={store.avatar(one.address)} group={one.group} size={40} />
                <span class="forward-name">
                  <bdi>{one.name}</bdi>
                </span>
                {one.plain && <Plain />}
                <span class="forward-box" aria-hidden="true">
                  {taken && <Icon name="check" size={16} />}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}

/** What goes there leaves without encryption. */
function Plain() {
  return (
    <span class="forward-plain">
      <Icon name="lockOpen" size={16} />
      {words().chat.notEncrypted}
    </span>
  );
}
