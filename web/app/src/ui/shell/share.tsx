import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { fill, words } from "../../i18n";
import { go } from "../../route";
import type { Conversation } from "../../core/types";
import { takeShared, type Shared } from "../../share";
import { useStore } from "../../state/use";
import type { Store } from "../../state/store";
import { pictureOf } from "../chat/composer/describe";
import { Avatar, confirm, Empty, Page, Spinner, TextField, toast } from "../kit";
import { ask } from "./conversations";
import { best } from "./fuzzy";
import "./results.css";

/** Something from another app: to whom? */
export function Share() {
  const store = useStore();
  const w = words().shell;
  const shared = useSignal<Shared | null | undefined>(undefined);
  const typed = useSignal("");
  useEffect(() => {
    void takeShared().then(
      (taken) => (shared.value = taken),
      () => (shared.value = null),
    );
  }, []);
  const what = shared.value;
  if (what === undefined) return <Spinner label={w.starting} />;
  const chats = store.list.value.filter((one) => !one.request);
  const shown = typed.value.trim() === "" ? chats.slice(0, 50) : best(chats, typed.value, 50);
  return (
    <Page title={w.shareTo} onBack={() => go({ at: "list" }, true)}>
      {what === null ? (
        <Empty icon="share" title={w.nothingShared} text={w.nothingSharedText} />
      ) : (
        <>
          <TextField label={w.searchLabel} type="search" value={typed.value} onInput={(value) => (typed.value = value)} />
          <ul aria-label={w.conversations}>
            {shown.map((one) => (
              <li key={one.address}>
                <button type="button" class="result" onClick={() => void give(store, one, what)}>
                  <Avatar address={one.address} name={one.name} avatar={store.contact(one.address)?.avatar} size={40} />
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

/** Text becomes the draft, which is looked at before it is sent; files are sent after a question. */
async function give(store: Store, to: Conversation, { text, files }: Shared): Promise<void> {
  const w = words().shell;
  if (files.length > 0) {
    const sure = await confirm({
      title: fill(w.shareTitle, { name: to.name }),
      text: files.map((file) => file.name).join(", "),
      action: w.send,
    });
    if (!sure) return;
  }
  if (text !== "") {
    const draft = [to.draft, text].filter(Boolean).join("\n");
    await ask(store, { do: "draft", address: to.address, text: draft });
  }
  go({ at: "chat", address: to.address, message: null }, true);
  for (const file of files) {
    const given = await store.core.give(file).catch((error: unknown) => {
      toast({ text: fill(w.failed, { reason: String(error) }), problem: true });
    });
    if (!given) return;
    const mediaType = file.type || "application/octet-stream";
    const { name, size } = file;
    await ask(store, { do: "sendFile", to: to.address, file: given, name, size, mediaType, caption: null, picture: await pictureOf(file) });
  }
}
