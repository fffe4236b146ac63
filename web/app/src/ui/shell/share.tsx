import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { fill, language, words } from "../../i18n";
import { go } from "../../route";
import { dropShared, dropSharedText, keepShared, readShared, SHARE_LIMIT, type Shared } from "../../share";
import { useStore } from "../../state/use";
import type { Store } from "../../state/store";
import { attachTo } from "../chat/composer/tray-state";
import { legible, sized } from "../chat/logic/files";
import { Avatar, Empty, Group, Icon, IconButton, Page, Row, Spinner, TextField } from "../kit";
import { ask } from "../ask";
import { best } from "./fuzzy";
import { targets, type Target } from "./targets";
import "./results.css";
import "./share.css";

/** So many are listed. */
const MOST = 50;

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
  const all = targets(store);
  const shown = typed.value.trim() === "" ? all.slice(0, MOST) : best(all, typed.value, MOST);
  const keep = (left: Shared) => {
    shared.value = left;
    void (left.text === "" && left.files.length === 0 ? dropShared() : keepShared(left));
  };
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
          <What what={what} onChange={keep} />
          <TextField label={w.shareSearch} type="search" value={typed.value} onInput={(value) => (typed.value = value)} />
          <ul aria-label={w.conversations}>
            {shown.map((one) => (
              <li key={one.address}>
                <button type="button" class="result" onClick={() => void give(store, one, what)}>
                  <Avatar address={one.address} name={one.name} avatar={store.avatar(one.address)} group={one.group} size={40} />
                  <span class="result-name share-name">
                    <bdi>{one.name}</bdi>
                  </span>
                  {one.plain && (
                    <span class="share-plain">
                      <Icon name="lockOpen" size={16} />
                      {words().chat.notEncrypted}
                    </span>
                  )}
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
/** So much of a text is shown. */
const EXCERPT = 300;

/** What was shared, piece by piece: who shares may be another than somebody thinks. */
function What({ what, onChange }: { what: Shared; onChange: (left: Shared) => void }) {
  const w = words().shell;
  const { text, files } = what;
  const without = (name: string, left: Partial<Shared>) => (
    <IconButton icon="close" size={20} label={fill(w.shareWithout, { name })} onClick={() => onChange({ ...what, ...left, cut: false })} />
  );
  return (
    <>
      <Group title={w.sharedWhat}>
        {text !== "" && (
          <Row icon="edit" label={<span class="share-text" dir="auto">{text.slice(0, EXCERPT)}</span>} end={without(w.sharedText, { text: "" })} />
        )}
        {files.map((file, at) => {
          const name = legible(file.name);
          const rest = files.filter((_, other) => other !== at);
          return (
            <Row
              key={`${at} ${name}`}
              icon="file"
              label={<bdi>{name}</bdi>}
              hint={sized(file.size, language.value)}
              end={without(name, { files: rest })}
            />
          );
        })}
      </Group>
      <p class="settings-text">{w.sharedFrom}</p>
    </>
  );
}

/** Nobody wants it. */
function leave(): void {
  void dropShared();
  go({ at: "list" }, true);
}

/** Text becomes the draft, files wait above it: all of it is looked at before it is sent. */
async function give(store: Store, to: Target, { text, files }: Shared): Promise<void> {
  if (text !== "") {
    // Whom nobody has written with yet has no place for a draft.
    if (!store.conversation(to.address) && !(await ask(store, { do: "open", address: to.address }))) return;
    const draft = [store.conversation(to.address)?.draft, text].filter(Boolean).join("\n");
    if (!(await ask(store, { do: "draft", address: to.address, text: draft }))) return;
    await (files.length > 0 ? dropSharedText() : dropShared());
  }
  attachTo(to.address, files, true);
  go({ at: "chat", address: to.address, message: null }, true);
}
