import { useEffect, useState } from "preact/hooks";

import { fill, language, words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Button, Choice, Group, Page, Row, toast } from "../../kit";
import { reasonText } from "../../reason";
import { isTold, network, sized } from "../../chat/logic/files";
import { change, settings } from "../settings";

interface Usage {
  used: number;
  room: number;
  /** The browser keeps it even when the disk gets full. */
  kept: boolean;
}

/** How much is kept in this browser, and whether the browser may throw it away. */
export function StoragePage() {
  const store = useStore();
  const w = words().shell;
  const told = isTold(network());
  const [usage, setUsage] = useState<Usage | null>(null);
  const look = () => void measure().then(setUsage);
  useEffect(look, []);
  const keep = async () => {
    const granted = await navigator.storage.persist().catch(() => false);
    if (!granted) toast({ text: w.keepRefused, problem: true });
    look();
  };
  const problem = store.storage.value;
  return (
    <Page title={w.storage}>
      {problem !== null && (
        <Group>
          <Row danger icon="alert" label={fill(w.storageProblem, { reason: reasonText(problem) })} hint={w.storageHelp} />
        </Group>
      )}
      {usage && (
        <Group>
          <div class="settings-inner">
            <p>{fill(w.storageUsed, { used: sized(usage.used, language.value), room: sized(usage.room, language.value) })}</p>
            <div class="settings-meter" aria-hidden="true">
              <span style={{ inlineSize: `${Math.min(100, (usage.used / Math.max(1, usage.room)) * 100)}%` }} />
            </div>
            <p class="settings-hint">{w.storageFree}</p>
          </div>
          <Row
            icon={usage.kept ? "check" : "alert"}
            label={usage.kept ? w.kept : w.notKept}
            hint={usage.kept ? w.keptHint : w.notKeptHint}
            end={
              !usage.kept && (
                <Button kind="plain" onClick={() => void keep()}>
                  {w.keep}
                </Button>
              )
            }
          />
        </Group>
      )}
      <Group>
        <div class="settings-inner">
          <Choice
            label={w.fetchLabel}
            value={settings.value.fetch}
            options={[
              { value: "always", label: w.fetchAlways },
              // Nobody is promised what this browser cannot keep.
              ...(told || settings.value.fetch === "unmetered"
                ? [{ value: "unmetered" as const, label: w.fetchUnmetered }]
                : []),
              { value: "never", label: w.fetchNever },
            ]}
            onChange={(value) => change({ fetch: value })}
          />
          <p class="settings-hint">{told || settings.value.fetch !== "unmetered" ? w.fetchHint : w.fetchUntold}</p>
        </div>
      </Group>
      <p class="settings-text">{w.storageSealed}</p>
    </Page>
  );
}

async function measure(): Promise<Usage> {
  const [estimate, kept] = await Promise.all([
    navigator.storage.estimate().catch(() => ({}) as StorageEstimate),
    navigator.storage.persisted().catch(() => false),
  ]);
  return { used: estimate.usage ?? 0, room: estimate.quota ?? 0, kept };
}
