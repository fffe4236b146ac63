// A player for voice messages and other sounds: its loudness over time, where it is, and how fast.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { File, Message } from "../../../core/types";
import { fill, language, words } from "../../../i18n";
import { Icon } from "../../kit";
import { current } from "../../shell/conversations";
import { clock, legible, told } from "../logic/files";
import type { Chat } from "../state";
import { fileWord, isVoice } from "../timeline/describe";
import { sizeOf, type FileProps } from "./file";
import { BARS, heardOf, type Heard } from "./heard";
import * as playback from "./playback";
import { Progress } from "./progress";
import { useTransfer } from "./transfer";
import { take, useLocal, type Local } from "./urls";

/** So much of a player is seen where it counts as in sight. */
const VISIBLE = 0.5;

export function AudioView({ chat, message, file, tab, type }: FileProps & { type: string }) {
  const say = words().chat;
  const transfer = useTransfer(chat, message, file);
  const local = useLocal(chat.store.core, file.local, type);
  const name = legible(file.name);
  return (
    <div class="audio no-swipe" role="group" aria-label={`${fileWord(file)}: ${name}`}>
      {!isVoice(file.name) && (
        <bdi class="audio-name" title={name}>
          {name}
        </bdi>
      )}
      {transfer.busy ? (
        <div class="audio-line">
          <Progress chat={chat} message={message} file={file} done={transfer.done} tab={tab} />
          <Bars bars={null} at={0} />
        </div>
      ) : local ? (
        <Player chat={chat} message={message} file={file} local={local} type={type} tab={tab} />
      ) : (
        <div class="audio-line">
          <button
            type="button"
            class="audio-button"
            tabIndex={tab}
            disabled={file.local !== null && !(local === null && file.uploaded)}
            aria-label={fill(say.playFile, { name, size: sizeOf(file) })}
            onClick={() => void playFetched({ chat, message, file, tab, type }, local === null)}
          >
            <Icon name={transfer.failed ? "retry" : "play"} size={22} />
          </button>
          <div class="audio-middle">
            <Bars bars={null} at={0} />
            <span class="audio-time">
              {transfer.failed ? fill(say.fetchFailed, { reason: transfer.failed }) : local === null ? say.gone : sizeOf(file)}
            </span>
          </div>
        </div>
      )}
    </div>
  );
}

/** Fetches a sound and plays it, unless somebody plays or reads something else by then. */
async function playFetched({ chat, message, file, type }: FileProps & { type: string }, anew: boolean): Promise<void> {
  const before = playback.playing.peek();
  const name = await chat.fetch(message, anew);
  if (name === null) return;
  const [coming, release] = take(chat.store.core, name, type);
  const local = await coming;
  if (local && playback.playing.peek() === before && current() === chat.address) {
    playback.toggle(soundOf(chat, message, file, { name, type, local }));
  }
  release();
}

function soundOf(chat: Chat, message: Message, file: File, there: Pick<playback.Sound, "name" | "type" | "local">): playback.Sound {
  const [who, what] = [chat.authorName(message), called(file)];
  return { core: chat.store.core, address: chat.address, message: message.id, who, what, ...there };
}

interface PlayerProps extends FileProps {
  local: Local;
  type: string;
}

/** What plays is of the page (playback.ts): this shows it, or what would be played. */
function Player({ chat, message, file, local, type, tab }: PlayerProps) {
  const say = words().chat;
  const place = useRef<HTMLDivElement>(null);
  const name = file.local ?? "";
  const known = useHeard(name, local);
  const mine = playback.playing.value?.message === message.id;
  useSight(place, mine);
  const plays = mine && playback.plays.value;
  const at = playback.whereIs(message.id);
  // Where it can be moved to is only known of the sound itself.
  const seconds = known?.seconds || (mine && playback.length.value) || 0;
  const speed = playback.speed.value;
  const toggle = () => {
    if (place.current) playback.seen(place.current, true);
    playback.toggle(soundOf(chat, message, file, { name, type, local }));
  };
  const shown = new Intl.NumberFormat(language.value).format(speed);
  return (
    <div class="audio-line" ref={place}>
      <button type="button" class="audio-button" tabIndex={tab} aria-label={plays ? say.pause : say.play} onClick={toggle}>
        <Icon name={plays ? "pause" : "play"} size={22} />
      </button>
      <div class="audio-middle">
        <div class="audio-track">
          <Bars bars={known?.bars ?? null} at={seconds > 0 ? at / seconds : 0} />
          <Seek class="audio-seek" message={message.id} at={at} seconds={seconds} tab={tab} />
        </div>
        <span class="audio-time">
          {playback.broken.value.has(message.id) ? say.broken : clock(plays || at > 0 ? at : seconds || (told(file) ?? 0))}
        </span>
      </div>
      <button
        type="button"
        class={plays || speed !== 1 ? "audio-speed" : "audio-speed audio-speed-quiet"}
        tabIndex={tab}
        aria-label={fill(say.speed, { speed: shown })}
        onClick={playback.faster}
      >
        {shown}×
      </button>
    </div>
  );
}

interface SeekProps {
  class: string;
  message: number;
  at: number;
  seconds: number;
  tab?: number;
}

/** Where a sound is, to be moved. */
export function Seek({ message, at, seconds, tab, ...rest }: SeekProps) {
  return (
    <input
      class={rest.class}
      type="range"
      min={0}
      max={Math.max(0.1, seconds)}
      step={0.1}
      value={at}
      tabIndex={tab}
      aria-label={words().chat.position}
      aria-valuetext={`${clock(at)} / ${clock(seconds)}`}
      onInput={(event) => playback.seek(message, Number(event.currentTarget.value))}
    />
  );
}

/** What a sound is called beside who sent it. */
function called(file: File): string {
  return isVoice(file.name) ? fileWord(file) : legible(file.name);
}

/** What is drawn of a sound, once it is known. */
export function useHeard(name: string, local: Local): Heard | null {
  const [known, setKnown] = useState<Heard | null>(null);
  useEffect(() => {
    let wanted = true;
    void heardOf(name, local).then((found) => {
      if (wanted) setKnown(found);
    });
    return () => {
      wanted = false;
    };
  }, [name, local]);
  return known;
}

/** Tells, while it is the sound that plays, whether this can be seen. */
function useSight(place: RefObject<HTMLElement | null>, mine: boolean): void {
  useEffect(() => {
    const element = place.current;
    if (!mine || !element) return;
    const eye = new IntersectionObserver((seen) => {
      for (const { intersectionRatio } of seen) playback.seen(element, intersectionRatio >= VISIBLE);
    }, { threshold: VISIBLE });
    eye.observe(element);
    return () => {
      eye.disconnect();
      playback.seen(element, false);
    };
  }, [mine]);
}

function Bars({ bars, at }: { bars: number[] | null; at: number }) {
  const all = bars ?? Array.from({ length: BARS }, () => 0.12);
  return (
    <svg class="audio-bars" viewBox={`0 0 ${BARS * 4} 28`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {all.map((bar, index) => {
        const height = 3 + bar * 23;
        const played = (index + 0.5) / BARS <= at;
        return (
          <rect
            key={index}
            class={played ? "audio-bar audio-bar-played" : "audio-bar"}
            x={index * 4 + 0.7}
            y={(28 - height) / 2}
            width={2.4}
            height={height}
            rx={1.2}
          />
        );
      })}
    </svg>
  );
}
