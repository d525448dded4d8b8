/** What stands at the heart of each operation's onion: policy → validation → dependencies → handler → output validation → result. */

import { argumentsCheck } from "../components/arguments.ts";
import { NOT_CACHEABLE, hintJson, privateHintJson } from "../results/cache-hint.ts";
import type { Completer } from "../components/completers.ts";
import type {
  ComponentDefinition,
  PromptDefinition,
  ResourceDefinition,
  ToolDefinition,
} from "../components/definitions.ts";
import { type Run, Refused, isPassive } from "../calls/compose.ts";
import type { CompletionAsk } from "../calls/call.ts";
import { type RequestContext, describeResponse, identityOf, limitOf } from "../calls/context.ts";
import { ConfigurationError } from "../errors.ts";
import { type InjectionServices, injecting } from "../dependencies/injection.ts";
import { ClientCapabilityError } from "../dialogue/inquiry.ts";
import type { Policy } from "../access/policy.ts";
import type { Validation } from "../ports.ts";
import { after, isPromise } from "../values/promises.ts";
import {
  ResourceResult,
  ToolResponse,
  toPromptResult,
  toResourceResult,
  toStructuredResult,
  toToolResult,
} from "../results/result.ts";
import { type SchemaCompiler, validator } from "../schemas/schema.ts";
import type { Stage } from "../calls/stages.ts";
import { notFound } from "../refusals.ts";

/** What every heart is made with. */
export interface HeartOptions extends InjectionServices {
  readonly compile: SchemaCompiler;
  /** Whether callers may be answered differently before a handler is reached: there is middleware. */
  readonly callersDiffer: boolean;
  /** What stands around a component's handler and dependencies, where anything does. */
  readonly around: (component: ComponentDefinition) => Around | undefined;
}

/**
 * Stands between guards and validation, and what a component opens and runs. It gives what `run` gives, or a result of that kind that
 * it has; `run` may be called for the same caller in another context.
 */
export type Around = (args: unknown, ctx: RequestContext, run: (ctx: RequestContext) => unknown) => unknown;

type Arguments = Readonly<Record<string, unknown>>;
type AnyHandler = (args: unknown, ctx: RequestContext) => unknown;

export function toolHeart(tool: ToolDefinition, policy: Policy, options: HeartOptions): Run<Arguments> {
  const validate = tool.input
    ? validator(tool.input, options.compile, `Tool "${tool.key}": input`)
    : noArguments;
  const check = argumentsCheck(tool.item.inputSchema, validate, tool.unknownArguments);
  const checked = tool.input ? staged("validation", options, check) : check;
  const finish = resultOf(tool, options.compile);
  const handler = prepared(tool, policy, options, finish);
  const handle = (input: unknown, ctx: RequestContext) =>
    input instanceof Refused ? input : handler(input, ctx);
  return concluding(policy, options, (ctx, args) => {
    const input = checked(args, ctx);
    return isPromise(input) ? input.then((found) => handle(found, ctx)) : handle(input, ctx);
  });
}

/** Makes results of a tool's values, as its declared output has them. */
export function resultOf(
  { key, output }: ToolDefinition,
  compile: SchemaCompiler,
): (value: unknown) => unknown {
  return output ? outputCheck(validator(output, compile, `Tool "${key}": output`)) : toToolResult;
}

export function resourceHeart(
  resource: ResourceDefinition,
  policy: Policy,
  options: HeartOptions,
): Run<Arguments> {
  const what = `Resource "${resource.key}": cacheHint`;
  // A handler that takes the context may answer each caller differently, and so may one that finds it among more.
  const takesMore = resource.handler.length > 1 || Object.keys(resource.inject).length > 0;
  const hint = hintJson(
    resource.cacheHint,
    options.callersDiffer || !resource.layers.every(isPassive) || takesMore,
    what,
  );
  const callersHint = hintJson(resource.cacheHint, true, what);
  const knownCallersHint = privateHintJson(resource.cacheHint, what);
  const handler = prepared(resource, policy, options, (value, ctx) => {
    const uri = ctx.operation.name;
    if (value === undefined) throw notFound("resource", uri);
    return toResourceResult(value, uri, resource.mimeType);
  });
  const hinted = (result: ResourceResult, ctx: RequestContext) => {
    // What came of answers is no client's to keep (2026-07-28, "Cache Key").
    const askedFor = identityOf(ctx) ? knownCallersHint : ctx.consulted ? callersHint : hint;
    return new ResourceResult(result.contents, ctx.inquiry?.answered ? NOT_CACHEABLE : askedFor);
  };
  return concluding(policy, options, (ctx, params) =>
    after(handler(params, ctx) as ResourceResult, (result) => hinted(result, ctx)),
  );
}

export function promptHeart(prompt: PromptDefinition, policy: Policy, options: HeartOptions): Run<Arguments> {
  const { description } = prompt.item;
  const handler = prepared(prompt, policy, options, (value) => toPromptResult(value, description));
  const validate = prompt.input
    ? validator(prompt.input, options.compile, `Prompt "${prompt.key}": input`)
    : noArguments;
  const check = argumentsCheck({}, validate, "follow-schema");
  const checked = prompt.input ? staged("validation", options, check) : check;
  return concluding(policy, options, (ctx, args) =>
    after(checked(args, ctx), (input) => (input instanceof Refused ? input : handler(input, ctx))),
  );
}

