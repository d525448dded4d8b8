/** The user, the model and the file system of a test: who answers when a server asks (2026-07-28, "Multi Round-Trip Requests"). */

import type { Root, SamplingRequest, SamplingResult } from "../core/dialogue/elicitation.ts";

/** A form for the user to fill in, or a page to open. */
export type TestElicitation =
  | {
      readonly mode: "form";
      readonly message: string;
      readonly requestedSchema: Readonly<Record<string, unknown>>;
    }
  | { readonly mode: "url"; readonly message: string; readonly url: string };

/** What the user did. The content of a form is checked by the server, not here. */
export type TestElicitationAnswer =
  | { readonly action: "accept"; readonly content?: Readonly<Record<string, unknown>> }
  | { readonly action: "decline" | "cancel" };

/** Who answers. A client declares that it can do what it has an answer for. */
export interface TestAnswers {
  /**
   * TestAnswers forms and pages.
   *
   * @example
   * ```ts
   * const client = await TestClient.connect(server, {
   *   onElicit: ({ message }) => ({ action: "accept", content: { confirm: message.includes("staging") } }),
   * });
   * ```
   */
  readonly onElicit?: (question: TestElicitation) => TestElicitationAnswer | Promise<TestElicitationAnswer>;
  /** TestAnswers for the model. */
  readonly onSample?: (request: SamplingRequest) => SamplingResult | Promise<SamplingResult>;
  readonly roots?: readonly Root[];
}

/** A question as an `input_required` result carries it. */
interface Question {
  readonly method: string;
  readonly params?: unknown;
}

type Named = Readonly<Record<string, unknown>>;

/** What a client with these answers declares that it can do. */
export function capabilitiesOf({ onElicit, onSample, roots }: TestAnswers): Named {
  return {
    ...(onElicit && { elicitation: { form: {}, url: {} } }),
    ...(onSample && { sampling: {} }),
    ...(roots && { roots: {} }),
  };
}

/** TestAnswers the questions of a round, in their order; `undefined` where one has nobody to answer it. */
export async function answersTo(questions: Named, answers: TestAnswers): Promise<Named | undefined> {
  const given: Record<string, unknown> = {};
  for (const [key, question] of Object.entries(questions)) {
    const answer = await answerTo(question as Question, answers);
    if (answer === undefined) return undefined;
    given[key] = answer;
  }
  return given;
}

async function answerTo(
  { method, params }: Question,
  { onElicit, onSample, roots }: TestAnswers,
): Promise<unknown> {
  if (method === "elicitation/create") return onElicit?.(params as TestElicitation);
  if (method === "sampling/createMessage") return onSample?.(params as SamplingRequest);
  return roots && { roots };
}
