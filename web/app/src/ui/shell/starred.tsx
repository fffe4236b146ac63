// Messages with a star, of all conversations or of one.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import type { Found, Problem } from "../../core/types";
import { fill, words } from "../../i18n";
import { go } from "../../route";
import { useStore } from "../../state/use";
import { ask } from "../ask";
import { Button, Empty, IconButton, Page, Spinner } from "../kit";
import { problemText } from "../people/problem";
import { MessageLine, textOf } from "./results";
import "./starred.css";

/** Characters of a message in the name of the button beside it. */
const NAMED = 80;

export function Starred({ address }: { address: string | null }) {
  const store = useStore();
  const w = words().shell;
  const found = useSignal<readonly Found[] | null>(null);
  const problem = useSignal<Problem | null>(null);
  const times = useSignal(0);
  const inside = useRef<HTMLDivElement>(null);
  /** The place in the list of what is gone from it, while it had the focus. */
  const removed = useRef<number | null>(null);
  useEffect(() => {
    found.value = null;
    problem.value = null;
  }, [store, address, times.value]);
  // The list stays on screen until it is told what it is now.
  useEffect(() => {
    let wanted = true;
    void store.ask({ do: "starred", address }).then((outcome) => {
      if (!wanted) return;
      if (outcome.is === "failed") problem.value = outcome.problem;
      if (outcome.is !== "found") return;
      problem.value = null;
      removed.current = focusedOf(inside.current, found.peek() ?? [], outcome.messages);
      found.value = outcome.messages;
    });
    return () => {
      wanted = false;
    };
  }, [store, address, times.value, store.stars.value]);
  useLayoutEffect(() => {
    if (removed.current === null) return;
    const buttons = inside.current?.querySelectorAll<HTMLElement>(".starred-line .icon-button");
    const next = buttons?.[Math.min(removed.current, buttons.length - 1)];
    removed.current = null;
    (next ?? inside.current)?.focus();
  }, [found.value]);
  const name = address && (store.conversation(address)?.name ?? store.contact(address)?.name ?? address);
  return (
    <Page title={name ? fill(w.starredOf, { name }) : w.starred}>
      <div ref={inside} class="starred-inside" tabIndex={-1}>
        {problem.value !== null ? (
          <div role="alert">
            <Empty
              icon="alert"
              title={w.starredFailed}
              text={problemText(problem.value)}
              action={
                <Button kind="quiet" onClick={() => times.value++}>
                  {w.starredAgain}
                </Button>
              }
            />
          </div>
        ) : found.value === null ? (
          <p class="results-busy">
            <Spinner label={w.starredBusy} />
          </p>
        ) : found.value.length === 0 ? (
          <Empty icon="star" title={w.starredNone} text={w.starredNoneText} />
        ) : (
          <>
            <ul class="starred">
              {found.value.map((one) => (
                <li key={one.message.id} class="starred-line">
                  <MessageLine
                    found={one}
                    typed=""
                    onOpen={() => go({ at: "chat", address: one.address, message: one.message.id })}
                  />
                  <IconButton
                    icon="starOff"
                    size={20}
                    title={w.unstar}
                    label={fill(w.unstarThat, { text: named(one) })}
                    onClick={() => void ask(store, { do: "star", message: one.message.id, starred: false })}
                  />
                </li>
              ))}
            </ul>
            <p class="starred-hint">{w.starredHint}</p>
          </>
        )}
      </div>
    </Page>
  );
}

/** The place of the line that has the focus and is not in the list any more. */
function focusedOf(inside: HTMLElement | null, before: readonly Found[], now: readonly Found[]): number | null {
  const lines = [...(inside?.querySelectorAll(".starred-line") ?? [])];
  const at = lines.findIndex((line) => line.contains(document.activeElement));
  const id = before[at]?.message.id;
  return id === undefined || now.some((one) => one.message.id === id) ? null : at;
}

/** The beginning of a message, in one line. */
function named(one: Found): string {
  const all = [...textOf(one).replace(/\s+/g, " ").trim()];
  return all.length > NAMED ? `${all.slice(0, NAMED).join("")}…` : all.join("");
}
