// Files that are dragged over the conversation.

import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";

import { fill, words } from "../../i18n";
import { Icon } from "../kit";
import type { Composer } from "./composer/state";
import type { Chat } from "./state";

/** `takes` tells whether files can be added now. */
export function useDrop(composer: Composer, takes: () => boolean) {
  return useMemo(() => {
    const over = signal(false);
    // A drag leaves one element after it has entered the next.
    let depth = 0;
    const files = (event: DragEvent) => takes() && (event.dataTransfer?.types.includes("Files") ?? false);
    return {
      over,
      handlers: {
        onDragEnter: (event: DragEvent) => {
          if (!files(event)) return;
          event.preventDefault();
          depth++;
          over.value = true;
        },
        onDragOver: (event: DragEvent) => {
          if (!files(event)) return;
          event.preventDefault();
          if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
        },
        onDragLeave: (event: DragEvent) => {
          if (!files(event)) return;
          depth = Math.max(0, depth - 1);
          if (depth === 0) over.value = false;
        },
        onDrop: (event: DragEvent) => {
          if (!files(event)) return;
          event.preventDefault();
          depth = 0;
          over.value = false;
          composer.attach([...(event.dataTransfer?.files ?? [])]);
        },
      },
    };
  }, [composer]);
}

export function DropOverlay({ chat }: { chat: Chat }) {
  return (
    <div class="drop" role="status">
      <div class="drop-inside">
        <Icon name="upload" size={40} />
        <p>
          <bdi>{fill(words().chat.drop, { name: chat.name.value })}</bdi>
        </p>
      </div>
    </div>
  );
}
