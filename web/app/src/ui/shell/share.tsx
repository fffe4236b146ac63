import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { fill, words } from "../../i18n";
import { go } from "../../route";
import type { Conversation } from "../../core/types";
import { dropShared, dropSharedText, readShared, SHARE_LIMIT, type Shared } from "../../share";
import { useStore } from "../../state/use";
import type { Store } from "../../state/store";
import { attachTo } from "../chat/composer/tray-state";
import { Avatar, Empty, Page, Spinner, TextField } from "../kit";
import { ask } from "../ask";
import { best } from "./fuzzy";
import "./results.css";

/** Something from another app: to whom? */
export function Share() {
  const store = useStore();
  const w = words().shell;
  const shared = useSignal<Shared | null | undefined>(undefined);
  const typed = useSignal("");
  useEffect(() => {
    void readShared().then(
      (found) => (shared.value = found),
      () => (shared.value = null),
    );
  }, []);
  const what = shared.value;
  if (what === undefined) return <Spinner label={w.starting} />;
  const chats = store.list.value.filter((one) => !one.request);
  const shown = typed.value.trim() === "" ? chats.slice(0, 50) : best(chats, typed.value, 50);
  return (
    <Page title={w.shareTo} onBack={leave}>
      {what?.cut && (
        <p class="settings-text" role="alert">
          {fill(w.sharedTooMuch, SHARED_MOST)}
        </p>
      )}
      {what === null || (what.text === "" && what.files.length === 0) ? (
        <Empty icon="share" title={w.nothingShared} text={w.nothingSharedText} />
      ) : (
        <>
          <TextField label={w.searchLabel} type="search" value={typed.value} onInput={(value) => (typed.value = value)} />
          <ul aria-label={w.conversations}>
            {shown.map((one) => (
              <li key={one.address}>
                <button type="button" class="result" onClick={() => void give(store, one, what)}>
                  <Avatar address={one.address} name={one.name} avatar={store.avatar(one.address)} size={40} />
                  <span class="result-name">
                    <bdi>{one.name}</bdi>
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Page>
  );
}

const SHARED_MOST = { files: SHARE_LIMIT.files, megabytes: SHARE_LIMIT.bytes / (1024 * 1024) };

/** Nobody wants it. */
function leave(): void {
  void dropShared();
  go({ at: "list" }, true);
}

/** Text becomes the draft, files wait above it: all of it is looked at before it is sent. */
async function give(store: Store, to: Conversation, { text, files }: Shared): Promise<void> {
  if (text !== "") {
    const draft = [to.draft, text].filter(Boolean).join("\n");
    if (!(await ask(store, { do: "draft", address: to.address, text: draft }))) return;
    await (files.length > 0 ? dropSharedText() : dropShared());
  }
  attachTo(to.address, files, true);
  go({ at: "chat", address: to.address, message: null }, true);
}
