import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";

import type { Device } from "../../core/types";
import { fill, language, words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, confirm, Empty, Icon, IconButton, openMenu, Page, Spinner, type IconName, type MenuItem } from "../kit";
import { now } from "../shell/time";
import { ago } from "./ago";
import { useAsk, type Asking } from "./ask";
import { groups } from "./fingerprint";
import { RenameDialog } from "./rename";
import { copy } from "./share";
import "./people.css";
import "./devices.css";

/** The devices of somebody, or one's own for `null`. */
export function Devices({ address }: { address: string | null }) {
  const store = useStore();
  const w = words().people.devices;
  const own = store.account.value?.address ?? null;
  const whose = address ?? own;
  if (whose === null) return null;
  const mine = whose === own;
  const name = store.contact(whose)?.name ?? whose;
  return (
    <Page title={mine ? w.own : fill(w.of, { name })}>
      <p class="people-text">{mine ? w.ownText : w.ofText}</p>
      <DeviceList address={whose} />
    </Page>
  );
}

/** Asks for the devices of an address, and keeps them current; `undefined` until they are known. */
export function useDevices(address: string): Device[] | undefined {
  const store = useStore();
  useEffect(() => void store.ask({ do: "devices", address }), [store, address]);
  const known = store.devices.value.get(address);
  return known && [...known].sort(byUse);
}

/** This one, then those in use, the last used first. */
function byUse(a: Device, b: Device): number {
  if (a.this !== b.this) return a.this ? -1 : 1;
  if (a.active !== b.active) return a.active ? -1 : 1;
  return (b.lastUsed ?? 0) - (a.lastUsed ?? 0) || a.id - b.id;
}

export function DeviceList({ address }: { address: string }) {
  const store = useStore();
  const w = words().people.devices;
  const devices = useDevices(address);
  const mine = address === store.account.value?.address;
  const asking = useAsk();
  const renaming = useSignal(false);
  if (devices === undefined) return <p class="people-waiting"><Spinner size={24} label={w.loading} /></p>;
  if (devices.length === 0) return <Empty icon="device" title={w.none} text={mine ? w.noneOwn : w.noneText} />;
  const card = (device: Device) => (
    <DeviceCard
      key={device.id}
      device={device}
      address={address}
      mine={mine}
      asking={asking}
      onRename={() => (renaming.value = true)}
    />
  );
  const active = devices.filter((one) => one.active || one.this);
  const others = devices.filter((one) => !one.active && !one.this);
  const self = devices.find((one) => one.this);
  return (
    <>
      <ul class="devices">{active.map(card)}</ul>
      {others.length > 0 && (
        <>
          <h2 class="people-heading">{w.inactiveTitle}</h2>
          <ul class="devices">{others.map(card)}</ul>
        </>
      )}
      {renaming.value && <Rename label={self?.label ?? ""} onClose={() => (renaming.value = false)} />}
    </>
  );
}

/** What a device is called. */
export function deviceName(device: Device): string {
  return device.label ?? fill(words().people.devices.device, { id: device.id });
}

const BADGES: Record<Device["trust"], IconName> = {
  undecided: "help",
  blind: "shield",
  verified: "shieldCheck",
  distrusted: "block",
};

interface CardProps {
  device: Device;
  address: string;
  mine: boolean;
  asking: Asking;
  onRename: () => void;
}

