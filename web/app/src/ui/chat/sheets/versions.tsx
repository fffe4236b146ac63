import type { Message } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Dialog } from "../../kit";
import { brief } from "../logic/times";

/** All texts a message ever had, the newest first. */
export function VersionsDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const say = words().chat;
  const { content, versions } = message;
  const now = content.is === "text" ? content.text : content.is === "file" ? (content.caption ?? "") : "";
  return (
    <Dialog title={say.versionsTitle} onClose={onClose}>
      <ol class="versions">
        <Version when={say.versionNow} text={now} />
        {[...versions].reverse().map((version) => (
          <Version key={version.until} when={fill(say.versionUntil, { time: brief(version.until) })} text={version.text} />
        ))}
      </ol>
    </Dialog>
  );
}

function Version({ when, text }: { when: string; text: string }) {
  return (
    <li class="version">
      <span class="version-when">{when}</span>
      <p class="version-text" dir="auto">
        {text}
      </p>
    </li>
  );
}
