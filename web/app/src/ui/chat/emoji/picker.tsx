// Choosing an emoji: by group, by name, or one that was used lately.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { checked } from "../../../checked";
import { language, words } from "../../../i18n";
import { Button, composing, Spinner } from "../../kit";
import { recent, used } from "./recent";
import { chooseTone, chosenTone, plainForm, toned, TONES } from "./tone";
import type { Emoji, EmojiGroup } from "./data";
import "./emoji.css";

type Data = typeof import("./data");

export interface PickerProps {
  onPick: (emoji: string) => void;
  /** Puts the cursor into the search at once. */
  focus: boolean;
}

export function Picker({ onPick, focus }: PickerProps) {
  const say = words().chat;
  const [data, setData] = useState<Data | null>(null);
  const [failed, setFailed] = useState(false);
  const [wanted, setWanted] = useState("");
  const [lately] = useState(recent);
  const field = useRef<HTMLInputElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let here = true;
    checked("data", () => import("./data")).then(
      (loaded) => here && setData(loaded),
      () => here && setFailed(true),
    );
    if (focus) field.current?.focus();
    return () => {
      here = false;
    };
  }, []);
  const pick = (emoji: string) => {
    used(emoji);
    onPick(emoji);
  };
  const found = data && wanted.trim() !== "" ? data.search(wanted) : null;
  return (
    <div class="picker">
      <div class="picker-head">
        <input
          ref={field}
          class="picker-search"
          type="search"
          dir="auto"
          value={wanted}
          placeholder={say.emojiSearch}
          aria-label={say.emojiSearch}
          onInput={(event) => setWanted(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (composing(event)) return;
            const first = found?.[0];
            if (event.key === "Enter" && first) {
              event.preventDefault();
              pick(toned(first.emoji));
            } else if (event.key === "ArrowDown") {
              event.preventDefault();
              grid.current?.querySelector<HTMLElement>(".picker-emoji")?.focus();
            }
          }}
        />
        <Tones />
      </div>
      <div ref={grid} class="picker-grid scroll" tabIndex={-1} onKeyDown={(event) => move(event, field.current)}>
        {failed ? (
          <div class="picker-none" role="alert">
            <p>{say.emojiFailed}</p>
            {/* Many browsers do not ask twice for a script in one page. */}
            <Button icon="refresh" onClick={() => location.reload()}>
              {words().shell.reload}
            </Button>
          </div>
        ) : !data ? (
          <Spinner size={28} label={say.emojiTitle} />
        ) : found ? (
          <>
            {found.length === 0 && <p class="picker-none">{say.emojiNone}</p>}
            <Items data={data} items={found} onPick={pick} first />
          </>
        ) : (
          <>
            {lately.length > 0 && (
              <section aria-label={say.emojiRecent}>
                <h3 class="picker-title">{say.emojiRecent}</h3>
                <Items data={data} items={lately.map((emoji) => known(data, emoji))} onPick={pick} first asTheyAre />
              </section>
            )}
            {data.GROUPS.map((group, index) => (
              <Group key={group.name} data={data} group={group} onPick={pick} first={index === 0 && lately.length === 0} />
            ))}
          </>
        )}
      </div>
      {data && !found && (
        <nav class="picker-groups" aria-label={say.emojiTitle}>
          {data.GROUPS.map((group) => (
            <button
              key={group.name}
              type="button"
              class="picker-group"
              aria-label={say.emojiGroups[group.name]}
              title={say.emojiGroups[group.name]}
              onClick={() => grid.current?.querySelector(`[data-group="${group.name}"]`)?.scrollIntoView({ block: "start" })}
            >
              {group.emoji[0]?.emoji}
            </button>
          ))}
        </nav>
      )}
    </div>
  );
}

