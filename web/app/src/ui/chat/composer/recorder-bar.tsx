// The button that records, and the bar that stands in for the composer meanwhile. Hold to record,
// slide up to let go of the button, slide back to throw it away; or tap once.

import { useEffect, useRef, useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { Icon, IconButton } from "../../kit";
import { clock } from "../logic/files";
import { pause as pauseSound } from "../media/playback";
import { LEVELS, type Recorder } from "./recorder";
import "./recorder.css";

const HOLD_MS = 280;
const LOCKS = 70;
const CANCELS = 90;

export function RecordButton({ recorder }: { recorder: Recorder }) {
  const held = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const byFinger = useRef(false);
  const down = (event: PointerEvent) => {
    byFinger.current = event.pointerType === "touch";
    if (!byFinger.current) return;
    const { clientX: x, clientY: y } = event;
    held.current = setTimeout(() => {
      held.current = undefined;
      navigator.vibrate?.(12);
      void recorder.start("held");
      follow(recorder, x, y);
    }, HOLD_MS);
  };
  const up = () => {
    if (held.current === undefined) return;
    clearTimeout(held.current);
    held.current = undefined;
  };
  return (
    <IconButton
      class="composer-record"
      icon="mic"
      label={words().chat.record}
      onPointerDown={down}
      onPointerUp={up}
      onPointerCancel={up}
      onContextMenu={(event) => byFinger.current && event.preventDefault()}
      onClick={() => void recorder.start("locked")}
    />
  );
}

/** The button is gone once it records, so the finger is followed on the window. */
function follow(recorder: Recorder, x: number, y: number): void {
  const stop = new AbortController();
  const { signal } = stop;
  const move = (event: PointerEvent) => {
    const towards = document.documentElement.dir === "rtl" ? -1 : 1;
    const [up, back] = [(y - event.clientY) / LOCKS, ((x - event.clientX) * towards) / CANCELS];
    recorder.slid.value = { up: between(up), back: between(back) };
    if (up > 1) {
      recorder.lock();
      stop.abort();
    } else if (back > 1) {
      recorder.cancel();
      stop.abort();
    }
  };
  const up = () => {
    stop.abort();
    if (recorder.state.peek() === "held") recorder.send();
    else if (recorder.state.peek() === "starting") recorder.cancel();
  };
  addEventListener("pointermove", move, { signal });
  addEventListener("pointerup", up, { signal });
  addEventListener("pointercancel", up, { signal });
}

function between(far: number): number {
  return Math.max(0, Math.min(1, far));
}

export function RecorderBar({ recorder }: { recorder: Recorder }) {
  const say = words().chat;
  const state = recorder.state.value;
  const time = clock(recorder.milliseconds.value / 1000);
  const held = state === "held";
  const ended = state === "ended";
  const paused = state === "paused" || ended;
  return (
    <div class="recorder" role="group" aria-label={say.record}>
      <IconButton icon="trash" label={say.recordCancel} class="recorder-cancel" onClick={() => recorder.cancel()} />
      <span class={paused ? "recorder-dot recorder-dot-paused" : "recorder-dot"} aria-hidden="true" />
      <span class="recorder-time" role="timer" aria-label={fill(say.recording, { time })}>
        {time}
      </span>
      <Levels recorder={recorder} />
      {held ? (
        <Slide recorder={recorder} />
      ) : ended ? (
        <PlayRest recorder={recorder} />
      ) : (
        <IconButton
          icon={paused ? "mic" : "pause"}
          label={paused ? say.recordResume : say.recordPause}
          disabled={state === "starting"}
          onClick={() => (paused ? recorder.resume() : recorder.pause())}
        />
      )}
      <IconButton
        strong
        icon="send"
        label={say.recordSend}
        disabled={state === "starting"}
        onClick={() => recorder.send()}
      />
      <span class="hidden-text" role="status">
        {state === "locked" && say.recordLocked}
        {ended && say.recordEnded}
      </span>
    </div>
  );
}

/** Where the finger can go: up to the lock, which comes to meet it, or back. */
function Slide({ recorder }: { recorder: Recorder }) {
  const { up, back } = recorder.slid.value;
  const towards = document.documentElement.dir === "rtl" ? 1 : -1;
  return (
    <>
      <span class="recorder-slide" style={{ translate: `${towards * back * CANCELS * 0.6}px 0`, opacity: 1 - back * 0.7 }}>
        <Icon name="back" size={16} /> {words().chat.recordSlide}
      </span>
      <span class={up > 0.6 ? "recorder-lock recorder-lock-near" : "recorder-lock"} style={{ translate: `0 ${(up * LOCKS) / 3}px` }} aria-hidden="true">
        <Icon name={up > 0.6 ? "lock" : "lockOpen"} size={20} />
        <Icon name="up" size={16} />
      </span>
    </>
  );
}

/** What was recorded before it ended by itself can be heard before it is sent. */
function PlayRest({ recorder }: { recorder: Recorder }) {
  const say = words().chat;
  const audio = useRef<HTMLAudioElement>(null);
  const [plays, setPlays] = useState(false);
  const [url, setUrl] = useState<string>();
  const file = recorder.rest.value;
  useEffect(() => {
    if (!file) return;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  const toggle = () => {
    if (plays) audio.current?.pause();
    else void audio.current?.play().catch(() => setPlays(false));
  };
  return (
    <>
      <IconButton icon={plays ? "pause" : "play"} label={plays ? say.pause : say.play} onClick={toggle} />
      <audio
        ref={audio}
        src={url}
        onPlay={() => {
          pauseSound();
          setPlays(true);
        }}
        onPause={() => setPlays(false)}
        onEnded={() => setPlays(false)}
      />
    </>
  );
}

function Levels({ recorder }: { recorder: Recorder }) {
  const levels = recorder.levels.value;
  const quiet = LEVELS - levels.length;
  return (
    <svg class="recorder-levels" viewBox={`0 0 ${LEVELS * 4} 28`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {[...Array.from({ length: quiet }, () => 0), ...levels].map((level, index) => {
        const height = 2 + level * 25;
        return <rect key={index} x={index * 4 + 1} y={(28 - height) / 2} width={2.2} height={height} rx={1.1} />;
      })}
    </svg>
  );
}
