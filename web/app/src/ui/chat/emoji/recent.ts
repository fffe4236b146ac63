// Emoji that were used lately. Kept in this browser: they say little, and are wiped with the rest.

const KEY = "clownfish:emoji";
const MOST = 24;

export function recent(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string" && one.length < 40).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function used(emoji: string): void {
  const all = [emoji, ...recent().filter((one) => one !== emoji)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // Without storage there is no memory of it.
  }
}
