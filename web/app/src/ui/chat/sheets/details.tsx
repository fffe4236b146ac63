// Everything that is known about a message.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import type { Message, Reached, Trust } from "../../../core/types";
import { fill, words } from "../../../i18n";
import { Dialog } from "../../kit";
import { legible, typeOf } from "../logic/files";
import { counted } from "../logic/rows";
import { brief, exact } from "../logic/times";
import { sizeOf } from "../media/file";
import type { Chat } from "../state";
import { isUnsent, stateOf, why } from "../timeline/describe";
import type { SheetProps } from "./readers";

export function MessageDialog({ chat, message, onClose }: SheetProps & { message: Message }) {
  const say = words().chat;
  const { content, delivery, encryption, reached, sender } = message;
  // Whose labels are shown: the sender's, and those of whom it is written to.
  const told = reached.some((one) => one.device !== null);
  useEffect(() => {
    // A room that hides addresses has no devices itself.
    if (sender !== chat.address || !chat.isRoom.peek()) void chat.ask({ do: "devices", address: sender });
    if (told && sender !== chat.address) void chat.ask({ do: "devices", address: chat.address });
  }, [sender, told]);
  const used =
    encryption.is === "omemo"
      ? chat.store.devices.value.get(sender)?.find((one) => one.id === encryption.device)
      : undefined;
  const reactions = counted(message, chat.self, chat.address);
  return (
    <Dialog title={say.detailsTitle} onClose={onClose}>
      <dl class="facts">
        <Fact name={say.detailFrom}>
          <bdi>{chat.authorName(message)}</bdi> <bdi class="facts-quiet">{sender}</bdi>
        </Fact>
        <Fact name={say.detailTime}>{exact(message.time)}</Fact>
        {delivery && <Fact name={say.detailState}>{stateOf(chat, message, delivery)}</Fact>}
        {reached.length > 0 && (
          <Fact name={say.detailReached}>
            <ul class="facts-devices">
              {reached.map((one, at) => (
                <li key={one.device ?? -1 - at}>
                  <bdi>{nameOf(chat, one)}</bdi>
                  <Since name={say.reachedDelivered} time={one.delivered} />
                  <Since name={say.reachedRead} time={one.read} />
                </li>
              ))}
            </ul>
          </Fact>
        )}
        {content.is === "undecryptable" ? (
          <Fact name={say.detailEncryption}>{why(content.why)}</Fact>
        ) : (
          <Fact name={say.detailEncryption}>{protection(chat, message)}</Fact>
        )}
        {encryption.is === "omemo" && (
          <Fact name={say.detailDevice}>
            <bdi>
              {used?.this ? say.deviceThis : used?.label ? fill(say.deviceNamed, { label: used.label, id: encryption.device }) : encryption.device}
            </bdi>
            <span class="facts-quiet"> {trusted(encryption.trust)}</span>
          </Fact>
        )}
        {used?.fingerprint && (
          <Fact name={say.detailKey}>
            <code class="facts-key">{used.fingerprint}</code>
          </Fact>
        )}
        {content.is === "file" && (
          <Fact name={say.detailFile}>
            <bdi>{legible(content.file.name)}</bdi>
            <span class="facts-quiet">
              {" "}
              {sizeOf(content.file)} · {typeOf(content.file)}
            </span>
          </Fact>
        )}
        {reactions.length > 0 && (
          <Fact name={say.detailReactions}>
            {reactions.map((one) => (
              <p key={one.emoji}>
                {one.emoji.slice(0, 40)} <bdi>{one.senders.map((by) => chat.nameOf(by)).join(", ")}</bdi>
              </p>
            ))}
          </Fact>
        )}
        {message.versions.length > 0 && (
          <Fact name={say.detailVersions}>
            {message.versions.map((version) => (
              <p key={version.until} dir="auto" class="facts-version">
                {version.text} <span class="facts-quiet">{fill(say.versionUntil, { time: brief(version.until) })}</span>
              </p>
            ))}
          </Fact>
        )}
      </dl>
    </Dialog>
  );
}

/** What its owner calls a device, or what its program calls itself. */
function nameOf(chat: Chat, one: Reached): string {
  const known = one.device === null ? [] : (chat.store.devices.value.get(chat.address) ?? []);
  const label = known.find((device) => device.id === one.device)?.label;
  return label ?? one.program ?? words().chat.deviceUnnamed;
}

function Since({ name, time }: { name: string; time: number | null }) {
  if (time === null) return null;
  return (
    <p class="facts-quiet">
      {name} <time dateTime={new Date(time).toISOString()}>{brief(time)}</time>
    </p>
  );
}

function protection(chat: Chat, message: Message): string {
  const say = words().chat;
  if (message.encryption.is === "omemo") return say.encryptedWith;
  return chat.encrypted && isUnsent(message) ? say.encryptedLater : say.encryptedNot;
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt class="fact-name">{name}</dt>
      <dd class="fact-value">{children}</dd>
    </div>
  );
}

function trusted(trust: Trust): string {
  const say = words().chat;
  switch (trust) {
    case "undecided":
      return say.trustUndecided;
    case "blind":
      return say.trustBlind;
    case "verified":
      return say.trustVerified;
    case "distrusted":
      return say.trustDistrusted;
  }
}
