import type { Problem } from "../../core/types";
import { words } from "../../i18n";
import { Button, Icon } from "../kit";
import { searchProblemText } from "../people/problem";
import "./search-problem.css";

/** Why a search did not get to its end, beside what it found so far. */
export function SearchProblem({ problem, onAgain }: { problem: Problem; onAgain: () => void }) {
  return (
    <div class="search-problem" role="alert">
      <Icon name="alert" size={20} />
      <span class="search-problem-words">{searchProblemText(problem)}</span>
      {/* The same words would be refused again. */}
      {problem.kind !== "invalid" && (
        <Button kind="quiet" onClick={onAgain}>
          {words().shell.searchAgain}
        </Button>
      )}
    </div>
  );
}
