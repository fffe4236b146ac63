import { useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { Button, Dialog, Switch } from "../../kit";
import type { SheetProps } from "./readers";

/** Asks before somebody is blocked; they can be reported as well. */
export function BlockDialog({ chat, onClose }: SheetProps) {
  const say = words().chat;
  const [report, setReport] = useState(false);
  const name = chat.name.value;
  const block = () => {
    onClose();
    void chat.try({ do: "block", address: chat.address, report });
  };
  return (
    <Dialog
      title={fill(say.blockTitle, { name })}
      onClose={onClose}
      actions={
        <>
          <Button kind="quiet" onClick={onClose}>
            {say.cancel}
          </Button>
          <Button kind="danger" onClick={block}>
            {say.block}
          </Button>
        </>
      }
    >
      <p class="sheet-text" dir="auto">
        {fill(say.blockText, { name })}
      </p>
      <Switch label={say.blockReport} on={report} onChange={setReport} />
    </Dialog>
  );
}
