// The text of a message, or beside a file: paragraphs, quotations, preformatted blocks, links. Everything is text; a
// long one is folded.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import type { Message, Span } from "../../../core/types";
import { words } from "../../../i18n";
import { go } from "../../../route";
import { named } from "../logic/mentions";
import type { Chat } from "../state";
import { leads, opens, shown } from "../logic/links";
import { blocks, direction, FOLD, folded, length, marked, STEP, type Block } from "../logic/text";
import "./text.css";

export interface TextProps {
  chat: Chat;
  message: Message;
  wanted: string;
  tab: number;
  /** Comes after the last character. */
  spaced?: ComponentChildren;
}

export function TextView({ chat, message, wanted, tab, spaced }: TextProps) {
  const [room, setRoom] = useState(0);
  const { content } = message;
  if (content.is !== "text" && content.is !== "file") return null;
  const limits =
    room === 0 ? FOLD : { characters: room * STEP, lines: Math.ceil((room * STEP) / 20) };
  const { lines, cut } = folded(content.lines, limits.characters, limits.lines);
  const all = blocks(lines);
  const say = words().chat;
  const whole = cut ? length(content.lines) : 0;
  return (
    <>
      {all.map((block, index) => (
        <BlockView
          key={index}
          chat={chat}
          block={block}
          wanted={wanted}
          tab={tab}
          spaced={index === all.length - 1 && !cut && room === 0 ? spaced : null}
        />
      ))}
      {(cut || room > 0) && (
        <p class="text-fold">
          {cut && (
            <button type="button" class="text-fold-button" tabIndex={tab} onClick={() => setRoom(room + 1)}>
              {room === 0 && whole <= STEP ? say.showAll(whole) : say.showMore}
            </button>
          )}
          {room > 0 && (
            <button type="button" class="text-fold-button" tabIndex={tab} onClick={() => setRoom(0)}>
              {say.showLess}
            </button>
          )}
          {spaced}
        </p>
      )}
    </>
  );
}

interface BlockProps {
  chat: Chat;
  block: Block;
  wanted: string;
  tab: number;
  spaced: ComponentChildren;
}

function BlockView({ chat, block, wanted, tab, spaced }: BlockProps) {
  const { quote, preformatted } = block;
  const inside = block.lines.map((spans, index) => (
    <>
      {index > 0 && "\n"}
      {spans.map((span, at) => (
        <SpanView key={at} chat={chat} span={span} wanted={wanted} tab={tab} />
      ))}
    </>
  ));
  // Only a plain paragraph has room for the time at the end of its last line.
  const ends = quote === 0 && !preformatted;
  const body = preformatted ? (
    <pre class="text-pre no-swipe" dir="auto" tabIndex={tab}>
      {inside}
    </pre>
  ) : (
    <p class="text-paragraph" dir="auto">
      {inside}
      {ends && spaced}
    </p>
  );
  return (
    <>
      {quoted(body, quote, quote > 0 ? directionOf(block) : null)}
      {!ends && spaced && <p class="text-paragraph text-last">{spaced}</p>}
    </>
  );
}

/** A bar at the start for every quotation around it. */
function quoted(inside: ComponentChildren, depth: number, dir: "ltr" | "rtl" | null): ComponentChildren {
  if (depth === 0) return inside;
  return (
    <blockquote class="text-quote" dir={dir ?? undefined}>
      {quoted(inside, depth - 1, dir)}
    </blockquote>
  );
}

function directionOf(block: Block): "ltr" | "rtl" | null {
  return direction(block.lines.map((spans) => spans.map((span) => span.text).join("")).join(" "));
}

function SpanView({ chat, span, wanted, tab }: { chat: Chat; span: Span; wanted: string; tab: number }) {
  let inside: ComponentChildren =
    span.link !== null && opens(span.link) ? (
      <LinkView text={span.text} link={span.link} tab={tab} />
    ) : chat.isRoom.value && !span.preformatted ? (
      <Names chat={chat} text={span.text} wanted={wanted} />
    ) : (
      <Marked text={span.text} wanted={wanted} />
    );
  if (span.preformatted) inside = <code class="text-code">{inside}</code>;
  if (span.strike) inside = <s>{inside}</s>;
  if (span.emphasis) inside = <em>{inside}</em>;
  if (span.strong) inside = <strong>{inside}</strong>;
  return <>{inside}</>;
}

/** Text in which those who are named stand out. */
function Names({ chat, text, wanted }: { chat: Chat; text: string; wanted: string }) {
  return (
    <>
      {named(text, chat.nick.value, chat.nicks.value).map((part, index) =>
        part.who === null ? (
          <Marked key={index} text={part.text} wanted={wanted} />
        ) : (
          <bdi key={index} class={part.who === "self" ? "text-name text-name-own" : "text-name"}>
            <Marked text={part.text} wanted={wanted} />
          </bdi>
        ),
      )}
    </>
  );
}

/** Text in which what is searched for stands out. */
export function Marked({ text, wanted }: { text: string; wanted: string }) {
  if (wanted === "") return <>{text}</>;
  return (
    <>
      {marked(text, wanted).map((part, index) =>
        part.found ? (
          <mark key={index} class="text-found">
            {part.text}
          </mark>
        ) : (
          part.text
        ),
      )}
    </>
  );
}

function LinkView({ text, link, tab }: { text: string; link: string; tab: number }) {
  const { text: written, host, title } = shown(text, link);
  const place = leads(link);
  return (
    <a
      class="text-link"
      href={link}
      target="_blank"
      rel="noopener noreferrer"
      referrerpolicy="no-referrer"
      title={title}
      tabIndex={tab}
      dir="auto"
      onClick={(event) => {
        if (place === null) return;
        event.preventDefault();
        go(place);
      }}
    >
      {written}
      {host !== null && (
        <>
          {" "}
          <bdi class="text-host">({host})</bdi>
        </>
      )}
    </a>
  );
}
