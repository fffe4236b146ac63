// Problems in words for people.

import type { Problem } from "../../core/types";
import { fill, words } from "../../i18n";
import { reasonText, withoutKind } from "../reason";
import type { AddressProblem } from "./address";

/** What went wrong, and what helps. */
export function problemText(problem: Problem): string {
  const w = words().people.problems;
  const known: Partial<Record<Problem["kind"], string>> = w;
  return fill(known[problem.kind] ?? w.other, { reason: reasonText(withoutKind(problem.words)) });
}

export function addressProblemText(problem: AddressProblem): string {
  const w = words().people.addressProblems;
  return problem.is === "character" ? fill(w.character, { character: problem.character }) : w[problem.is];
}
