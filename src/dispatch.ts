/** A Call in, an Outcome out. */

import { type Ask, type Call, type CallEnvelope, type Operation, RequestContext } from "./context.ts";
import { MCPError, internalError } from "./errors.ts";
import type { Logger } from "./ports.ts";
import { isPromise } from "./promises.ts";
import { toPromptResult, toResourceResult, toToolResult } from "./result.ts";
import type { Sealed, SealedOperation } from "./seal.ts";

/** What became of a call. */
export type Outcome = { readonly result: object; readonly error?: undefined } | { readonly error: MCPError };

/** Runs a call through its operation's onion. Never throws, and stays synchronous where nothing waits. */
export function dispatch(sealed: Sealed, call: Call, logger: Logger): Outcome | Promise<Outcome> {
  const { ask, envelope } = call;
  switch (ask.kind) {
    case "tool": {
      const tool = sealed.tools.get(ask.name);
      return tool
        ? perform(tool, ask.args, envelope, logger)
        : unknown("tool", ask.name, sealed, envelope, logger);
    }
    case "resource":
      return readResource(sealed, ask.name, envelope, logger);
    case "prompt": {
      const prompt = sealed.prompts.get(ask.name);
      return prompt
        ? perform(prompt, ask.args, envelope, logger)
        : unknown("prompt", ask.name, sealed, envelope, logger);
    }
    case "completion":
      return perform(completion(sealed, ask), ask, envelope, logger);
    case "list":
      return perform(sealed.lists[ask.list], ask.cursor, envelope, logger);
    case "discover":
      return perform(sealed.discover, undefined, envelope, logger);
  }
}

function readResource(
  sealed: Sealed,
  uri: string,
  envelope: CallEnvelope,
  logger: Logger,
): Outcome | Promise<Outcome> {
  const resource = sealed.resources.get(uri);
  if (resource) return perform(resource, {}, envelope, logger);
  for (const { match, operation, run } of sealed.templates) {
    const params = match(uri);
    if (params) return perform({ operation: { ...operation, name: uri }, run }, params, envelope, logger);
  }
  return unknown("resource", uri, sealed, envelope, logger);
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
  logger: Logger,
): Outcome | Promise<Outcome> {
  return perform(
    { operation: { kind, name, tags: [] }, run: sealed.unknown[kind] },
    undefined,
    envelope,
    logger,
  );
}

function perform<A>(
  { operation, run }: SealedOperation<A>,
  args: A,
  envelope: CallEnvelope,
  logger: Logger,
): Outcome | Promise<Outcome> {
  const ctx = new RequestContext(operation, envelope);
  try {
    const result = run(ctx, args);
    return isPromise(result) ? finished(ctx, result, logger) : { result: asResult(operation, result) };
  } catch (error) {
    return failed(ctx, error, logger);
  }
}

async function finished(ctx: RequestContext, result: Promise<unknown>, logger: Logger): Promise<Outcome> {
  try {
    return { result: asResult(ctx.operation, await result) };
  } catch (error) {
    return failed(ctx, error, logger);
  }
}

/** A middleware may answer with any value that a handler may return. */
function asResult({ kind, name }: Operation, result: unknown): object {
  switch (kind) {
    case "tool":
      return toToolResult(result);
    case "resource":
      return toResourceResult(result, name, undefined);
    case "prompt":
      return toPromptResult(result, undefined);
    default:
      return result as object;
  }
}

function failed(ctx: RequestContext, error: unknown, logger: Logger): Outcome {
  const shown = presentable(error, ctx.requestId);
  if (shown.code === "INTERNAL_ERROR") {
    const { kind, name } = ctx.operation;
    logger.error(
      { requestId: ctx.requestId, operation: kind, name, err: shown.cause ?? shown },
      "Unexpected error",
    );
  }
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
