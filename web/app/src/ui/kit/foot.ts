import { useLayoutEffect, useRef } from "preact/hooks";

/** An element at the bottom of the screen with something to press in it: what is said in passing stands above it. */
export function useFoot<T extends HTMLElement>() {
  const foot = useRef<T>(null);
  useLayoutEffect(() => {
    const element = foot.current;
    if (!element) return;
    const { style } = document.documentElement;
    const watch = new ResizeObserver(() => style.setProperty("--foot", `${element.offsetHeight}px`));
    watch.observe(element);
    return () => {
      watch.disconnect();
      style.removeProperty("--foot");
    };
  }, []);
  return foot;
}
