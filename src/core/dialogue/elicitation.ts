/** The questions themselves: forms and links for the user, messages for the model, roots of the file system. */

import type { AudioContent, ImageContent, TextContent } from "../results/content.ts";
import { isObject } from "../values/json.ts";
import { isLoopback } from "../values/loopback.ts";
import { ConfigurationError } from "../errors.ts";
import { formSchema } from "./form.ts";
import { ClientCapabilityError, type Question } from "./inquiry.ts";
import type { Validator } from "../ports.ts";
import type { Parsed, Schema } from "../schemas/schema.ts";

type Capabilities = Readonly<Record<string, unknown>>;

/** What the user did with a form: filled it in, declined, or closed it. */
export type Elicited<T> =
  | { readonly action: "accept"; readonly content: T }
  | { readonly action: "decline" | "cancel" };

/** What the user did with a link. */
export interface LinkElicited {
  readonly action: "accept" | "decline" | "cancel";
}

/** A directory or file that the client lets the server know of (specification, "Roots"). */
export interface Root {
  readonly uri: string;
  readonly name?: string;
}

type SampledContent = TextContent | ImageContent | AudioContent | Readonly<Record<string, unknown>>;

/** A request to the client's model (specification, "CreateMessageRequestParams"). */
export interface SamplingRequest {
  readonly messages: readonly {
    readonly role: "user" | "assistant";
    readonly content: SampledContent | readonly SampledContent[];
  }[];
  /** The most tokens the model may write. */
  readonly maxTokens: number;
  readonly systemPrompt?: string;
  readonly temperature?: number;
  readonly stopSequences?: readonly string[];
  readonly modelPreferences?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What the client's model wrote. */
export interface SamplingResult {
  readonly role: "user" | "assistant";
  readonly content: SampledContent | readonly SampledContent[];
  readonly model: string;
  readonly stopReason?: string;
}

/** A form. Throws where the client shows none, or where the schema is more than a form can be. */
export function formQuestion<S extends Schema>(
  capabilities: Capabilities,
  message: string,
  schema: S,
  key: string | undefined,
  validatorOf: (schema: Schema) => Promise<Validator>,
): Question<Elicited<Parsed<S>>> {
  const { elicitation } = capabilities;
  // A bare `elicitation: {}` means forms (specification, "Elicitation › Capabilities").
  const showsForms =
    isObject(elicitation) && (isObject(elicitation["form"]) || !isObject(elicitation["url"]));
  if (!showsForms)
    throw new ClientCapabilityError({ elicitation: { form: {} } }, "The client cannot show the user a form.");
  const requestedSchema = formSchema(schema);
  return {
    key,
    wording: JSON.stringify([message, requestedSchema]),
    request: { method: "elicitation/create", params: { mode: "form", message, requestedSchema } },
    accept: async (response) => {
      const action = elicitedAction(response);
      if (action !== "accept") return action && { action };
      const validate = await validatorOf(schema);
      const checked = await validate((response as { content?: unknown }).content ?? {});
      return checked.issues ? undefined : { action, content: checked.value as Parsed<S> };
    },
  };
}

/** A page for the user to open, for what must not pass through the client: secrets, payments, sign-in. */
export function linkQuestion(
  capabilities: Capabilities,
  message: string,
  url: string,
  key: string | undefined,
): Question<LinkElicited> {
  const { elicitation } = capabilities;
  if (!isObject(elicitation) || !isObject(elicitation["url"])) {
    throw new ClientCapabilityError(
      { elicitation: { url: {} } },
      "The client cannot open a page for the user.",
    );
  }
  if (!isPage(url)) {
    throw new ConfigurationError(
      `ctx.elicitUrl: ${JSON.stringify(url)} is not an https URL, or has a password in it. Write one such as "https://example.com/connect".`,
    );
  }
  return {
    key,
    // The address may hold what is made anew for each run.
    wording: message,
    request: {
      method: "elicitation/create",
      params: { mode: "url", message, url, elicitationId: crypto.randomUUID() },
    },
    accept: (response) => {
      const action = elicitedAction(response);
      return action && { action };
    },
  };
}

/** Pages are served over https, but for those of this machine (specification, "Safe URL Handling"). */
function isPage(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  const safe = protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
  return safe && username === "" && password === "";
}

export function samplingQuestion(
  capabilities: Capabilities,
  params: SamplingRequest,
  key: string | undefined,
): Question<SamplingResult> {
  if (!isObject(capabilities["sampling"]))
    throw new ClientCapabilityError({ sampling: {} }, "The client offers no model.");
  return {
    key,
    request: { method: "sampling/createMessage", params },
    accept: (response) => (isSampled(response) ? response : undefined),
  };
}

export function rootsQuestion(
  capabilities: Capabilities,
  key: string | undefined,
): Question<readonly Root[]> {
  if (!isObject(capabilities["roots"]))
    throw new ClientCapabilityError({ roots: {} }, "The client has no roots.");
  return {
    key,
    request: { method: "roots/list" },
    accept: (response) => {
      const roots: unknown = isObject(response) ? response["roots"] : undefined;
      return Array.isArray(roots) && roots.every(isRoot) ? roots : undefined;
    },
  };
}

function isSampled(value: unknown): value is SamplingResult {
  if (!isObject(value) || typeof value["model"] !== "string") return false;
  const { role, content } = value;
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [content];
  return (role === "user" || role === "assistant") && blocks.every(isObject);
}

function isRoot(value: unknown): value is Root {
  return isObject(value) && typeof value["uri"] === "string";
}

function elicitedAction(response: unknown): "accept" | "decline" | "cancel" | undefined {
  const action = isObject(response) ? response["action"] : undefined;
  return action === "accept" || action === "decline" || action === "cancel" ? action : undefined;
}
