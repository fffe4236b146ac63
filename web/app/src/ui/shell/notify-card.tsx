import { words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, Icon } from "../kit";
import { askPermission, permission } from "./notify";
import { change, settings } from "./settings";
import "./notify-card.css";

/** Offers notifications, once there is somebody to hear from; until it is answered. */
export function NotifyCard() {
  const store = useStore();
  const w = words().shell;
  const { notify, notifyAsked } = settings.value;
  if (permission.value !== "default" || notifyAsked || !notify) return null;
  if (!store.list.value.some((one) => one.preview !== null && !one.request)) return null;
  const answer = async (yes: boolean) => {
    if (yes) await askPermission();
    change({ notifyAsked: true });
  };
  return (
    <section class="notify-card" aria-label={w.notifications}>
      <span class="notify-card-icon" aria-hidden="true">
        <Icon name="bell" size={20} />
      </span>
      <p>{w.notifyOffer}</p>
      <div class="notify-card-actions">
        <Button kind="quiet" onClick={() => void answer(false)}>
          {w.notNow}
        </Button>
        <Button kind="plain" onClick={() => void answer(true)}>
          {w.turnOn}
        </Button>
      </div>
    </section>
  );
}
