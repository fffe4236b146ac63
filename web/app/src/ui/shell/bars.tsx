import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { fill, words } from "../../i18n";
import { go } from "../../route";
import type { Connection } from "../../core/types";
import { useStore } from "../../state/use";
import { applyUpdate, postponeUpdate, updateReady } from "../../update";
import { dropUnsent, hasUnsent } from "../../unsent";
import { confirm, Icon, Spinner, type IconName } from "../kit";
import { reasonText } from "../reason";
import { clockAhead } from "./clock";
import { SignInAgain } from "./sign-in-again";
import "./bars.css";

/** Nothing is said about a connection that is back this soon. */
const PATIENCE = 2000;

/** Thin bars above everything: what is wrong with the network, the store, or how old the page is. */
export function Bars() {
  const asking = useSignal(false);
  return (
    <>
      <div class="bars" role="status" aria-live="polite">
        <StorageBar />
        <ClockBar />
        <ConnectionBar onSignIn={() => (asking.value = true)} />
        <UpdateBar />
      </div>
      {asking.value && <SignInAgain onClose={() => (asking.value = false)} />}
    </>
  );
}

interface BarProps {
  tone: "quiet" | "warning" | "danger" | "accent";
  icon?: IconName;
  busy?: boolean;
  children: ComponentChildren;
  action?: { label: string; run: () => void } | undefined;
}

function Bar({ tone, icon, busy = false, children, action }: BarProps) {
  return (
    <div class={`bar bar-${tone}`}>
      {busy ? <Spinner size={16} /> : icon && <Icon name={icon} size={18} />}
      <span class="bar-words">{children}</span>
      {action && (
        <button type="button" class="bar-action" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}

function ConnectionBar({ onSignIn }: { onSignIn: () => void }) {
  const store = useStore();
  const connection = store.account.value?.connection;
  const late = useLate(connection?.is === "online" || connection === undefined);
  const online = useOnline();
  const w = words().shell.connection;
  if (!connection) return null;
  if (connection.is === "refused") {
    return (
      <Bar tone="danger" icon="alert" action={{ label: w.signIn, run: onSignIn }}>
        {fill(w.refused, { reason: reasonText(connection.reason) })}
      </Bar>
    );
  }
  if (!late) return null;
  const again = { label: w.tryNow, run: () => void store.ask({ do: "reconnect" }) };
  if (!online || connection.is === "offline") {
    return (
      <Bar tone="quiet" icon="wifiOff" action={online ? again : undefined}>
        {w.offline}
      </Bar>
    );
  }
  if (connection.is === "waiting") return <Waiting connection={connection} action={again} />;
  if (connection.is === "online") return null;
  return (
    <Bar tone="quiet" busy>
      {connection.is === "catchingUp" ? w.catchingUp : w.connecting}
    </Bar>
  );
}

type WaitingConnection = Extract<Connection, { is: "waiting" }>;

function Waiting({ connection, action }: { connection: WaitingConnection; action: BarProps["action"] }) {
  const w = words().shell.connection;
  const seconds = useCountdown(connection.until);
  return (
    <Bar tone="warning" icon="wifiOff" action={action}>
      {fill(w.waiting, { reason: reasonText(connection.reason) })}{" "}
      {/* The seconds are for the eye; each of them read aloud would be a nuisance. */}
      {seconds > 0 && <span aria-hidden="true">{w.again(seconds)}</span>}
    </Bar>
  );
}

function StorageBar() {
  const store = useStore();
  const reason = store.storage.value;
  const w = words().shell;
  if (reason === null) return null;
  return (
    <Bar tone="danger" icon="storage" action={{ label: w.details, run: () => go({ at: "settings", page: "storage" }) }}>
      {fill(w.storageProblem, { reason: reasonText(reason) })}
    </Bar>
  );
}

function ClockBar() {
  const ahead = clockAhead.value;
  const w = words().shell.clock;
  if (ahead === 0) return null;
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  const [n, unit] = minutes < 120 ? [minutes, w.minutes] : minutes < 48 * 60 ? [Math.round(minutes / 60), w.hours] : [Math.round(minutes / 1440), w.days];
  return (
    <Bar tone="warning" icon="clock">
      {fill(ahead > 0 ? w.ahead : w.behind, { time: unit(n) })}
    </Bar>
  );
}

function UpdateBar() {
  const w = words().shell;
  if (!updateReady.value) return null;
  return (
    <div class="bar bar-accent">
      <Icon name="refresh" size={18} />
      <span class="bar-words">{w.update}</span>
      <button type="button" class="bar-action" onClick={postponeUpdate}>
        {w.later}
      </button>
      <button type="button" class="bar-action" onClick={() => void update()}>
        {w.updateNow}
      </button>
    </div>
  );
}

/** What is only in the memory of this window is not thrown away without a question. */
async function update(): Promise<void> {
  const w = words().shell;
  const question = { title: w.updateTitle, text: w.updateUnsent, action: w.updateNow, danger: true };
  const asked = hasUnsent();
  if (asked && !(await confirm(question))) return;
  dropUnsent();
  if (await applyUpdate()) return;
  // A draft that the store does not take is lost as well.
  if (asked || (await confirm(question))) await applyUpdate(true);
}

/** Whether it is not fine for a while now. */
function useLate(fine: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (fine) return setLate(false);
    const timer = setTimeout(() => setLate(true), PATIENCE);
    return () => clearTimeout(timer);
  }, [fine]);
  return late && !fine;
}

/** Whether the browser has a network at all. */
function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setOnline(navigator.onLine);
    addEventListener("online", update);
    addEventListener("offline", update);
    return () => {
      removeEventListener("online", update);
      removeEventListener("offline", update);
    };
  }, []);
  return online;
}

function useCountdown(until: number): number {
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}
