import { words } from "../../i18n";
import { Dialog } from "../kit";
import { helping } from "./keys";
import "./help.css";

/** Keys have other names there. */
export const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The keys, on a page of their own. */
export function Help() {
  if (!helping.value) return null;
  const w = words().shell;
  const command = APPLE ? "⌘" : w.keyNames.control;
  const alt = APPLE ? "⌥" : w.keyNames.alt;
  const enter = w.keyNames.enter;
  const lines: [string, string[][]][] = [
    [w.keys.jump, [[command, "K"]]],
    [w.keys.nextUnread, [[alt, "A"]]],
    [w.keys.nextChat, [[alt, "↓"], [alt, "↑"]]],
    [w.keys.search, [["/"]]],
    [w.keys.move, [["↑"], ["↓"]]],
    [w.keys.open, [[enter]]],
    [w.keys.menu, [[w.keyNames.shift, "F10"]]],
    [w.keys.send, [[enter]]],
    [w.keys.newLine, [[w.keyNames.shift, enter]]],
    [w.keys.editLast, [["↑"]]],
    [w.keys.leave, [["Esc"]]],
    [w.keys.help, [["?"]]],
  ];
  return (
    <Dialog title={w.keyboard} onClose={() => (helping.value = false)}>
      <dl class="help">
        {lines.map(([what, ways]) => (
          <div class="help-line" key={what}>
            <dt>{what}</dt>
            <dd>
              {ways.map((way, index) => (
                <span class="help-way" key={index}>
                  {way.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
