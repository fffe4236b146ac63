import { ICONS, TURNING, type IconName } from "./icons";
import "./icon.css";

/** A drawing. It says nothing to those who listen: whatever holds it has the words. */
export function Icon({ name, size = 24 }: { name: IconName; size?: number }) {
  return (
    <svg
      class={TURNING.has(name) ? "icon icon-turning" : "icon"}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={ICONS[name]} />
    </svg>
  );
}
