import { useEffect } from "preact/hooks";

import type { Device } from "../../core/types";
import { fill, words } from "../../i18n";
import { useStore } from "../../state/use";
import { Address, Avatar, Button, Dialog, QrCode } from "../kit";
import { nameOf } from "./address";
import { personLink } from "./links";
import { canShare, copy, shareText } from "./share";
import "./people.css";

/** The own address and keys, for others to scan. */
export function QrShow({ onClose }: { onClose: () => void }) {
  const w = words().people.qr;
  const store = useStore();
  const account = store.account.value;
  const link = useOwnLink();
  if (!account || link === null) return null;
  const name = account.nickname ?? nameOf(account.address);
  const keys = link.includes("omemo-sid-");
  return (
    <Dialog
      title={w.title}
      onClose={onClose}
      actions={
        <>
          <Button icon="copy" onClick={() => void copy(link)}>
            {w.copyLink}
          </Button>
          {canShare() && (
            <Button
              kind="primary"
              icon="share"
              onClick={() => void shareText(fill(w.shareText, { address: account.address }), link)}
            >
              {w.share}
            </Button>
          )}
        </>
      }
    >
      <div class="qr-card">
        <div class="qr-card-who">
          <Avatar address={account.address} name={name} avatar={account.avatar} size={44} />
          <div class="qr-card-words">
            <bdi class="qr-card-name">{name}</bdi>
            <Address class="qr-card-address" text={account.address} />
          </div>
        </div>
        <QrCode text={link} label={w.label} />
        <p class="qr-card-text">{keys ? w.text : w.plainText}</p>
      </div>
    </Dialog>
  );
}

/** The link to this account, with the keys that are certainly its own. */
export function useOwnLink(): string | null {
  const store = useStore();
  const account = store.account.value;
  const address = account?.address;
  useEffect(() => {
    if (address !== undefined) void store.ask({ do: "devices", address });
  }, [address, store]);
  if (!account) return null;
  return personLink(account.address, vouched(store.devices.value.get(account.address) ?? []));
}

/** Devices that this one can vouch for: itself, and those that were verified. */
function vouched(devices: readonly Device[]): { id: number; fingerprint: string }[] {
  const sure = devices.filter((one) => one.this || (one.active && one.trust === "verified"));
  return sure.flatMap(({ id, fingerprint }) => (fingerprint === null ? [] : [{ id, fingerprint }]));
}
