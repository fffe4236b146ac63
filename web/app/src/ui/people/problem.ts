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

/** The same of a search: there is nothing of which one would have to know whether it was done. */
export function searchProblemText(problem: Problem): string {
  return problem.kind === "restarted" ? words().shell.searchCut : problemText(problem);
}

export function addressProblemText(problem: AddressProblem): string {
  const w = words().people.addressProblems;
  return problem.is === "character" ? fill(w.character, { character: problem.character }) : w[problem.is];
}
