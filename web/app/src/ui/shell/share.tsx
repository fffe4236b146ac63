import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { cutAt } from "../../cut";
import { fill, language, words } from "../../i18n";
import { go } from "../../route";
import { dropCut, dropPiece, keepGiven, releaseShared, SHARE_LIMIT, takeShared, type Piece, type Shared } from "../../share";
import { useStore } from "../../state/use";
import type { Store } from "../../state/store";
import { attachShared } from "../chat/composer/tray-state";
import { legible, sized } from "../chat/logic/files";
import { Avatar, Empty, Group, Icon, IconButton, Page, Row, Spinner, TextField } from "../kit";
import { ask } from "../ask";
import { best } from "./fuzzy";
import { targets, type Target } from "./targets";
import "./results.css";
import "./share.css";

/** So many are listed. */
const MOST = 50;

/** How many of these pages are open: what one of them still takes as it closes may be the next one's already. */
let open = 0;

function release(): void {
  if (open === 0) releaseShared();
}

/** Something from another app: to whom? */
export function Share() {
  const store = useStore();
  const w = words().shell;
  const shared = useSignal<Shared | null>(null);
  const typed = useSignal("");
  const busy = useSignal(false);
  useEffect(() => {
    let here = true;
    open += 1;
    void takeShared().then(
      (found) => (here ? (shared.value = found) : release()),
      () => (shared.value = { pieces: [], cut: false }),
    );
    return () => {
      here = false;
      open -= 1;
      // It was read, however the page is left.
      if (shared.peek()?.cut) void dropCut();
      release();
    };
  }, []);
  const what = shared.value;
  if (what === null) return <Spinner label={w.starting} />;
  const all = targets(store);
  const shown = typed.value.trim() === "" ? all.slice(0, MOST) : best(all, typed.value, MOST);
  const without = (piece: Piece) => {
    shared.value = { pieces: what.pieces.filter((one) => one !== piece), cut: false };
    drop([piece]);
  };
  // A second press would say it all twice.
  const chosen = async (one: Target) => {
    if (busy.peek()) return;
    busy.value = true;
    try {
      await give(store, one, what.pieces);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Page title={w.shareTo} onBack={() => leave(what.pieces)}>
      {what.cut && (
        <p class="settings-text" role="alert">
          {fill(w.sharedTooMuch, SHARED_MOST)}
        </p>
      )}
      {what.pieces.length === 0 ? (
        <Empty icon="share" title={w.nothingShared} text={w.nothingSharedText} />
      ) : (
        <>
          <What pieces={what.pieces} without={without} />
          <div class="share-search">
            <TextField label={w.shareSearch} type="search" value={typed.value} onInput={(value) => (typed.value = value)} />
          </div>
          <ul aria-label={w.conversations}>
            {shown.map((one) => (
              <li key={one.address}>
                <button type="button" class="result" aria-disabled={busy.value} onClick={() => void chosen(one)}>
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
function What({ pieces, without }: { pieces: readonly Piece[]; without: (piece: Piece) => void }) {
  const w = words().shell;
  return (
    <>
      <Group title={w.sharedWhat}>
        {pieces.map((piece) => (
          <PieceRow key={piece.path} piece={piece} without={() => without(piece)} />
        ))}
      </Group>
      <p class="settings-text">{w.sharedFrom}</p>
    </>
  );
}

function PieceRow({ piece, without }: { piece: Piece; without: () => void }) {
  const w = words().shell;
  const name = "file" in piece ? legible(piece.file.name) : w.sharedText;
  const end = <IconButton icon="close" size={20} label={fill(w.shareWithout, { name })} onClick={without} />;
  if ("file" in piece) return <Row icon="file" label={<bdi>{name}</bdi>} hint={sized(piece.file.size, language.value)} end={end} />;
  return <Row icon="edit" label={<span class="share-text" dir="auto">{cutAt(piece.text, EXCERPT)}</span>} end={end} />;
}

/** Nobody wants these. */
function drop(pieces: readonly Piece[]): void {
  void dropCut();
  for (const { path } of pieces) void dropPiece(path);
}

/** Nobody wants what this window offers. */
function leave(pieces: readonly Piece[]): void {
  drop(pieces);
  go({ at: "list" }, true);
}

/** Texts become the draft, files wait above it: all of it is looked at before it is sent. */
async function give(store: Store, to: Target, pieces: readonly Piece[]): Promise<void> {
  const texts = pieces.filter((one) => "text" in one);
  const files = pieces.filter((one) => "file" in one);
  if (texts.length > 0) {
    // Whom nobody has written with yet has no place for a draft.
    if (!store.conversation(to.address) && !(await ask(store, { do: "open", address: to.address }))) return;
    const before = store.conversation(to.address)?.draft;
    const draft = [before, ...texts.map(({ text }) => text)].filter(Boolean).join("\n");
    if (!(await ask(store, { do: "draft", address: to.address, text: draft }))) return;
  }
  keepGiven(files);
  drop(texts);
  attachShared(to.address, files);
  go({ at: "chat", address: to.address, message: null }, true);
}
