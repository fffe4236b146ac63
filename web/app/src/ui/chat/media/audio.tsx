// A player for voice messages and other sounds: its loudness over time, where it is, and how fast.

import { useEffect, useRef, useState } from "preact/hooks";

import { fill, language, words } from "../../../i18n";
import { Icon } from "../../kit";
import { clock, legible } from "../logic/files";
import { fileWord, isVoice } from "../timeline/describe";
import { sizeOf, type FileProps } from "./file";
import { BARS, heardOf, type Heard } from "./heard";
import { Progress } from "./progress";
import { useTransfer } from "./transfer";
import { useLocal, type Local } from "./urls";

const SPEEDS = [1, 1.5, 2] as const;
/** The sound that plays: one at a time. */
let playing: HTMLAudioElement | null = null;

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
        <Player local={local} name={file.local ?? ""} tab={tab} />
      ) : (
        <div class="audio-line">
          <button
            type="button"
            class="audio-button"
            tabIndex={tab}
            disabled={file.local !== null && !(local === null && file.uploaded)}
            aria-label={fill(say.fetchFile, { name, size: sizeOf(file) })}
            onClick={() => void chat.fetch(message, local === null)}
          >
            <Icon name={transfer.failed ? "retry" : "download"} size={22} />
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

function Player({ local, name, tab }: { local: Local; name: string; tab: number }) {
  const say = words().chat;
  const audio = useRef<HTMLAudioElement>(null);
  const [known, setKnown] = useState<Heard | null>(null);
  const [plays, setPlays] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(0);
  const [speed, setSpeed] = useState<number>(1);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    let wanted = true;
    void heardOf(name, local).then((found) => {
      if (wanted) setKnown(found);
    });
    return () => {
      wanted = false;
      if (playing === audio.current) playing = null;
    };
  }, [name, local]);
  useEffect(() => {
    if (!plays) return;
    let frame = requestAnimationFrame(function next() {
      setAt(audio.current?.currentTime ?? 0);
      frame = requestAnimationFrame(next);
    });
    return () => cancelAnimationFrame(frame);
  }, [plays]);
  const seconds = known?.seconds || length;
  const toggle = () => {
    const element = audio.current;
    if (!element) return;
    if (plays) {
      element.pause();
      return;
    }
    playing?.pause();
    playing = element;
    element.playbackRate = speed;
    void element.play().catch(() => setBroken(true));
  };
  const next = () => {
    const now = SPEEDS[(SPEEDS.indexOf(speed as 1) + 1) % SPEEDS.length] ?? 1;
    setSpeed(now);
    if (audio.current) audio.current.playbackRate = now;
  };
  const shown = new Intl.NumberFormat(language.value).format(speed);
  return (
    <div class="audio-line">
      <button type="button" class="audio-button" tabIndex={tab} aria-label={plays ? say.pause : say.play} onClick={toggle}>
        <Icon name={plays ? "pause" : "play"} size={22} />
      </button>
      <div class="audio-middle">
        <div class="audio-track">
          <Bars bars={known?.bars ?? null} at={seconds > 0 ? at / seconds : 0} />
          <input
            class="audio-seek"
            type="range"
            min={0}
            max={Math.max(0.1, seconds)}
            step={0.1}
            value={at}
            tabIndex={tab}
            aria-label={say.position}
            aria-valuetext={`${clock(at)} / ${clock(seconds)}`}
            onInput={(event) => {
              const to = Number(event.currentTarget.value);
              if (audio.current) audio.current.currentTime = to;
              setAt(to);
            }}
          />
        </div>
        <span class="audio-time">{broken ? say.broken : clock(plays || at > 0 ? at : seconds)}</span>
      </div>
      <button
        type="button"
        class={plays || speed !== 1 ? "audio-speed" : "audio-speed audio-speed-quiet"}
        tabIndex={tab}
        aria-label={fill(say.speed, { speed: shown })}
        onClick={next}
      >
        {shown}×
      </button>
      <audio
        ref={audio}
        src={local.url}
        preload="metadata"
        onPlay={() => setPlays(true)}
        onPause={() => setPlays(false)}
        onEnded={() => {
          setPlays(false);
          setAt(0);
        }}
        onLoadedMetadata={(event) => {
          const { duration } = event.currentTarget;
          if (Number.isFinite(duration)) setLength(duration);
        }}
        onError={() => setBroken(true)}
      />
    </div>
  );
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
