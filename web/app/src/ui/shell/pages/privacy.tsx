import { fill, words } from "../../../i18n";
import { useStore } from "../../../state/use";
import { Avatar, Button, Group, Page, Row, toast } from "../../kit";
import { ask } from "../conversations";

/** Who is blocked, and what the server and others get to know. */
export function Privacy() {
  const store = useStore();
  const w = words().shell;
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
            hint={one.name === one.address ? undefined : <bdi>{one.address}</bdi>}
            end={
              <Button kind="quiet" aria-label={fill(w.unblockSomebody, { name: one.name })} onClick={() => void unblock(one.address, one.name)}>
                {w.unblock}
              </Button>
            }
          />
        ))}
        {blocked.length === 0 && <Row icon="block" label={w.nobodyBlocked} hint={w.nobodyBlockedHint} />}
      </Group>
      <Group title={w.whoSees}>
        <Row icon="lock" label={w.seesMessages} hint={w.seesMessagesHint} />
        <Row icon="device" label={w.seesStore} hint={w.seesStoreHint} />
        <Row icon="people" label={w.seesPresence} hint={w.seesPresenceHint} />
      </Group>
    </Page>
  );
}
