import type { ComponentChildren } from "preact";

import "./spinner.css";

/** Something is at work. `label` says what; without it, whatever is around says so. */
export function Spinner({ size = 24, label }: { size?: number; label?: string }) {
  return (
    <span class="spinner" role={label ? "status" : undefined}>
      <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <circle class="spinner-track" cx="12" cy="12" r="9" />
        <path class="spinner-arc" d="M12 3a9 9 0 0 1 9 9" />
      </svg>
      {label && <VisuallyHidden>{label}</VisuallyHidden>}
    </span>
  );
}

/** Words for those who listen. */
export function VisuallyHidden({ children }: { children: ComponentChildren }) {
  return <span class="hidden-text">{children}</span>;
}
