import type { Point } from "./press";

const MARGIN = 8;

/** Puts a fixed element at a point, or below (else above) another element, wholly in the window. */
export function place(element: HTMLElement, at: Point | Element): void {
  // Not the bounding box: an animation may have made it smaller for now.
  const own = { width: element.offsetWidth, height: element.offsetHeight };
  const rtl = getComputedStyle(element).direction === "rtl";
  const box =
    at instanceof Element
      ? at.getBoundingClientRect()
      : { left: at.x, right: at.x, top: at.y, bottom: at.y };
  // It grows away from the edge that is nearer, in the direction of reading where both have room.
  const towardsEnd = rtl ? box.right - own.width : box.left;
  const towardsStart = rtl ? box.left : box.right - own.width;
  const fits = (x: number) => x >= MARGIN && x + own.width <= innerWidth - MARGIN;
  const x = fits(towardsEnd) ? towardsEnd : fits(towardsStart) ? towardsStart : towardsEnd;
  const below = box.bottom + (at instanceof Element ? 4 : 0);
  const above = box.top - own.height - (at instanceof Element ? 4 : 0);
  const y = below + own.height <= innerHeight - MARGIN || above < MARGIN ? below : above;
  element.style.left = `${clamp(x, innerWidth - own.width)}px`;
  element.style.top = `${clamp(y, innerHeight - own.height)}px`;
}

function clamp(value: number, most: number): number {
  return Math.max(MARGIN, Math.min(value, most - MARGIN));
}
