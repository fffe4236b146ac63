import { useSignal } from "@preact/signals";

import { words } from "../../i18n";
import { Button, TextField } from "../kit";
import { Fish } from "../shell/fish";
import { parseLink } from "../people/links";
import { QrScan } from "../people/scan";
import { Stage, type StepProps } from "./stage";

/** An invitation that came some other way: as text, or as a code on paper or another screen. */
export function Paste({ to }: StepProps) {
  const w = words().welcome;
  const typed = useSignal("");
  const problem = useSignal<string | null>(null);
  const scanning = useSignal(false);
  const take = (text: string): string | null => {
    const link = parseLink(text);
    if (link?.is === "room") return w.invitationToGroup;
    if (link?.is !== "invitation") return w.invitationWrong;
    to({ is: "invited", invitation: link });
    return null;
  };
  return (
    <Stage>
      <Fish size={72} />
      <h1 class="welcome-title">{w.invitationTitle}</h1>
      <p class="welcome-text">{w.invitationText}</p>
      <form
        class="welcome-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          problem.value = take(typed.value);
        }}
      >
        <TextField
          label={w.invitationLink}
          hint={w.invitationHint}
          type="url"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={typed.value}
          error={problem.value}
          onInput={(value) => {
            typed.value = value;
            problem.value = null;
          }}
        />
        <Button kind="primary" wide type="submit">
          {w.goOn}
        </Button>
      </form>
      <div class="welcome-buttons">
        <Button wide icon="qr" onClick={() => (scanning.value = true)}>
          {w.scan}
        </Button>
        <Button kind="quiet" wide onClick={() => to({ is: "choose" })}>
          {w.back}
        </Button>
      </div>
      {scanning.value && (
        <QrScan
          title={w.scan}
          onClose={() => (scanning.value = false)}
          onFound={(text) => {
            const wrong = take(text);
            if (wrong === null) scanning.value = false;
            return wrong;
          }}
        />
      )}
    </Stage>
  );
}
