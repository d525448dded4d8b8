/** A Call in, an Outcome out. */

import { type Ask, type Call, type CallEnvelope, type Operation, RequestContext } from "./context.ts";
import { MCPError, internalError } from "./errors.ts";
import { InputRequired } from "./inquiry.ts";
import type { Page } from "./list.ts";
import type { Logger, Validator } from "./ports.ts";
import { isPromise } from "./promises.ts";
import { cancelled } from "./refusals.ts";
import { toPromptResult, toResourceResult, toToolResult } from "./result.ts";
import type { Schema } from "./schema.ts";
import type { Sealed, SealedOperation } from "./seal.ts";

/** What calls are served with. */
export interface Services {
  readonly logger: Logger;
  /** The validator of a schema that turns up while a call runs. */
  readonly validatorOf: (schema: Schema) => Promise<Validator>;
}

/** What became of a call. */
export type Outcome = { readonly result: object; readonly error?: undefined } | { readonly error: MCPError };

/** Runs a call through its operation's onion. Never throws, and stays synchronous where nothing waits. */
export function dispatch(sealed: Sealed, call: Call, services: Services): Outcome | Promise<Outcome> {
  const { ask, envelope } = call;
  switch (ask.kind) {
    case "tool": {
      const tool = sealed.tools.get(ask.name);
      return tool
        ? perform(tool, ask.args, envelope, services)
        : unknown("tool", ask.name, sealed, envelope, services);
    }
    case "resource":
      return readResource(sealed, ask.name, envelope, services);
    case "prompt": {
      const prompt = sealed.prompts.get(ask.name);
      return prompt
        ? perform(prompt, ask.args, envelope, services)
        : unknown("prompt", ask.name, sealed, envelope, services);
    }
    case "completion":
      return perform(completion(sealed, ask), ask, envelope, services);
    case "list":
      return perform(sealed.lists[ask.list], ask.cursor, envelope, services);
    case "discover":
      return perform(sealed.discover, undefined, envelope, services);
    case "subscription":
      return perform(sealed.subscribe, ask.filter, envelope, services);
  }
}

function readResource(
  sealed: Sealed,
  uri: string,
  envelope: CallEnvelope,
  services: Services,
): Outcome | Promise<Outcome> {
  const resource = sealed.resources.get(uri);
  if (resource) return perform(resource, {}, envelope, services);
  for (const { match, operation, run } of sealed.templates) {
    const params = match(uri);
    if (params) return perform({ operation: { ...operation, name: uri }, run }, params, envelope, services);
  }
  return unknown("resource", uri, sealed, envelope, services);
}

function completion(
  sealed: Sealed,
  { ref }: Extract<Ask, { kind: "completion" }>,
): SealedOperation<Extract<Ask, { kind: "completion" }>> {
  const id = "prompt" in ref ? `prompt:${ref.prompt}` : `resource:${ref.template}`;
  const name = "prompt" in ref ? ref.prompt : ref.template;
  return (
    sealed.completions.get(id) ?? {
      operation: { kind: "completion", name, tags: [] },
      run: sealed.unknownCompletion,
    }
  );
}

function unknown(
  kind: "tool" | "resource" | "prompt",
  name: string,
  sealed: Sealed,
  envelope: CallEnvelope,
  services: Services,
): Outcome | Promise<Outcome> {
  return perform(
    { operation: { kind, name, tags: [] }, run: sealed.unknown[kind] },
    undefined,
    envelope,
    services,
  );
}

function perform<A>(
  { operation, run }: SealedOperation<A>,
  args: A,
  envelope: CallEnvelope,
  services: Services,
): Outcome | Promise<Outcome> {
  const ctx = new RequestContext(operation, envelope, services.validatorOf);
  try {
    const result = run(ctx, args);
    return isPromise(result) ? finished(ctx, result, services) : { result: asResult(operation, result) };
  } catch (error) {
    return failed(ctx, error, services);
  }
}

async function finished(ctx: RequestContext, result: Promise<unknown>, services: Services): Promise<Outcome> {
  try {
    return { result: asResult(ctx.operation, await result) };
  } catch (error) {
    return failed(ctx, error, services);
  }
}

/** A middleware may answer with any value that a handler may return. */
function asResult({ kind, name }: Operation, result: unknown): object {
  if (result instanceof InputRequired) return result;
  switch (kind) {
    case "tool":
      return toToolResult(result);
    case "resource":
      return toResourceResult(result, name, undefined);
    case "prompt":
      return toPromptResult(result, undefined);
    case "list":
      if (isPage(result, name)) return result;
      break;
    case "completion":
      if (isObject(result) && isObject(result["completion"])) return result;
      break;
    case "discover":
    case "subscription":
      if (isObject(result)) return result;
  }
  throw new Error(
    `A middleware answered a ${kind} with something else: return what next() gives, or a changed copy of it.`,
  );
}

function isPage(value: unknown, list: string): value is Page {
  return isObject(value) && value["list"] === list && Array.isArray(value["items"]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function failed(ctx: RequestContext, error: unknown, { logger }: Services): Outcome {
  const { kind, name } = ctx.operation;
  const fields = { requestId: ctx.requestId, operation: kind, name };
  const shown = presentable(error, ctx.requestId);
  if (shown.code === "INTERNAL_ERROR" && shown.cause !== undefined && ctx.signal.aborted) {
    logger.debug({ ...fields, err: shown.cause }, "A call ended because it was cancelled");
    return { error: cancelled(shown.cause) };
  }
  if (shown.code === "INTERNAL_ERROR")
    logger.error({ ...fields, err: shown.cause ?? shown }, "Unexpected error");
  return { error: shown };
}

/** The error as its caller may see it: one that cannot even be read or written as JSON is an unexpected one. */
function presentable(error: unknown, requestId: string): MCPError {
  try {
    if (!(error instanceof MCPError)) return internalError(error);
    if (error.details !== undefined) error.toBody(requestId);
    return error;
  } catch (cause) {
    return internalError(cause);
  }
}
