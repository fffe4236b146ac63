import { words } from "../../i18n";
import { Button } from "../kit";
import { Fish } from "../shell/fish";
import type { Invitation } from "../people/links";
import { copy } from "../people/share";
import { Stage } from "./stage";

interface HomeScreenProps {
  invitation: Invitation | null;
  onAnyway: () => void;
}

/** Before there are keys that would be lost: the way to the Home Screen of an iPhone or iPad. */
export function HomeScreen({ invitation, onAnyway }: HomeScreenProps) {
  const w = words().welcome;
  return (
    <Stage>
      <Fish size={96} />
      <h1 class="welcome-title">{w.iosTitle}</h1>
      <p class="welcome-text">{w.iosWhy}</p>
      <ol class="welcome-steps">
        {w.iosSteps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <div class="welcome-buttons">
        {invitation && (
          <>
            <p class="welcome-text">{w.iosInvitation}</p>
            <Button kind="primary" wide icon="copy" onClick={() => void copy(pageOf(invitation))}>
              {w.iosCopy}
            </Button>
          </>
        )}
        <Button kind="quiet" wide onClick={onAnyway}>
          {w.iosAnyway}
        </Button>
      </div>
    </Stage>
  );
}

/** A link that leads here again. */
function pageOf({ token, inviter, server, name }: Invitation): string {
  const parts = [token, inviter ?? server ?? "", name ?? ""].map(encodeURIComponent);
  return `${location.origin}/#/invite/${parts.join("/")}`;
}
