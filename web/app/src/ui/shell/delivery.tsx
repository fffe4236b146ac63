import { words } from "../../i18n";
import type { Delivery } from "../../core/types";
import { Icon, VisuallyHidden, type IconName } from "../kit";
import "./delivery.css";

const ICON: Record<Delivery["is"], IconName> = {
  queued: "clock",
  sent: "check",
  delivered: "checks",
  read: "checks",
  failed: "alert",
};

/** How far a message got: a clock, one tick, two, two in colour; or that it did not. */
export function DeliveryMark({ delivery, size = 16 }: { delivery: Delivery; size?: number }) {
  return (
    <span class={`delivery delivery-${delivery.is}`}>
      <Icon name={ICON[delivery.is]} size={size} />
      <VisuallyHidden>{words().shell.delivery[delivery.is]}</VisuallyHidden>
    </span>
  );
}
