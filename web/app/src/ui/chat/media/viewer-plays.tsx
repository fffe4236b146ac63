// A film or a sound in the viewer. It comes when it is asked for, and not because somebody turned the pages.

import { useState } from "preact/hooks";

import { fill, words } from "../../../i18n";
import { Icon, Spinner } from "../../kit";
import { kindOf, legible, typeOf } from "../logic/files";
import type { Chat } from "../state";
import { AudioView } from "./audio";
import { sizeOf } from "./file";
import { Progress } from "./progress";
import { Thumbnail } from "./thumbnail";
import { useTransfer } from "./transfer";
import { useLocal } from "./urls";
import { Film } from "./video";
import { Problem, type Filed } from "./viewer-parts";

export function Plays({ chat, message }: { chat: Chat; message: Filed }) {
  const { file } = message.content;
  if (kindOf(file) === "video") return <Screen chat={chat} message={message} />;
  return (
    <div class="viewer-plays">
      <div class="viewer-sound">
        <AudioView chat={chat} message={message} file={file} tab={0} type={typeOf(file)} />
      </div>
    </div>
  );
}

function Screen({ chat, message }: { chat: Chat; message: Filed }) {
  const say = words().chat;
  const { file } = message.content;
  const local = useLocal(chat.store.core, file.local, typeOf(file));
  const transfer = useTransfer(chat, message, file);
  const [broken, setBroken] = useState(false);
  const again = file.uploaded && { again: () => void chat.fetch(message, true) };
  return (
    <div class="viewer-plays">
      {transfer.busy ? (
        <Progress chat={chat} message={message} file={file} done={transfer.done} tab={0} />
      ) : transfer.failed ? (
        <Problem text={fill(say.fetchFailed, { reason: transfer.failed })} {...again} />
      ) : broken ? (
        <Problem text={say.broken} />
      ) : file.local === null ? (
        <>
          <Thumbnail uri={file.picture?.thumbnail} />
          <button type="button" class="viewer-again viewer-fetch" onClick={() => void chat.fetch(message)}>
            <Icon name="download" size={20} /> {fill(say.fetchSize, { size: sizeOf(file) })}
          </button>
        </>
      ) : local === null ? (
        <Problem text={say.gone} {...again} />
      ) : local ? (
        <Film class="viewer-film" url={local.url} label={`${say.video}: ${legible(file.name)}`} onBroken={() => setBroken(true)} />
      ) : (
        <Spinner size={36} label={say.opening} />
      )}
    </div>
  );
}
