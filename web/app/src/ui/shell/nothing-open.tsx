import { words } from "../../i18n";
import { APPLE } from "./help";
import { Fish } from "./fish";
import "./nothing-open.css";

/** Beside the list, as long as no conversation is open. */
export function NothingOpen() {
  const w = words().shell;
  return (
    <div class="nothing-open">
      <Fish size={112} />
      <p class="nothing-open-title">{w.nothingOpen}</p>
      <p class="nothing-open-text">{APPLE ? w.nothingOpenApple : w.nothingOpenText}</p>
    </div>
  );
}
