// The dialogs of a conversation; one at most is open.

import { words } from "../../../i18n";
import { react } from "../actions/menu";
import { QuickPopover } from "../actions/quick";
import { EmojiPopover } from "../emoji/popover";
import { Gallery } from "../media/gallery";
import { Viewer } from "../media/viewer";
import type { Chat } from "../state";
import { MessageDialog } from "./details";
import { ForwardDialog } from "./forward";
import { ReactionsDialog } from "./reactions";
import { ReadersDialog } from "./readers";
import { VersionsDialog } from "./versions";
import "./sheets.css";

export function Sheets({ chat }: { chat: Chat }) {
  const sheet = chat.sheet.value;
  const close = () => (chat.sheet.value = null);
  if (!sheet) return null;
  switch (sheet.is) {
    case "readers":
      return <ReadersDialog chat={chat} onClose={close} />;
    case "gallery":
      return <Gallery chat={chat} />;
    case "viewer":
      return <Viewer chat={chat} message={sheet.message} />;
    case "forward":
      return <ForwardDialog chat={chat} messages={sheet.messages} onClose={close} />;
  }
  const message = chat.message(sheet.message);
  if (!message) return null;
  switch (sheet.is) {
    case "details":
      return <MessageDialog chat={chat} message={message} onClose={close} />;
    case "versions":
      return <VersionsDialog message={message} onClose={close} />;
    case "reactions":
      return <ReactionsDialog chat={chat} message={message} emoji={sheet.emoji} onClose={close} />;
    case "quick":
      return <QuickPopover label={words().chat.react} chat={chat} message={message} at={sheet.at} onClose={close} />;
    case "react":
      return (
        <EmojiPopover
          at={null}
          onPick={(emoji) => {
            close();
            react(chat, message, emoji);
          }}
          onClose={close}
        />
      );
  }
}
