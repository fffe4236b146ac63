// Parts that the details of a person and of a room have in common.

import type { ComponentChildren } from "preact";

import { Icon, type IconName } from "../kit";
import "./details.css";

/** Says something that can be acted upon. */
export function Card({ icon, text, children }: { icon: IconName; text: string; children?: ComponentChildren }) {
  return (
    <div class="person-card">
      <p class="person-card-text">
        <Icon name={icon} size={20} />
        <span>{text}</span>
      </p>
      {children && <div class="person-card-buttons">{children}</div>}
    </div>
  );
}

interface TileProps {
  icon: IconName;
  label: string;
  hint?: string | undefined;
  onClick: (event: MouseEvent) => void;
}

/** One of the things that are done most. */
export function Tile({ icon, label, hint, onClick }: TileProps) {
  return (
    <button type="button" class="quick-tile" title={hint} onClick={onClick}>
      <Icon name={icon} size={24} />
      <span>{label}</span>
    </button>
  );
}

