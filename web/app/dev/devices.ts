// Whose devices there are in the sample, and what can be decided about them.

import type { Command, Device, Notice, Outcome } from "../src/core/types";
import { DONE } from "./made";

export class Devices {
  readonly #known = new Map<string, Device[]>();
  readonly #own: () => string;
  readonly #say: (notice: Notice) => void;

  /** `own` is the address of the account, `say` tells the page. */
  constructor(own: () => string, say: (notice: Notice) => void) {
    this.#own = own;
    this.#say = say;
  }

  /** Tells the devices of somebody. */
  show(address: string): Outcome {
    const devices = this.#of(address);
    this.#say({ is: "devices", address, devices });
    return { is: "devices", devices };
  }

  /** Renames the own one, removes another, or decides about a key. */
  change(command: Command): Outcome {
    const own = this.#own();
    const address = command.do === "trust" ? command.address : own;
    const devices = this.#of(address)
      .filter((one) => command.do !== "removeDevice" || one.id !== command.id)
      .map((one) => {
        if (command.do === "trust" && one.key === command.key) return { ...one, trust: command.level };
        if (command.do === "setDeviceLabel" && one.this) return { ...one, label: command.label };
        return one;
      });
    this.#known.set(address, devices);
    this.#say({ is: "devices", address, devices });
    return DONE;
  }

  #of(address: string): Device[] {
    const known = this.#known.get(address);
    if (known) return known;
    const own = address === this.#own();
    const made = [
      device(own ? 31415 : 27182, own ? "Clownfish in Firefox" : "Phone", own ? "verified" : "blind", { this: own }),
      device(own ? 14142 : 16180, "Laptop", "verified"),
      device(own ? 17320 : 66743, null, own ? "blind" : "undecided", { lastUsed: Date.now() - 140 * 86_400_000, unused: true }),
      device(own ? 22360 : 25029, "Old tablet", "distrusted", { active: false }),
    ];
    this.#known.set(address, made);
    return made;
  }
}

function device(id: number, label: string | null, trust: Device["trust"], more: Partial<Device> = {}): Device {
  const key = id.toString(16).padStart(8, "0").repeat(8);
  const fingerprint = key.replace(/(.{8})(?=.)/g, "$1 ");
  return { id, this: false, label, key, fingerprint, trust, active: true, lastUsed: Date.now() - 3_600_000, unused: false, ...more };
}
