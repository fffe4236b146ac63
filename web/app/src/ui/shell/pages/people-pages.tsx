import type { ComponentChildren } from "preact";

/** Pages of the settings that are about people and devices. */
export const PEOPLE_PAGES: Record<string, () => ComponentChildren> = {};