/** The colour of the skin: the one in use, or all of them to choose from. */
function Tones() {
  const say = words().chat;
  const [open, setOpen] = useState(false);
  const row = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const drawn = useRef(false);
  // Each takes the place of the other, and the focus with it.
  useLayoutEffect(() => {
    if (open) row.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
    else if (drawn.current) opener.current?.focus();
    drawn.current = true;
  }, [open]);
  const now = chosenTone();
  if (!open) {
    return (
      <button
        ref={opener}
        type="button"
        class="picker-tone"
        aria-expanded="false"
        aria-label={say.emojiTone}
        title={say.emojiTone}
        onClick={() => setOpen(true)}
      >
        {toned("✋", now)}
      </button>
    );
  }
  return (
    <div ref={row} class="picker-tones" role="radiogroup" aria-label={say.emojiTone} onKeyDown={alongTones}>
      {TONES.map((tone, index) => (
        <button
          key={tone}
          type="button"
          class="picker-tone"
          role="radio"
          aria-checked={tone === now}
          aria-label={say.emojiTones[index]}
          title={say.emojiTones[index]}
          tabIndex={tone === now ? 0 : -1}
          onClick={() => {
            chooseTone(tone);
            setOpen(false);
          }}
        >
          {toned("✋", tone)}
        </button>
      ))}
    </div>
  );
}

function alongTones(event: KeyboardEvent): void {
  const all = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>(".picker-tone")];
  const rtl = document.documentElement.dir === "rtl";
  const step = { ArrowRight: rtl ? -1 : 1, ArrowLeft: rtl ? 1 : -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const now = all.indexOf(document.activeElement as HTMLElement);
  all[(now + step + all.length) % all.length]?.focus();
}

interface GroupProps {
  data: Data;
  group: EmojiGroup;
  onPick: (emoji: string) => void;
  first: boolean;
}

function Group({ data, group, onPick, first }: GroupProps) {
  const title = words().chat.emojiGroups[group.name];
  return (
    <section class="picker-section" aria-label={title} data-group={group.name}>
      <h3 class="picker-title">{title}</h3>
      <Items data={data} items={group.emoji} onPick={onPick} first={first} />
    </section>
  );
}

interface ItemsProps {
  data: Data;
  items: readonly Emoji[];
  onPick: (emoji: string) => void;
  first: boolean;
  /** In the colour in which they were used. */
  asTheyAre?: boolean;
}

function Items({ data, items, onPick, first, asTheyAre = false }: ItemsProps) {
  return (
    <div class="picker-items">
      {items.map((one, index) => {
        const name = data.nameOf(one, language.value);
        const emoji = asTheyAre ? one.emoji : toned(one.emoji);
        return (
          <button
            key={one.emoji}
            type="button"
            class="picker-emoji"
            tabIndex={first && index === 0 ? 0 : -1}
            title={name}
            aria-label={`${emoji} ${name}`}
            onClick={() => onPick(emoji)}
          >
            {emoji}
          </button>
        );
      })}
    </div>
  );
}

/** One that was used, in the colour it had, with the names of its kind. */
function known(data: Data, emoji: string): Emoji {
  for (const group of data.GROUPS) {
    const found = group.emoji.find((one) => plainForm(one.emoji) === plainForm(emoji));
    if (found) return { ...found, emoji };
  }
  return { emoji, names: { en: "", de: "" } };
}

/** The arrows go from emoji to emoji, also up and down. */
function move(event: KeyboardEvent, field: HTMLElement | null): void {
  const all = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>(".picker-emoji")];
  const now = all.indexOf(document.activeElement as HTMLElement);
  if (now < 0) return;
  const rtl = document.documentElement.dir === "rtl";
  const box = all[now]?.getBoundingClientRect();
  if (!box) return;
  let to: HTMLElement | undefined;
  if (event.key === "ArrowRight") to = all[now + (rtl ? -1 : 1)];
  else if (event.key === "ArrowLeft") to = all[now + (rtl ? 1 : -1)];
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const down = event.key === "ArrowDown";
    const others = down ? all.slice(now + 1) : all.slice(0, now).reverse();
    to = others.find((one) => {
      const place = one.getBoundingClientRect();
      return Math.abs(place.left - box.left) < 4 && (down ? place.top > box.top : place.top < box.top);
    });
    if (!to && !down) to = field ?? undefined;
  } else return;
  event.preventDefault();
  to?.focus();
}
