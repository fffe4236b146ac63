// A file that is dropped where nothing takes it would replace the app: the browser opens it.

/** Lets nothing be dropped but where it is taken. */
export function guardDrops(target: EventTarget = globalThis): void {
  const files = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  for (const what of ["dragover", "drop"]) {
    target.addEventListener(what, (event) => {
      const drag = event as DragEvent;
      // Whoever takes it has said so by now.
      if (drag.defaultPrevented || !files(drag)) return;
      drag.preventDefault();
      if (drag.dataTransfer) drag.dataTransfer.dropEffect = "none";
    });
  }
}