/** At most so many values travel with one completion (specification, "Completion"). */
const MOST_COMPLETIONS = 100;

export function completionHeart(
  component: ResourceDefinition | PromptDefinition,
  policy: Policy,
): Run<CompletionAsk> {
  return (ctx, { argument, context }) => {
    policy.admit(ctx);
    const completer = Object.hasOwn(component.completers, argument.name)
      ? component.completers[argument.name]
      : undefined;
    const found = candidates(completer, argument.value, ctx, context);
    const offered = policy.goesByArguments
      ? after(found, (all) => policy.allowed(all, argument.name, context, ctx))
      : found;
    return after(offered, (all) => ({
      completion: {
        values: all.slice(0, MOST_COMPLETIONS),
        total: all.length,
        hasMore: all.length > MOST_COMPLETIONS,
      },
    }));
  };
}

function candidates(
  completer: Completer | undefined,
  value: string,
  ctx: RequestContext,
  others: Readonly<Record<string, string>>,
): readonly string[] | Promise<readonly string[]> {
  if (completer === undefined) return [];
  if (typeof completer === "function") return completer(value, ctx, others);
  const prefix = value.toLowerCase();
  return completer.filter((candidate) => candidate.toLowerCase().startsWith(prefix));
}

/** What a component without input makes of any arguments. */
const noArguments = (): Validation => ({ value: {} });

/** An output that does not fit its schema is the server's fault: its caller learns no more than that. */
function outputCheck(
  validate: (value: unknown) => Validation | Promise<Validation>,
): (value: unknown) => unknown {
  const accept = (validation: Validation) => {
    if (validation.issues) {
      const problems = validation.issues.map(
        ({ message, path = [] }) => `${path.map(segment).join(".")}: ${message}`,
      );
      throw new Error(`The handler's return value does not fit the declared output: ${problems.join("; ")}`);
    }
    return toStructuredResult(validation.value);
  };
  return (value) => after(validate(value), accept);
}

function segment(part: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof part === "object" ? part.key : part);
}

/**
 * A handler with its result made ready, between the dependencies that it is given, within what stands around it, behind the guards
 * that go by its arguments.
 */
function prepared(
  component: ComponentDefinition,
  policy: Policy,
  options: HeartOptions,
  finish: (value: unknown, ctx: RequestContext) => unknown,
): AnyHandler {
  const handler = staged("handler", options, component.handler as AnyHandler);
  const finished = (value: unknown, ctx: RequestContext) => {
    if (!(value instanceof ToolResponse)) return finish(value, ctx);
    describeResponse(ctx, value.metadata);
    return finish(value.content, ctx);
  };
  const run: AnyHandler = (args, ctx) => {
    const value = handler(args, ctx);
    if (!isPromise(value)) return finished(value, ctx);
    // What only has a `then`, as queries of databases do, is waited for as `await` would.
    return Promise.resolve(value).then((settled) => finished(settled, ctx));
  };
  // What is opened for a result that cannot be sent is told so.
  const injected = injecting(component.inject, run, options);
  const around = options.around(component);
  if (!around) return guarded(injected, policy, options);
  const stage = component.kind === "tool" && component.idempotent ? "idempotency" : "cache";
  const kept: AnyHandler = (args, ctx) => around(args, ctx, (own) => injected(args, own));
  return guarded(staged(stage, options, kept), policy, options);
}

function guarded(handler: AnyHandler, policy: Policy, options: HeartOptions): AnyHandler {
  const admitted: AnyHandler = (args, ctx) => {
    const limit = limitOf(ctx);
    if (limit) limit.admitted = true;
    return handler(args, ctx);
  };
  if (!policy.goesByArguments) return admitted;
  const decide = staged("guards", options, (args, ctx) => policy.decide(args, ctx));
  return async (args, ctx) => {
    await decide(args, ctx);
    return admitted(args, ctx);
  };
}

/** `work` as a part of calls that whoever follows them sees; `work` itself where nobody does. */
function staged<A>(
  stage: Stage,
  { stages }: HeartOptions,
  work: (args: A, ctx: RequestContext) => unknown,
): (args: A, ctx: RequestContext) => unknown {
  return stages ? (args, ctx) => stages.within(stage, ctx, () => work(args, ctx)) : work;
}

/** Runs for callers whom the policy admits. A call that asked ends with its questions, whatever its handler made of the interruption. */
function concluding<A>(policy: Policy, options: HeartOptions, run: Run<A>): Run<A> {
  const admit = (_args: unknown, ctx: RequestContext) => policy.admit(ctx);
  const admitted = policy.isGuarded ? staged("guards", options, admit) : admit;
  return (ctx, args) => {
    admitted(args, ctx);
    ctx.resume();
    const result = run(ctx, args);
    if (!isPromise(result)) return ctx.inquiry?.pending ? ctx.inquiry.conclude() : result;
    return result.then(
      (value) => (ctx.inquiry?.pending ? ctx.inquiry.conclude() : value),
      (error: unknown) => {
        if (ctx.inquiry?.pending && !cannotBeAsked(error)) return ctx.inquiry.conclude();
        throw error;
      },
    );
  };
}

/** Whether a handler failed for a question that would fail in every run: then nobody is asked anything. */
function cannotBeAsked(error: unknown): boolean {
  return error instanceof ClientCapabilityError || error instanceof ConfigurationError;
}
