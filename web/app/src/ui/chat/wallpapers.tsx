// Choosing what stands behind the messages.

import { words } from "../../i18n";
import { Choice } from "../kit";
import { WALLPAPERS, type Wallpaper } from "./logic/wallpaper";
import "./wallpaper.css";

export interface WallpapersProps<More extends string> {
  label: string;
  value: Wallpaper | More;
  /** What can be chosen besides, before all others. */
  more?: readonly { value: More; label: string }[];
  onChange: (value: Wallpaper | More) => void;
}

export function Wallpapers<More extends string = never>({ label, value, more = [], onChange }: WallpapersProps<More>) {
  const names = words().shell.wallpapers;
  const all = WALLPAPERS.map((one) => ({
    value: one,
    label: names[one],
    mark: <span class="wallpaper-mark" data-wallpaper={one} aria-hidden="true" />,
  }));
  return <Choice<Wallpaper | More> label={label} value={value} options={[...more, ...all]} onChange={onChange} />;
}
