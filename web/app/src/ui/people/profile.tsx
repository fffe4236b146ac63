import { useSignal } from "@preact/signals";

import type { Account } from "../../core/types";
import { fill, words } from "../../i18n";
import { go } from "../../route";
import { useStore } from "../../state/use";
import { Address, Avatar, Button, Group, Page, Row, TextField } from "../kit";
import { install, installable } from "../welcome/install";
import { nameOf } from "./address";
import { useAsk } from "./ask";
import { ChoosePicture } from "./choose-picture";
import { QrShow } from "./qr-show";
import { copy } from "./share";
import { reasonText } from "../reason";
import "./people.css";
import "./profile.css";

/** The own name, picture, address and code. */
export function Profile() {
  const store = useStore();
  const account = store.account.value;
  const w = words().people.profile;
  const showing = useSignal(false);
  if (!account) return null;
  const page = (name: string) => go({ at: "settings", page: name });
  return (
    <Page title={w.title}>
      <Picture account={account} />
      <Name key={account.nickname} account={account} />
      <Group>
        <Row
          icon="mail"
          label={<Address text={account.address} />}
          hint={`${w.address} · ${status(account)}`}
          end={<span class="hidden-text">{words().people.qr.copyAddress}</span>}
          onClick={() => void copy(account.address)}
        />
        <Row icon="qr" label={w.code} hint={w.codeHint} leads onClick={() => (showing.value = true)} />
      </Group>
      <Group>
        <Row icon="device" label={w.devices} hint={w.devicesHint} leads onClick={() => page("devices")} />
        <Row icon="share" label={w.invite} hint={w.inviteHint} leads onClick={() => page("invite")} />
        <Row icon="key" label={w.account} leads onClick={() => page("account")} />
        {installable() && (
          <Row icon="download" label={w.install} hint={w.installHint} onClick={() => void install()} />
        )}
      </Group>
      {showing.value && <QrShow onClose={() => (showing.value = false)} />}
    </Page>
  );
}

function status({ connection }: Account): string {
  const w = words().people.profile.status;
  return connection.is === "refused" ? fill(w.refused, { reason: reasonText(connection.reason) }) : w[connection.is];
}

function Picture({ account }: { account: Account }) {
  const w = words().people.profile;
  const { busy, ask } = useAsk();
  return (
    <div class="profile-picture">
      <Avatar address={account.address} name={account.nickname ?? nameOf(account.address)} avatar={account.avatar} size={120} />
      <ChoosePicture
        has={account.avatar !== null}
        busy={busy}
        onChoose={(png) => void ask({ do: "setAvatar", png }, png === null ? w.pictureRemoved : w.pictureSaved)}
      />
    </div>
  );
}

function Name({ account }: { account: Account }) {
  const w = words().people.profile;
  const typed = useSignal(account.nickname ?? "");
  const { busy, ask } = useAsk();
  const changed = typed.value.trim() !== (account.nickname ?? "");
  const save = async (event: Event) => {
    event.preventDefault();
    if (changed) await ask({ do: "setNickname", name: typed.value.trim() }, w.nameSaved);
  };
  return (
    <form class="profile-name" onSubmit={(event) => void save(event)}>
      <TextField
        label={w.name}
        hint={w.nameHint}
        autocomplete="nickname"
        maxLength={100}
        value={typed.value}
        placeholder={nameOf(account.address)}
        onInput={(value) => (typed.value = value)}
      />
      {changed && (
        <Button kind="primary" type="submit" busy={busy}>
          {words().people.save}
        </Button>
      )}
    </form>
  );
}
