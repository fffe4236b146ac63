// Making a group, or a channel.

import { useSignal } from "@preact/signals";

import { words } from "../../../i18n";
import { go } from "../../../route";
import { useStore } from "../../../state/use";
import { Button, Page, TextField } from "../../kit";
import { nameOf as localPart } from "../address";
import { useAsk } from "../ask";
import { PeoplePicker } from "./picker";
import "../people.css";

const LONGEST_NAME = 100;

/** A private group: its name, and who is in it. */
export function NewGroup() {
  const store = useStore();
  const w = words().rooms;
  const name = useSignal("");
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const { busy, ask } = useAsk();
  const afterPeople = () => {
    const account = store.account.value;
    const own = account?.nickname ?? localPart(account?.address ?? "");
    const others = [...chosen.value].map((one) => store.contact(one)?.name ?? localPart(one));
    return [...others, own].join(", ").slice(0, LONGEST_NAME);
  };
  const make = async (event: Event) => {
    event.preventDefault();
    const made = await ask({
      do: "createRoom",
      address: null,
      name: name.value.trim() || afterPeople(),
      public: false,
      people: [...chosen.value],
    });
    if (made?.is === "room") go({ at: "chat", address: made.address, message: null }, true);
  };
  return (
    <Page title={w.newGroup}>
      <form class="people-form" noValidate onSubmit={(event) => void make(event)}>
        <TextField
          label={w.create.name}
          hint={w.create.nameHint}
          autocomplete="off"
          maxLength={LONGEST_NAME}
          value={name.value}
          onInput={(value) => (name.value = value)}
        />
        <section aria-label={w.create.people}>
          <PeoplePicker chosen={chosen} without={new Set()} />
        </section>
        <div class="people-foot">
          <Button kind="primary" type="submit" icon="people" busy={busy} wide disabled={chosen.value.size === 0 && name.value.trim() === ""}>
            {w.create.make}
          </Button>
        </div>
      </form>
    </Page>
  );
}

/** A channel that is open to everybody. */
export function NewChannel() {
  const w = words().rooms;
  const name = useSignal("");
  const tried = useSignal(false);
  const { busy, ask } = useAsk();
  const make = async (event: Event) => {
    event.preventDefault();
    tried.value = true;
    const called = name.value.trim();
    if (called === "") return;
    const made = await ask({ do: "createRoom", address: null, name: called, public: true, people: [] });
    if (made?.is === "room") go({ at: "chat", address: made.address, message: null }, true);
  };
  return (
    <Page title={w.newChannel}>
      <form class="people-form" noValidate onSubmit={(event) => void make(event)}>
        <TextField
          label={w.create.channelName}
          hint={w.create.channelNameHint}
          autocomplete="off"
          maxLength={LONGEST_NAME}
          value={name.value}
          error={tried.value && name.value.trim() === "" ? w.create.nameMissing : null}
          onInput={(value) => (name.value = value)}
        />
        <p class="people-text">{w.create.channelText}</p>
        <Button kind="primary" type="submit" icon="globe" busy={busy} wide>
          {w.create.makeChannel}
        </Button>
      </form>
    </Page>
  );
}
