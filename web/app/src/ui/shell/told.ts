import { useEffect, useState } from "preact/hooks";

import { fill, words } from "../../i18n";
import { useStore } from "../../state/use";
import { current, muted } from "./conversations";

/** Words for those who listen: who wrote, where that is not on screen. */
export function useTold(): string {
  const store = useStore();
  const [told, setTold] = useState("");
  useEffect(() => {
    let before: ReadonlyMap<string, number> | null = null;
    return store.list.subscribe((list) => {
      const counts = new Map(list.map((one) => [one.address, one.unread]));
      const fresh = list.find(
        (one) =>
          before !== null &&
          !one.request &&
          one.unread > (before.get(one.address) ?? 0) &&
          one.address !== current() &&
          !muted(one.mute, Date.now()),
      );
      before = counts;
      if (fresh) setTold(fill(words().shell.wrote, { name: fresh.name, n: fresh.unread }));
    });
  }, [store]);
  return told;
}
