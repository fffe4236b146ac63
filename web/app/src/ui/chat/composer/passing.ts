// Texts on their way into the timeline, by conversation. They are part of the draft until the core has their
// message: a page may end at any moment, and what was written is then where it was.

const passing = new Map<string, readonly { text: string }[]>();

/** Adds a text, which was in the field as it is; what is given back ends it. */
export function pass(address: string, text: string): () => void {
  const one = { text };
  passing.set(address, [...(passing.get(address) ?? []), one]);
  return () => {
    const left = (passing.get(address) ?? []).filter((other) => other !== one);
    if (left.length > 0) passing.set(address, left);
    else passing.delete(address);
  };
}

/** Whether something is on its way there. */
export function passes(address: string): boolean {
  return passing.has(address);
}

/** What is kept as the draft while this is in the field. */
export function drafted(address: string, field: string): string {
  return [...(passing.get(address) ?? []).map((one) => one.text), field].filter(Boolean).join("\n");
}

/** What belongs into the field of what was kept as the draft. */
export function undrafted(address: string, draft: string): string {
  const before = drafted(address, "");
  if (before === "" || draft === before) return before === "" ? draft : "";
  return draft.startsWith(`${before}\n`) ? draft.slice(before.length + 1) : draft;
}
