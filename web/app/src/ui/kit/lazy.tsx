import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Spinner } from "./spinner";
import "./lazy.css";

/** A component whose script is loaded when it is first drawn. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let ready: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const [, again] = useState(0);
    const [failed, setFailed] = useState<unknown>(null);
    useEffect(() => {
      if (ready) return;
      let wanted = true;
      load().then(
        (loaded) => {
          ready = loaded;
          if (wanted) again((n) => n + 1);
        },
        (error: unknown) => wanted && setFailed(error),
      );
      return () => {
        wanted = false;
      };
    }, []);
    // The page says so, and offers to load again.
    if (failed !== null) throw failed;
    const Ready = ready;
    return Ready ? <Ready {...props} /> : <Loading />;
  };
}

/** Shows itself only when it takes a while. */
function Loading() {
  return (
    <div class="lazy" aria-busy="true">
      <Spinner />
    </div>
  );
}
