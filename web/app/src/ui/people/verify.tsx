import { useSignal } from "@preact/signals";

import { fill, words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, Dialog, Icon, QrCode } from "../kit";
import { useDevices, deviceName, Fingerprint } from "./devices";
import { useAsk } from "./ask";
import { parseLink } from "./links";
import { problemText } from "./problem";
import { useOwnLink } from "./qr-show";
import { QrScan } from "./scan";
import "./people.css";

export interface VerifyProps {
  address: string;
  name: string;
  onClose: () => void;
}

/** Making sure that nobody is in between: by their code, by one's own, or digit by digit. */
export function Verify({ address, name, onClose }: VerifyProps) {
  const store = useStore();
  const w = words().people.verify;
  const scanning = useSignal(false);
  const comparing = useSignal(false);
  const result = useSignal<{ good: boolean; text: string } | null>(null);
  const mine = useOwnLink();
  const check = async (uri: string) => {
    const outcome = await store.ask({ do: "verify", uri });
    if (outcome.is === "verified") result.value = { good: true, text: fill(w.done(outcome.count), { name }) };
    else if (outcome.is !== "failed") result.value = null;
    // A well-made link that is refused says something else than what is known.
    else if (outcome.problem.kind === "invalid") result.value = { good: false, text: fill(w.contradiction, { name }) };
    else result.value = { good: false, text: problemText(outcome.problem) };
  };
  const scanned = (text: string): string | null => {
    const link = parseLink(text);
    if (link?.is !== "person") return words().people.scan.wrong;
    if (link.address !== address) return fill(w.other, { other: link.address, name });
    if (link.keys === null) return fill(w.noKeys, { name });
    scanning.value = false;
    void check(link.keys);
    return null;
  };
  return (
    <Dialog title={fill(w.title, { name })} onClose={onClose} large>
      <div class="verify">
        {result.value && <Result {...result.value} after={fill(w.after, { name })} />}
        <p>{fill(w.text, { name })}</p>
        <Button kind="primary" icon="qr" wide onClick={() => (scanning.value = true)}>
          {w.scan}
        </Button>
        <h3 class="people-heading">{w.mine}</h3>
        {mine && <QrCode text={mine} label={words().people.qr.label} />}
        <p class="people-text verify-after">{fill(w.after, { name })}</p>
        <Button kind="quiet" wide aria-expanded={comparing.value} onClick={() => (comparing.value = !comparing.value)}>
          {w.compare}
        </Button>
        {comparing.value && <Compare address={address} name={name} />}
      </div>
      {scanning.value && (
        <QrScan title={w.scan} onClose={() => (scanning.value = false)} onFound={scanned} />
      )}
    </Dialog>
  );
}

function Result({ good, text, after }: { good: boolean; text: string; after: string }) {
  return (
    <div class={good ? "verify-result verify-result-good" : "verify-result"} role={good ? "status" : "alert"}>
      <Icon name={good ? "shieldCheck" : "alert"} size={24} />
      <div>
        <p>{text}</p>
        {good && <p class="verify-result-more">{after}</p>}
      </div>
    </div>
  );
}

/** Every device with its digits, to be compared with the other's screen. */
function Compare({ address, name }: { address: string; name: string }) {
  const w = words().people;
  const devices = (useDevices(address) ?? []).filter((one) => one.active && one.fingerprint !== null);
  const { busy, ask } = useAsk();
  const decide = (key: string | null, level: "verified" | "distrusted") => {
    if (key !== null) void ask({ do: "trust", address, key, level });
  };
  return (
    <div class="verify-compare">
      <p class="people-text">{w.verify.compareText}</p>
      {devices.length === 0 && <p class="people-text">{w.devices.noneText}</p>}
      {devices.map((device) => (
        <section key={device.id} class="verify-device" aria-label={deviceName(device)}>
          <h3 class="verify-device-name">
            <bdi>{deviceName(device)}</bdi>
            <span class={`device-trust device-trust-${device.trust}`}>{w.devices.trust[device.trust]}</span>
          </h3>
          <Fingerprint of={deviceName(device)} fingerprint={device.fingerprint ?? ""} />
          <div class="verify-buttons">
            <Button disabled={busy || device.trust === "distrusted"} onClick={() => decide(device.key, "distrusted")}>
              {w.verify.different}
            </Button>
            <Button icon="check" disabled={busy || device.trust === "verified"} onClick={() => decide(device.key, "verified")}>
              {w.verify.same}
            </Button>
          </div>
        </section>
      ))}
      <p class="hidden-text">{name}</p>
    </div>
  );
}
