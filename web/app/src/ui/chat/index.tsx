// A conversation: who it is with, what was said, and where to write.

import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import { fill, words } from "../../i18n";
import { again } from "../../route";
import { useStore } from "../../state/use";
import { Spinner, useFoot } from "../kit";
import { settings } from "../shell/settings";
import { useStep } from "../step";
import { ComposerView, takesFiles } from "./composer/composer";
import { Composer } from "./composer/state";
import { DropOverlay, useDrop } from "./drop";
import { behind } from "./logic/wallpaper";
import { Header, openSearch, SelectionBar } from "./header";
import { SearchBar } from "./search";
import { Sheets } from "./sheets/sheets";
import { Chat } from "./state";
import { Timeline } from "./timeline/timeline";
import { galleryOf } from "./wish";
import "./chat.css";
import "./wallpaper.css";

export { PlayerBar } from "./media/player";

export interface ChatViewProps {
  address: string;
  /** A message to show at once. */
  message: number | null;
}

export function ChatView({ address, message }: ChatViewProps) {
  return <Opened key={address} address={address} message={message} />;
}

function Opened({ address, message }: ChatViewProps) {
  const store = useStore();
  const chat = useMemo(() => new Chat(store, address), [store, address]);
  const composer = useMemo(() => new Composer(chat), [chat]);
  const drop = useDrop(composer, () => takesFiles(chat));
  useEffect(() => {
    chat.enter();
    return () => {
      composer.leave();
      chat.leave();
    };
  }, [chat]);
  const foot = useFoot<HTMLDivElement>();
  const here = chat.ready.value;
  useSignalEffect(() => {
    if (galleryOf.value !== address || !chat.ready.value) return;
    galleryOf.value = null;
    chat.showGallery();
  });
  useEffect(() => {
    if (here && message !== null) void chat.jump(message);
  }, [here, message, again.value]);
  const { chosen, search } = chat;
  useStep(search.value !== null, () => (search.value = null));
  useStep(chosen.value !== null, () => (chosen.value = null));
  return (
    <section
      class="chat"
      data-wallpaper={behind(chat.conversation.value?.wallpaper ?? null, settings.value.wallpaper)}
      aria-label={fill(words().chat.timeline, { name: chat.name.value })}
      onKeyDown={(event) => {
        if ((event.ctrlKey || event.metaKey) && event.key === "f" && !event.shiftKey) {
          event.preventDefault();
          openSearch(chat);
        }
      }}
      {...drop.handlers}
    >
      {chosen.value ? (
        <SelectionBar chat={chat} chosen={chosen.value} />
      ) : search.value ? (
        <SearchBar chat={chat} search={search.value} />
      ) : (
        <Header chat={chat} />
      )}
      {here ? (
        <Timeline chat={chat} first={message} />
      ) : (
        <div class="chat-opening">
          <Spinner size={32} label={words().chat.opening} />
        </div>
      )}
      <div class="chat-foot" ref={foot}>
        <ComposerView chat={chat} composer={composer} />
      </div>
      {drop.over.value && <DropOverlay chat={chat} />}
      <Sheets chat={chat} />
    </section>
  );
}
