import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

import { words } from "../../i18n";
import { Button, openMenu, toast } from "../kit";
import { Crop } from "./crop";
import { base64, bitmapOf } from "./picture";

export interface ChoosePictureProps {
  /** There is one, which can be taken away. */
  has: boolean;
  busy: boolean;
  /** How the button looks. */
  kind?: "plain" | "quiet";
  /** Takes the base64 of a PNG that is small enough for everybody, or none. */
  onChoose: (png: string | null) => void;
}

/** A button that chooses a picture of somebody, or of a group: from a file, cut to a square. */
export function ChoosePicture({ has, busy, kind = "plain", onChoose }: ChoosePictureProps) {
  const w = words().people.profile;
  const file = useRef<HTMLInputElement>(null);
  const chosen = useSignal<ImageBitmap | null>(null);
  const read = async (one: File | undefined) => {
    if (!one) return;
    const picture = await bitmapOf(one);
    if (picture) chosen.value = picture;
    else toast({ text: w.notPicture, problem: true });
  };
  const close = () => {
    chosen.value?.close();
    chosen.value = null;
  };
  const use = async (png: Blob) => {
    close();
    onChoose(await base64(png));
  };
  const choose = () => file.current?.click();
  const press = (at: Element) => {
    if (!has) return choose();
    openMenu({
      label: w.picture,
      at,
      items: [
        { label: w.choosePicture, icon: "image", run: choose },
        { label: w.removePicture, icon: "trash", danger: true, run: () => onChoose(null) },
      ],
    });
  };
  return (
    <>
      <Button kind={kind} icon="camera" busy={busy} onClick={(event) => press(event.currentTarget)}>
        {has ? w.changePicture : w.addPicture}
      </Button>
      <input
        ref={file}
        class="hidden-text"
        type="file"
        accept="image/*"
        tabIndex={-1}
        aria-label={w.choosePicture}
        onChange={(event) => {
          void read(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
      {chosen.value && <Crop picture={chosen.value} onClose={close} onUse={(png) => void use(png)} />}
    </>
  );
}
