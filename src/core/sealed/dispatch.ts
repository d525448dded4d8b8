/** A Call in, an Outcome out. */

import type { VerifiedIdentity } from "../calls/client.ts";
import { Refused } from "../calls/compose.ts";
import type { Ask, Call, CallEnvelope, CompletionAsk } from "../calls/call.ts";
import {
  RequestContext,
  backgroundOf,
  callFields,
  cancellationOf,
  envelopeOf,
  headersOf,
  identityOf,
} from "../calls/context.ts";
import { MCPError, internalError } from "../errors.ts";
import { InputRequired } from "../dialogue/inquiry.ts";
import type { Page } from "./list.ts";
import type { Operation } from "../calls/operation.ts";
import { isPromise } from "../values/promises.ts";
import { cancelled } from "../refusals.ts";
import { asCopied, toPromptResult, toResourceResult, toToolResult } from "../results/result.ts";
import type { Sealed, SealedOperation } from "./sealed.ts";
import type { Services } from "../calls/services.ts";

/** What became of a call. */
export type Outcome = (
  | { readonly result: object; readonly error?: undefined }
  | { readonly error: MCPError }
) & {
  /** Who called, where that is known. */
  readonly identity?: VerifiedIdentity | undefined;
  /** What layers tell in headers, where the answer has some. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** Runs a call through its operation's onion. Never throws, and stays synchronous where nothing waits. */
export function dispatch(
  sealed: Sealed,
  { ask, envelope }: Call,
  services: Services,
): Outcome | Promise<Outcome> {
  switch (ask.kind) {
    case "tool":
      return perform(named(sealed, "tool", ask.name), ask.args, envelope, services);
    case "prompt":
      return perform(named(sealed, "prompt", ask.name), ask.args, envelope, services);
    case "resource": {
      const { params, ...resource } = resourceAt(sealed, ask.name);
      return perform(resource, params, envelope, services);
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

/** What is asked for, also where it is not there. */
function askedFor(sealed: Sealed, ask: Ask): Pick<SealedOperation, "operation" | "admission"> {
  switch (ask.kind) {
    case "tool":
    case "prompt":
      return named(sealed, ask.kind, ask.name);
    case "resource":
      return resourceAt(sealed, ask.name);
    case "completion":
      return completion(sealed, ask);
    case "list":
      return sealed.lists[ask.list];
    case "discover":
      return sealed.discover;
    case "subscription":
      return sealed.subscribe;
  }
}

function named(sealed: Sealed, kind: "tool" | "prompt", name: string): SealedOperation {
  const found = (kind === "tool" ? sealed.tools : sealed.prompts).get(name);
  return found ?? { operation: unknownOperation(sealed, kind, name), run: sealed.unknown[kind] };
}

type Params = Readonly<Record<string, string>>;

function resourceAt(sealed: Sealed, uri: string): SealedOperation & { readonly params: Params } {
  const resource = sealed.resources.get(uri);
  if (resource) return { ...resource, params: {} };
  for (const { match, operation, run, admission: admit } of sealed.templates) {
    const params = match(uri);
    if (params) return { operation: { ...operation, name: uri }, run, admission: admit, params };
  }
  const operation = unknownOperation(sealed, "resource", uri);
  return { operation, run: sealed.unknown.resource, params: {} };
}

function completion(sealed: Sealed, { ref }: CompletionAsk): SealedOperation<CompletionAsk> {
  const id = "prompt" in ref ? `prompt:${ref.prompt}` : `resource:${ref.template}`;
  const name = "prompt" in ref ? ref.prompt : ref.template;
  return (
    sealed.completions.get(id) ?? {
      operation: unknownOperation(sealed, "completion", name),
      run: sealed.unknownCompletion,
    }
  );
}

/** What is not there is no more open than what is. */
function unknownOperation({ isPrivate }: Sealed, kind: Operation["kind"], name: string): Operation {
  const access = isPrivate ? "authenticated" : "public";
  return { kind, name, component: undefined, tags: [], access, scopes: [] };
}

/**
 * Whether a caller gets in at all, whatever the arguments: the caller, or the refusal. Without `ask` for a request
 * that is no operation, such as a ping. Nothing but authenticators and policies runs.
 */
export function admission(
  sealed: Sealed,
  envelope: CallEnvelope,
  services: Services,
  ask?: Ask,
): Promise<Outcome> | undefined {
  if (!sealed.admission) return undefined;
  const { operation, admission: run = sealed.admission.run } = ask ? askedFor(sealed, ask) : sealed.admission;
  const ctx = new RequestContext(operation, envelope, services);
  const admitted = async (): Promise<Outcome> => {
    try {
      await run(ctx, undefined);
      return { result: {}, identity: identityOf(ctx) };
    } catch (error) {
      return failed(ctx, error, services);
    }
  };
  return admitted();
}

function perform<A>(
  { operation, run }: SealedOperation<A>,
  args: A,
  envelope: CallEnvelope,
  services: Services,
): Outcome | Promise<Outcome> {
  const ctx = new RequestContext(operation, envelope, services);
  try {
    const result = run(ctx, args);
    return isPromise(result) ? finished(ctx, result, services) : settled(ctx, result, services);
  } catch (error) {
    return failed(ctx, error, services);
  }
}

async function finished(ctx: RequestContext, result: Promise<unknown>, services: Services): Promise<Outcome> {
  try {
    return settled(ctx, await result, services);
  } catch (error) {
    return failed(ctx, error, services);
  }
}

function settled(ctx: RequestContext, value: unknown, services: Services): Outcome {
  if (value instanceof Refused) return failed(ctx, value.error, services);
  const result = asResult(ctx.operation, value);
  const tasks = backgroundOf(ctx);
  // A call that has yet to ask runs again, and adds its tasks again.
  if (tasks && !(result instanceof InputRequired))
    services.background.begin(tasks, cancellationOf(ctx), callFields(ctx), services.logger);
  return { result, identity: identityOf(ctx), headers: headersOf(ctx) };
}

/** A middleware may answer with any value that a handler may return. */
export function asResult({ kind, name }: Operation, result: unknown): object {
  if (result instanceof InputRequired) return result;
  switch (kind) {
    case "tool":
      return toToolResult(asCopied(kind, result));
    case "resource":
      return toResourceResult(asCopied(kind, result), name, undefined);
    case "prompt":
      return toPromptResult(asCopied(kind, result), undefined);
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
  const identity = identityOf(ctx);
  const shown = toldOf(error, ctx);
  if (shown !== error && shown.code === "CANCELLED")
    logger.debug({ ...callFields(ctx), reason: said(shown.cause) }, "A call ended because it was cancelled");
  else if (shown.code === "INTERNAL_ERROR")
    logger.error({ ...callFields(ctx), err: shown.cause ?? shown }, "Unexpected error");
  else if (shown.cause !== undefined)
    logger.warn(
      { ...callFields(ctx), code: shown.code, err: shown.cause },
      "A call was refused for a reason of its own",
    );
  return { error: shown, identity, headers: headersOf(ctx) };
}

/** What an error says, without where it comes from: callers leave often, and it is nobody's fault. */
function said(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "unreadable";
  }
}

/** What the caller is told of `error`. A handler that is cancelled may fail with anything. */
export function toldOf(error: unknown, ctx: RequestContext): MCPError {
  const shown = presentable(error, envelopeOf(ctx).requestId);
  const { code, cause } = shown;
  const isCutShort = code === "INTERNAL_ERROR" && cause !== undefined && cancellationOf(ctx).cancelled;
  return isCutShort ? cancelled(cause) : shown;
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
