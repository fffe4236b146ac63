import { fill, words } from "../../i18n";
import { Button } from "../kit";
import { uriOf } from "../people/links";
import { Fish } from "../shell/fish";
import { led } from "./arrival";
import { Stage, type StepProps } from "./stage";

/** Nobody invited: an account that exists, or an invitation in the hand. */
export function Choose({ to }: StepProps) {
  const w = words().welcome;
  const group = led.value;
  return (
    <Stage>
      <Fish size={112} />
      <h1 class="welcome-title">{w.hello}</h1>
      <p class="welcome-text">{w.whatItIs}</p>
      {group && (
        <p class="welcome-text" role="status">
          {fill(w.toGroup, { name: group.name ?? group.address })} <a href={uriOf(group)}>{w.toGroupElsewhere}</a>
        </p>
      )}
      <div class="welcome-buttons">
        <Button kind="primary" wide onClick={() => to({ is: "signIn", invitation: null })}>
          {w.haveAccount}
        </Button>
        <Button wide icon="mail" onClick={() => to({ is: "paste" })}>
          {w.haveInvitation}
        </Button>
      </div>
      <section class="welcome-aside">
        <h2>{w.noAccount}</h2>
        <p>{w.closed}</p>
        <p>
          <a href="/about">{w.about}</a>
        </p>
      </section>
    </Stage>
  );
}
