import type { Privacy as Told } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Address, Avatar, Button, Group, Page, Row, Switch, toast } from "../../kit";
import { ask } from "../../ask";

/** What contacts get to know of what is done here. */
function Shown({ privacy }: { privacy: Told }) {
  const store = useStore();
  const w = words().shell;
  const change = (what: Partial<Told>) => void ask(store, { do: "setPrivacy", privacy: { ...privacy, ...what } });
  return (
    <Group title={w.shownToContacts}>
      <Switch label={w.showTyping} hint={w.showTypingHint} on={privacy.typing} onChange={(typing) => change({ typing })} />
      <Switch label={w.showRead} hint={w.showReadHint} on={privacy.read} onChange={(read) => change({ read })} />
      <Switch label={w.showIdle} hint={w.showIdleHint} on={privacy.idle} onChange={(idle) => change({ idle })} />
    </Group>
  );
}

/** Who is blocked, and what the server and others get to know. */
export function Privacy() {
  const store = useStore();
  const w = words().shell;
  const account = store.account.value;
  const blocked = [...store.contacts.value.values()]
    .filter((one) => one.blocked)
    .sort((a, b) => a.name.localeCompare(b.name));
  const unblock = async (address: string, name: string) => {
    if (await ask(store, { do: "unblock", address })) toast(fill(w.unblocked, { name }));
  };
  return (
    <Page title={w.privacy}>
      <Group title={w.blockedPeople}>
        {blocked.map((one) => (
          <Row
            key={one.address}
            start={<Avatar address={one.address} name={one.name} avatar={one.avatar} size={40} />}
            label={<bdi>{one.name}</bdi>}
            hint={one.name === one.address ? undefined : <Address text={one.address} />}
            end={
              <Button kind="quiet" aria-label={fill(w.unblockSomebody, { name: one.name })} onClick={() => void unblock(one.address, one.name)}>
                {w.unblock}
              </Button>
            }
          />
        ))}
        {blocked.length === 0 && <Row icon="block" label={w.nobodyBlocked} hint={w.nobodyBlockedHint} />}
      </Group>
      {account && <Shown privacy={account.privacy} />}
      <Group title={w.whoSees}>
        <Row icon="lock" label={w.seesMessages} hint={w.seesMessagesHint} />
        <Row icon="device" label={w.seesStore} hint={w.seesStoreHint} />
        <Row icon="people" label={w.seesPresence} hint={w.seesPresenceHint} />
      </Group>
    </Page>
  );
}
