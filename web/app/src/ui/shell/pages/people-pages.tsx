import type { ComponentChildren } from "preact";

import { Devices, Profile } from "../../people";

/** Pages of the settings that are about people and devices. */
export const PEOPLE_PAGES: Record<string, () => ComponentChildren> = {
  profile: () => <Profile />,
  devices: () => <Devices address={null} />,
};
