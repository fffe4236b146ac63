import { useEffect, useState } from "preact/hooks";

import type { Core } from "../../core/api";
import { useStore } from "../../state/use";
import { colours } from "./colour";
import { Icon } from "./icon";
import { initials } from "./initials";
import { standing } from "./moving";
import { drawable } from "./sides";
import "./avatar.css";

export interface AvatarProps {
  /** Whose: gives the colour. */
  address: string;
  name: string;
  /** Names the picture for the core. */
  avatar: string | null | undefined;
  /** Pixels on a side. */
  size?: number;
  /** It is not one person but several. */
  group?: boolean;
}

/**
 * A person's picture, or their initials on their colour. It says nothing to those who listen: the
 * name is next to it.
 */
export function Avatar({ address, name, avatar, size = 48, group = false }: AvatarProps) {
  const url = usePicture(avatar ?? null);
  const letters = initials(name);
  const { ground, letters: ink } = colours(address);
  const side = `${size}px`;
  return (
    <span
      class={group ? "avatar avatar-group" : "avatar"}
      aria-hidden="true"
      style={{
        inlineSize: side,
        blockSize: side,
        fontSize: `${Math.round(size * 0.4)}px`,
        background: ground,
        color: ink,
      }}
    >
      {letters ?? <Icon name={group ? "people" : "person"} size={Math.round(size * 0.55)} />}
      {url && <img class="avatar-picture" src={url} alt="" draggable={false} />}
    </span>
  );
}

/** The address of a picture in this page, once its bytes are here. */
export function usePicture(avatar: string | null): string | null {
  const { core } = useStore();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    setUrl(null);
    if (avatar === null) return;
    let wanted = true;
    const picture = take(core, avatar);
    void picture.url.then((ready) => {
      if (wanted) setUrl(ready);
    });
    return () => {
      wanted = false;
      picture.users -= 1;
      tidy();
    };
  }, [core, avatar]);
  return avatar === null ? null : url;
}

/** A picture and how many parts of the page show it. */
interface Picture {
  users: number;
  url: Promise<string | null>;
}

/** Pictures that are kept although nothing shows them, so that scrolling back is free. */
const KEPT = 300;
const pictures = new Map<string, Picture>();

function take(core: Core, avatar: string): Picture {
  const found = pictures.get(avatar);
  if (found) {
    found.users += 1;
    return found;
  }
  // Many of them are on the screen at once, and nothing could stop them.
  const fetched = core.picture(avatar).then(async (blob) => {
    if (!blob || !(await drawable(blob))) return null;
    return standing(blob);
  });
  const url = fetched.then(
    (blob) => {
      if (!blob) pictures.delete(avatar); // Asked for again the next time.
      return blob ? URL.createObjectURL(blob) : null;
    },
    () => {
      pictures.delete(avatar);
      return null;
    },
  );
  const picture = { users: 1, url };
  pictures.set(avatar, picture);
  return picture;
}

function tidy(): void {
  if (pictures.size <= KEPT) return;
  for (const [avatar, picture] of pictures) {
    if (picture.users > 0) continue;
    pictures.delete(avatar);
    void picture.url.then((url) => url && URL.revokeObjectURL(url));
    if (pictures.size <= KEPT) return;
  }
}
