// Asks for another name: of a contact, of a device.

import { useSignal } from "@preact/signals";

import { words } from "../../i18n";
import { Button, Dialog, TextField } from "../kit";

export interface RenameProps {
  title: string;
  label: string;
  hint: string;
  /** The name it has. */
  name: string;
  /** In characters. */
  longest: number;
  busy: boolean;
  /** Takes the new name, without space around it. */
  onSave: (name: string) => Promise<void>;
  onClose: () => void;
}

export function RenameDialog({ title, label, hint, name, longest, busy, onSave, onClose }: RenameProps) {
  const typed = useSignal(name);
  const save = (event: Event) => {
    event.preventDefault();
    void onSave(typed.value.trim());
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <Button kind="primary" type="submit" form="rename" busy={busy}>
          {words().people.save}
        </Button>
      }
    >
      <form id="rename" class="form" onSubmit={save}>
        <TextField
          label={label}
          hint={hint}
          autocomplete="off"
          autofocus
          maxLength={longest}
          value={typed.value}
          onInput={(value) => (typed.value = value)}
        />
      </form>
    </Dialog>
  );
}