/** One device; its fingerprint comes out when it is pressed. */
function DeviceCard({ device, address, mine, asking, onRename }: CardProps) {
  const w = words().people.devices;
  const id = useId();
  const open = useSignal(false);
  const name = deviceName(device);
  const used = device.lastUsed;
  const when =
    device.this ? w.thisDevice
    : used === null ? w.never
    : [fill(w.lastUsed, { time: ago(used, now.value, language.value) }), device.unused ? w.unused : ""].filter(Boolean).join(" · ");
  const items = actions({ device, address, mine, asking, onRename });
  return (
    <li class={device.active || device.this ? "device" : "device device-old"}>
      <div class="device-head">
        <button
          type="button"
          class="device-press"
          aria-expanded={open.value}
          aria-controls={id}
          onClick={() => (open.value = !open.value)}
        >
          <Icon name="device" size={24} />
          <span class="device-words">
            <bdi class="device-name">{name}</bdi>
            <span class="device-when">{when}</span>
            {!device.this && (
              <span class={`device-trust device-trust-${device.trust}`}>
                <Icon name={BADGES[device.trust]} size={16} />
                {w.trust[device.trust]}
              </span>
            )}
          </span>
          <span class={open.value ? "device-arrow device-arrow-open" : "device-arrow"}>
            <Icon name="chevronDown" size={18} />
          </span>
        </button>
        {items.length > 0 && (
          <IconButton
            icon="more"
            label={fill(w.actions, { device: name })}
            onClick={(event) => openMenu({ label: fill(w.actions, { device: name }), at: event.currentTarget, items })}
          />
        )}
      </div>
      <div id={id} class="device-more" hidden={!open.value}>
        {open.value &&
          (device.fingerprint === null ? (
            <p class="people-text">{w.noKey}</p>
          ) : (
            <>
              <Fingerprint of={name} fingerprint={device.fingerprint} />
              <div class="device-buttons">
                <Button kind="quiet" icon="copy" onClick={() => void copy(device.fingerprint ?? "")}>
                  {w.copy}
                </Button>
              </div>
            </>
          ))}
      </div>
    </li>
  );
}

/** Digits in groups, in the same places everywhere. */
export function Fingerprint({ of, fingerprint }: { of: string; fingerprint: string }) {
  return (
    <p class="fingerprint" dir="ltr" role="group" aria-label={fill(words().people.devices.fingerprintOf, { device: of })}>
      {groups(fingerprint).map((group, index) => (
        <span key={index}>{group} </span>
      ))}
    </p>
  );
}

/** What can be done with a device. */
function actions({ device, address, mine, asking, onRename }: CardProps): MenuItem[] {
  const w = words().people.devices;
  const name = deviceName(device);
  if (device.this) return [{ label: w.rename, icon: "edit", run: onRename }];
  const items: MenuItem[] = [];
  const { key } = device;
  const decide = (level: Device["trust"]) => void asking.ask({ do: "trust", address, key: key ?? "", level });
  if (key !== null && device.trust !== "verified") {
    items.push({ label: w.verify, hint: w.verifyHint, icon: "shieldCheck", run: () => void compare(device, address, asking) });
  }
  if (key !== null && (device.trust === "undecided" || device.trust === "distrusted")) {
    items.push({ label: w.trustIt, hint: w.trustHint, icon: "shield", run: () => decide("blind") });
  }
  if (key !== null && device.trust !== "distrusted") {
    items.push({ label: w.distrust, hint: w.distrustHint, icon: "block", danger: true, run: () => decide("distrusted") });
  }
  if (mine && device.active) {
    const remove = async () => {
      const sure = await confirm({ title: fill(w.removeTitle, { device: name }), text: w.removeText, action: w.remove, danger: true });
      if (sure) await asking.ask({ do: "removeDevice", id: device.id }, fill(w.removed, { device: name }));
    };
    items.push({ label: w.remove, hint: w.removeHint, icon: "trash", danger: true, run: () => void remove() });
  }
  return items;
}

/** Verifies a device once somebody says that its digits were compared. */
async function compare(device: Device, address: string, { ask }: Asking): Promise<void> {
  const w = words().people.verify;
  const { key, fingerprint } = device;
  if (key === null || fingerprint === null) return;
  const sure = await confirm({
    title: w.sure,
    text: `${w.sureText} ${groups(fingerprint).join(" ")}`,
    action: w.same,
  });
  if (sure) await ask({ do: "trust", address, key, level: "verified" }, fill(w.deviceDone, { device: deviceName(device) }));
}

function Rename({ label, onClose }: { label: string; onClose: () => void }) {
  const w = words().people.devices;
  const { busy, ask } = useAsk();
  return (
    <RenameDialog
      title={w.rename}
      label={w.renameLabel}
      hint={w.renameHint}
      name={label}
      longest={53}
      busy={busy}
      onSave={async (typed) => {
        if (await ask({ do: "setDeviceLabel", label: typed }, w.renamed)) onClose();
      }}
      onClose={onClose}
    />
  );
}
