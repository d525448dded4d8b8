/** What a validator says of a value → what its sender is told: never the value itself, which libraries like to quote. */

import type { Issue } from "../ports.ts";

/** Valibot's issues say how they quote the value. */
interface ValibotIssue extends Issue {
  readonly received: string;
}

/** ArkType's issues keep what was expected apart from what it was. */
interface ArkIssue extends Issue {
  readonly code: string;
  readonly expected: string;
  readonly actual: string;
  /** The message without the path, unless the schema's author wrote one. */
  readonly problem: string;
  readonly propString: string;
  /** The parts of a union or an intersection. */
  readonly errors?: readonly ArkIssue[];
}

/** What is wrong, in words that hold nothing of the value. */
export function problem(issue: Issue): string {
  if (isArkIssue(issue)) return arkProblem(issue);
  const message = issue.message.replace(/^Invalid input: /, "");
  if (!isValibotIssue(issue)) return message;
  const { received } = issue;
  return [` but received ${received}`, `: Received ${received}`].reduce(
    (text, quotation) => text.replace(quotation, ""),
    message,
  );
}

/** ("… must be a number (was 5)") */
function arkProblem({ code, message, expected, problem: own, propString, errors = [] }: ArkIssue): string {
  if (code === "union" || code === "intersection") {
    const parts = errors.map((error) => {
      const part = arkProblem(error).replace(/^must be /, "");
      return error.propString === propString ? part : `${error.propString} must be ${part}`;
    });
    return `must be ${[...new Set(parts)].join(code === "union" ? " or " : " and ")}`;
  }
  return message.endsWith(own) ? `must be ${expected}` : message;
}

function isArkIssue(issue: Issue): issue is ArkIssue {
  return "expected" in issue && "actual" in issue && "problem" in issue && "propString" in issue;
}

function isValibotIssue(issue: Issue): issue is ValibotIssue {
  return "received" in issue && typeof issue.received === "string";
}
