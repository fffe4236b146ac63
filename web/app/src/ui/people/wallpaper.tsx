// What stands behind the messages of one chat.

import { words } from "../../i18n";
import { isWallpaper } from "../chat/logic/wallpaper";
import { Wallpapers } from "../chat/wallpapers";
import { Group } from "../kit";
import { useAsk } from "./ask";

export function ChatWallpaper({ address, value }: { address: string; value: string | null }) {
  const w = words().shell;
  const { ask } = useAsk();
  return (
    <Group>
      <div class="wallpaper-choice">
        <Wallpapers<"usual">
          label={w.wallpaperHere}
          value={isWallpaper(value) ? value : "usual"}
          more={[{ value: "usual", label: w.wallpaperUsual }]}
          onChange={(chosen) => void ask({ do: "setWallpaper", address, wallpaper: chosen === "usual" ? null : chosen })}
        />
      </div>
    </Group>
  );
}
