// Screens for when there is no account to show: starting, at work in another tab, failed.

import { useEffect, useState } from "preact/hooks";

import { words } from "../../i18n";
import type { FailedWhy } from "../../core/api";
import { Button, confirm, Empty, Spinner } from "../kit";
import { reasonOf, reasonText } from "../reason";
import "./states.css";

/** A start that takes no longer shows nothing, so that nothing flashes. */
const UNNOTICED = 180;
/** After that long it says that something is going on. */
const LONG = 4000;

/** The outline of the list, until there is something to show. */
export function Starting() {
  const [phase, setPhase] = useState<"nothing" | "outline" | "long">("nothing");
  useEffect(() => {
    const timers = [setTimeout(() => setPhase("outline"), UNNOTICED), setTimeout(() => setPhase("long"), LONG)];
    return () => timers.forEach(clearTimeout);
  }, []);
  return (
    <main class="starting" aria-busy="true" aria-label={words().shell.starting}>
      <h1 class="hidden-text">Clownfish</h1>
      {phase !== "nothing" && (
        <div class="starting-list" aria-hidden="true">
          <span class="starting-title" />
          <span class="starting-search" />
          {[62, 44, 71, 52, 66, 48, 58].map((width) => (
            <span class="starting-line" key={width}>
              <span class="starting-disc" />
              <span class="starting-words">
                <span style={{ inlineSize: `${width * 0.6}%` }} />
                <span style={{ inlineSize: `${width + 20}%` }} />
              </span>
            </span>
          ))}
        </div>
      )}
      {phase === "long" && (
        <p class="starting-long" role="status">
          <Spinner size={18} /> {words().shell.starting}
        </p>
      )}
    </main>
  );
}

/** Only one tab has the account. */
export function Elsewhere({ onUseHere }: { onUseHere: () => void }) {
  const w = words().shell;
  return (
    <main class="state">
      <Empty
        whole
        icon="copy"
        title={w.elsewhere}
        text={w.elsewhereText}
        action={
          <Button kind="primary" onClick={onUseHere}>
            {w.useHere}
          </Button>
        }
      />
    </main>
  );
}

/** What was kept here is gone, and nobody signed out. */
export function Lost({ onSignIn, onInvitation }: { onSignIn: () => void; onInvitation: () => void }) {
  const w = words().shell;
  return (
    <main class="state">
      <Empty
        whole
        icon="storage"
        title={w.lostTitle}
        text={w.lostText}
        action={
          <>
            <Button kind="primary" onClick={onSignIn}>
              {w.lostAction}
            </Button>
            <Button icon="mail" onClick={onInvitation}>
              {words().welcome.haveInvitation}
            </Button>
          </>
        }
      />
    </main>
  );
}

/** It cannot start: why, and what helps. */
export function Failed({ why, reason, onErase }: { why: FailedWhy; reason: string; onErase: () => void }) {
  const w = words().shell;
  const erase = async () => {
    if (await confirm({ title: w.eraseTitle, text: w.eraseText, action: w.erase, danger: true })) onErase();
  };
  return (
    <main class="state">
      <Empty
        whole
        icon={why === "storage" || why === "damaged" ? "storage" : "alert"}
        title={w.failedTitle[why]}
        text={w.failedText[why]}
        action={
          why !== "unsupported" && (
            <>
              <Button kind="primary" icon="refresh" onClick={() => location.reload()}>
                {w.reload}
              </Button>
              {why === "damaged" && (
                <Button kind="quiet" icon="trash" onClick={() => void erase()}>
                  {w.eraseAction}
                </Button>
              )}
            </>
          )
        }
      />
      <p class="state-reason" lang={reasonOf(reason) ? undefined : "en"}>
        {reasonText(reason)}
      </p>
    </main>
  );
}

/** The page itself has failed; what is kept is not touched by that. */
export function Crashed({ error }: { error: unknown }) {
  const w = words().shell;
  const details = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (
    <main class="state">
      <p class="hidden-text" role="alert">
        {w.crashed}
      </p>
      <Empty
        whole
        icon="alert"
        title={w.crashed}
        text={w.crashedText}
        action={
          <Button kind="primary" icon="refresh" onClick={() => location.reload()}>
            {w.reload}
          </Button>
        }
      />
      <details class="state-reason">
        <summary>{w.crashedDetails}</summary>
        <p lang="en">{details.slice(0, 500)}</p>
      </details>
    </main>
  );
}
