// A password that nobody can guess, made here.

/** No letters that look like digits, or like each other. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const LETTERS = 5;

/** Four groups of five letters and digits: 99 bits, to be read out or typed if there is need. */
export function strongPassword(random: (below: number) => number = below): string {
  const group = () => Array.from({ length: LETTERS }, () => ALPHABET[random(ALPHABET.length)]).join("");
  return Array.from({ length: GROUPS }, group).join("-");
}

/** A number below another one, each as likely as the others. */
export function below(limit: number): number {
  const range = 2 ** 32;
  const fair = range - (range % limit);
  const numbers = new Uint32Array(1);
  for (;;) {
    const [number = 0] = crypto.getRandomValues(numbers);
    if (number < fair) return number % limit;
  }
}

/** Letters of the shortest password that is taken for a new account or as a new one. */
export const SHORTEST = 8;

let proposed: string | undefined;

/** The password that is proposed for a new account: the same until there is one. */
export function proposal(): string {
  proposed ??= strongPassword();
  return proposed;
}

/** The proposed password was used. */
export function forgetProposal(): void {
  proposed = undefined;
}
