// A name for somebody who has not thought of one yet: nobody has to invent something to come in.

import { words } from "../../i18n";
import { below } from "./password";

interface Words {
  names: readonly [readonly string[], readonly string[]];
  namesBetween: string;
}

/** Two words of a language, one of each list. */
export function proposedName({ names, namesBetween }: Words, random: (below: number) => number): string {
  return names.map((list) => list[random(list.length)] ?? "").join(namesBetween);
}

let proposed: string | undefined;

/** The name that is proposed for a new account: the same until the page is left. */
export function nameProposal(): string {
  proposed ??= proposedName(words().welcome, below);
  return proposed;
}
