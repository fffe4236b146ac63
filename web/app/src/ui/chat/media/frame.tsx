// The place of a picture or a video. It has its size before anything is there, so that nothing moves.

import type { ComponentChildren } from "preact";

import { fill, words } from "../../../i18n";
import { Button, Icon, type IconName } from "../../kit";
import { legible } from "../logic/files";
import type { FileProps } from "./file";
import { Progress } from "./progress";
import { Thumbnail } from "./thumbnail";
import type { Transfer } from "./transfer";

export interface FrameProps extends FileProps {
  transfer: Transfer;
  /** Pixels; the height follows from the sides. */
  width: number;
  sides: { width: number; height: number };
  /** The small picture that came with it stands in for it. */
  blurred: boolean;
  /** What the button to fetch it shows and says. */
  icon: IconName;
  iconSize: number;
  says: string;
  class?: string;
  /** What is shown once it is here. */
  children: ComponentChildren;
}

export function Frame(props: FrameProps) {
  const { chat, message, file, tab, transfer, sides, says } = props;
  return (
    <div
      class={props.class ? `picture ${props.class}` : "picture"}
      style={{ width: `${props.width}px`, aspectRatio: `${sides.width} / ${sides.height}` }}
    >
      {props.blurred && <Thumbnail uri={file.picture?.thumbnail} />}
      {props.children}
      {transfer.busy ? (
        <div class="picture-over">
          <Progress chat={chat} message={message} file={file} done={transfer.done} tab={tab} />
        </div>
      ) : (
        file.local === null && (
          <button
            type="button"
            class="picture-fetch"
            tabIndex={tab}
            aria-label={`${says}: ${legible(file.name)}`}
            onClick={() => void chat.fetch(message)}
          >
            <Icon name={transfer.failed ? "retry" : props.icon} size={transfer.failed ? 24 : props.iconSize} />
            <span>{says}</span>
          </button>
        )
      )}
    </div>
  );
}

interface UnshownProps extends FileProps {
  icon: IconName;
  gone: boolean;
  transfer: Transfer;
}

/** It cannot be drawn, or is no longer on this device: then it can be fetched again. */
export function Unshown({ chat, message, file, tab, icon, gone, transfer }: UnshownProps) {
  const say = words().chat;
  if (transfer.busy) return <Progress chat={chat} message={message} file={file} done={transfer.done} tab={tab} />;
  return (
    <div class="bubble-text bubble-quiet">
      <p>
        <Icon name={icon} size={18} /> {!gone ? say.broken : transfer.failed ? fill(say.fetchFailed, { reason: transfer.failed }) : say.gone}
      </p>
      {gone && file.uploaded && (
        <Button kind="quiet" icon="download" tabIndex={tab} onClick={() => void chat.fetch(message, true)}>
          {say.fetchAgain}
        </Button>
      )}
    </div>
  );
}
