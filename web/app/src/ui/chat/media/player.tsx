// The bar of the sound that plays while nothing else on the screen shows it.

import { useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { words } from "../../../i18n";
import { go } from "../../../route";
import { useStore } from "../../../state/use";
import { IconButton } from "../../kit";
import { clock } from "../logic/files";
import { Seek, useHeard } from "./audio";
import * as playback from "./playback";
import "./player.css";

export function PlayerBar() {
  const store = useStore();
  const sound = playback.playing.value;
  const [held, setHeld] = useState(false);
  useSignalEffect(() => {
    const one = playback.playing.value;
    const there = one && store.window(one.address)?.messages.find(({ id }) => id === one.message);
    if (there && there.content.is !== "file") playback.stop(); // It was taken back.
  });
  // Whoever steers it by keys keeps it until they go elsewhere.
  if (!sound || (playback.inSight.value && !held)) return null;
  return <Bar key={sound.message} sound={sound} onHeld={setHeld} />;
}

function Bar({ sound, onHeld }: { sound: playback.Sound; onHeld: (held: boolean) => void }) {
  const say = words().chat;
  const bar = useRef<HTMLElement>(null);
  const known = useHeard(sound.name, sound.local);
  const seconds = known?.seconds || playback.length.value;
  const at = playback.at.value;
  const plays = playback.plays.value;
  useLayoutEffect(() => {
    const element = bar.current;
    return () => {
      onHeld(false);
      if (element?.contains(document.activeElement)) focusBelow();
    };
  }, []);
  return (
    <section
      ref={bar}
      class="player"
      aria-label={say.player}
      onFocusIn={(event) => onHeld((event.target as Element).matches(":focus-visible"))}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) onHeld(false);
      }}
    >
      <IconButton icon={plays ? "pause" : "play"} label={plays ? say.pause : say.play} onClick={() => playback.toggle(sound)} />
      <div class="player-middle">
        <button
          type="button"
          class="player-words"
          onClick={() => go({ at: "chat", address: sound.address, message: sound.message })}
        >
          <bdi class="player-who">{sound.who}</bdi> <bdi class="player-what">{sound.what}</bdi>
          <span class="hidden-text">, {say.playerShow}</span>
        </button>
        <Seek class="player-seek" message={sound.message} at={at} seconds={seconds} />
      </div>
      <span class="player-time">
        {clock(at)} / {clock(seconds)}
      </span>
      <IconButton icon="close" label={say.playerClose} onClick={playback.stop} />
    </section>
  );
}

/** Where the keyboard goes on when the bar is gone: what is largest on the screen. */
function focusBelow(): void {
  const pane = document.querySelector<HTMLElement>(".pane-main") ?? document.querySelector<HTMLElement>('.conversation[tabindex="0"]');
  pane?.focus({ preventScroll: true });
}
