/** What the handler and the middleware of a call see of it. */

import {
  type Elicited,
  type LinkElicited,
  type Root,
  type SamplingRequest,
  type SamplingResult,
  formQuestion,
  linkQuestion,
  rootsQuestion,
  samplingQuestion,
} from "../dialogue/elicitation.ts";
import { BackgroundTasks } from "./background.ts";
import type { CallEnvelope, ClientInfo, RequestState } from "./call.ts";
import type { Cancellation } from "./cancellation.ts";
import {
  type AuthenticatedClient,
  type ClientContext,
  type Origin,
  type VerifiedIdentity,
  anonymousClient,
  identifiedClient,
} from "./client.ts";
import { ConfigurationError } from "../errors.ts";
import { type AskOptions, type Inquiry, type Question, askable, recorded } from "../dialogue/inquiry.ts";
import type { AsJson } from "../values/json.ts";
import { type CallFields, type CallLogger, callLogger, fieldsOfCall } from "./logger.ts";
import { MAY_ASK, type Operation } from "./operation.ts";
import { quietly } from "../values/promises.ts";
import type { Parsed, Schema } from "../schemas/schema.ts";
import type { Services } from "./services.ts";
import type { TimeLimit } from "./time-limit.ts";
import { type TraceContext, traceOf } from "./trace.ts";
import { type LogLevel, Voice } from "../dialogue/voice.ts";

/** What is told about something, by name. */
type Metadata = Readonly<Record<string, unknown>>;

const NO_METADATA: Metadata = {};

const NO_ORIGIN: Origin = { header: () => undefined };

// For what establishes identity alone: credentials are no business of handlers.
/** Where the request of `ctx` comes from. */
export let originOf: (ctx: RequestContext) => Origin;
/** Makes `identity` the caller of `ctx`. */
export let identify: (ctx: RequestContext, identity: VerifiedIdentity) => AuthenticatedClient;
/** The verified identity of the caller of `ctx`, if any. */
export let identityOf: (ctx: RequestContext) => VerifiedIdentity | undefined;
/** Makes `metadata` that of the response of `ctx`. */
export let describeResponse: (ctx: RequestContext, metadata: Metadata) => void;
/** What the call of `ctx` has still to do after its answer, if anything. */
export let backgroundOf: (ctx: RequestContext) => BackgroundTasks | undefined;
/** What the request of `ctx` told: unlike members of `ctx`, without a trace of who asked. */
export let envelopeOf: (ctx: RequestContext) => CallEnvelope;
/** Makes `trace` that of `ctx`. */
export let traceAs: (ctx: RequestContext, trace: TraceContext) => void;
/** The trace of `ctx`, like {@link envelopeOf}. */
let traceIn: (ctx: RequestContext) => TraceContext | undefined;
/** By what the log tells the call of `ctx` from others. */
export let callFields: (ctx: RequestContext) => CallFields;
/** Adds to what the line of the call of `ctx` in the log says. */
export let note: (ctx: RequestContext, fields: object) => void;
/** What was added. */
export let notesOf: (ctx: RequestContext) => Metadata | undefined;
/** Whether and why the call of `ctx` has been cancelled. */
export let cancellationOf: (ctx: RequestContext) => Cancellation;

// For what runs and surrounds handlers.
/** What the call of `ctx` is served with. */
export let servicesOf: (ctx: RequestContext) => Services;
/**
 * A context for what is done for the caller of `ctx` after the answer, or instead of it: it can ask and tell the client nothing, and
 * ends by a cancellation of its own.
 */
export let detached: (ctx: RequestContext, cancellation: Cancellation) => RequestContext;
/** Adds to a header of the answer, a list (RFC 9110, section 5.6.1), where the answer has headers. */
export let addHeader: (ctx: RequestContext, name: string, value: string) => void;
/** The headers that were added. */
export let headersOf: (ctx: RequestContext) => Readonly<Record<string, string>> | undefined;
/** What holds the call of `ctx` to its time, where layers are around it. */
export let limitOf: (ctx: RequestContext) => TimeLimit | undefined;
/** Sets that. A map that is weak would cost more than the rest of the call, in garbage collection. */
export let limitBy: (ctx: RequestContext, limit: TimeLimit) => void;

/**
 * What handlers and middleware know about the request they serve.
 *
 * @example
 * ```ts
 * server.tool("export", { description: "Export all tasks." }, async (_args, { signal, requestId }) =>
 *   fetch(`${storage}/export`, { signal, headers: { "x-request-id": requestId } }).then((answer) => answer.json()));
 * ```
 */
export class RequestContext<C extends ClientContext = ClientContext> {
  readonly operation: Operation;
  readonly #envelope: CallEnvelope;
  readonly #services: Services;
  #voice: Voice | undefined;
  #inquiry: Inquiry | undefined;
  #background: BackgroundTasks | undefined;
  #state: RequestState | undefined;
  #metadata = NO_METADATA;
  #consulted = false;
  #client: ClientContext | undefined;
  #identity: VerifiedIdentity | undefined;
  #headers: Record<string, string> | undefined;
  #limit: TimeLimit | undefined;
  #trace: TraceContext | undefined;
  #logger: CallLogger | undefined;
  #notes: Record<string, unknown> | undefined;

  static {
    originOf = (ctx) => ctx.#envelope.origin ?? NO_ORIGIN;
    identityOf = (ctx) => ctx.#identity;
    describeResponse = (ctx, metadata) => void (ctx.#metadata = metadata);
    backgroundOf = (ctx) => ctx.#background;
    envelopeOf = (ctx) => ctx.#envelope;
    traceAs = (ctx, trace) => void (ctx.#trace = trace);
    traceIn = (ctx) => ctx.#trace ?? traceOf(ctx.#envelope.meta, (name) => originOf(ctx).header(name));
    callFields = (ctx) =>
      fieldsOfCall(ctx.operation, ctx.#envelope.requestId, ctx.#identity?.clientId, traceIn(ctx));
    note = (ctx, fields) => void Object.assign((ctx.#notes ??= {}), fields);
    notesOf = (ctx) => ctx.#notes;
    cancellationOf = (ctx) => ctx.#envelope.cancellation;
    identify = (ctx, identity) => {
      ctx.#identity = identity;
      ctx.#logger = undefined;
      return (ctx.#client = identifiedClient(identity, originOf(ctx)));
    };
    servicesOf = (ctx) => ctx.#services;
    detached = (ctx, cancellation) => {
      const { requestId, protocolVersion, clientInfo, meta, origin } = ctx.#envelope;
      const envelope = { requestId, protocolVersion, clientInfo, meta, origin, cancellation };
      const own = new RequestContext(ctx.operation, envelope, ctx.#services);
      own.#identity = ctx.#identity;
      own.#client = ctx.#client;
      own.#state = ctx.#state;
      own.#trace = ctx.#trace;
      own.#notes = ctx.#notes ??= {};
      return own;
    };
    addHeader = (ctx, name, value) => {
      const headers = (ctx.#headers ??= {});
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    };
    headersOf = (ctx) => ctx.#headers;
    limitOf = (ctx) => ctx.#limit;
    limitBy = (ctx, limit) => void (ctx.#limit = limit);
  }

  /** @internal */
  constructor(operation: Operation, envelope: CallEnvelope, services: Services) {
    this.operation = operation;
    this.#envelope = envelope;
    this.#services = services;
  }

  /** Identifies the request in logs, errors and the `X-Request-ID` response header. */
  get requestId(): string {
    return this.#caller.requestId;
  }

  /** Fires when the client goes away or cancels, at the time limit, and at shutdown. Never on success. */
  get signal(): AbortSignal {
    return this.#envelope.cancellation.signal;
  }

  /** Who calls: `client.authenticated` tells whether that is known. */
  get client(): C {
    this.#consulted = true;
    this.#client ??= anonymousClient(this.#envelope.origin);
    return this.#client as C;
  }

  /** The protocol revision the client speaks, such as `2026-07-28`. */
  get protocolVersion(): string {
    return this.#caller.protocolVersion;
  }

  /** Who the client says it is, where it says so. Not verified. */
  get clientInfo(): ClientInfo | undefined {
    return this.#caller.clientInfo;
  }

  /** What the client declared that it can do, where it declared anything with this request. */
  get clientCapabilities(): Readonly<Record<string, unknown>> {
    return this.#caller.clientCapabilities ?? {};
  }

  /** The request's `_meta`. */
  get meta(): Readonly<Record<string, unknown>> {
    return this.#caller.meta ?? {};
  }

  /**
   * The trace that the request belongs to, from `_meta` or the headers `traceparent` and `tracestate` (W3C Trace Context), or of the
   * span in which this server serves it; `undefined` where there is neither.
   *
   * @example
   * ```ts
   * const headers = ctx.trace ? { traceparent: ctx.trace.traceparent } : {};
   * await fetch(`${billing}/invoices`, { headers, signal: ctx.signal });
   * ```
   */
  get trace(): TraceContext | undefined {
    this.#consulted = true;
    return traceIn(this);
  }

  /** Room for what layers, guards, dependencies and the handler of this call leave for each other. */
  get state(): RequestState {
    return (this.#state ??= {});
  }

  /** The metadata of the response, for layers once `next()` has resolved: those of {@link ToolResponse}, else none. */
  get metadata(): Readonly<Record<string, unknown>> {
    return this.#metadata;
  }

  /** Work to do once the answer is sent: `background.add(send, message)`. */
  get background(): BackgroundTasks {
    return (this.#background ??= new BackgroundTasks(this.#services.stages, this.#envelope.cancellation));
  }

  /**
   * Reports how far the work is, where the client asked to know. Reports that do not grow are left out.
   *
   * @param done - What is done so far, in any unit.
   * @param total - What there is to do, in the same unit, where it is known.
   * @param message - What is being done, for people.
   */
  progress(done: number, total?: number, message?: string): void {
    this.#speak()?.progress(done, total, message);
  }

  /**
   * Sends a log message to the client, where it asked for messages of this level. For what concerns the
   * user; what concerns operators goes to the server's own log. Never pass secrets or other callers' data.
   *
   * @param logger - The part of the server that speaks.
   */
  log(level: LogLevel, data: unknown, logger?: string): void {
    this.#speak()?.log(level, data, logger);
  }

  /**
   * The server's logger, whose lines say which call they belong to: `requestId`, `operation`, `name`, and where they are known `clientId`,
   * `traceId`, `spanId`. `ctx.logger.set({ rows: 12 })` adds to the line that `logging()` writes of the call.
   */
  get logger(): CallLogger {
    const set = (fields: object) => note(this, fields);
    return (this.#logger ??= callLogger(this.#services.logger, callFields(this), set));
  }

  /**
   * Lets the client's connection go while the call works on, where the client can come back for the answer
   * (2025-era sessions, "Resumability and Redelivery"); elsewhere it does nothing.
   */
  releaseStream(): void {
    this.#envelope.releaseStream?.();
  }

  /**
   * Asks the user to fill in a form.
   *
   * On revision 2026-07-28 the call ends with its question and the handler runs again with the answer, so
   * what it does before it asks must bear repetition, or stand in {@link RequestContext.once}. An answer counts
   * for the question as the user read it: one whose words have changed meanwhile is asked anew.
   *
   * @param schema - A flat object of strings, numbers, booleans and enums.
   * @param options.key - Names the answer, whatever the question's words. Default: named by its words.
   * @returns What the user did: declining and closing are values, not exceptions.
   * @throws `ClientCapabilityError` where the client cannot be asked.
   * @example
   * ```ts
   * const answer = await ctx.elicit("Deploy to production?", z.object({ confirm: z.boolean() }));
   * if (answer.action !== "accept" || !answer.content.confirm) return "Not deployed.";
   * ```
   */
  elicit<const S extends Schema>(
    message: string,
    schema: S,
    { key }: AskOptions = {},
  ): Promise<Elicited<Parsed<S>>> {
    return this.#ask(() =>
      formQuestion(this.clientCapabilities, message, schema, key, this.#services.validatorOf),
    );
  }

  /**
   * Asks the user to open a page: for secrets, payments and sign-in, which must not pass through the client.
   *
   * @param url - An `https:` URL without anything personal in it.
   */
  elicitUrl(message: string, url: string, { key }: AskOptions = {}): Promise<LinkElicited> {
    return this.#ask(() => linkQuestion(this.clientCapabilities, message, url, key));
  }

  /** Asks the client's model. */
  sample(request: SamplingRequest, { key }: AskOptions = {}): Promise<SamplingResult> {
    return this.#ask(() => samplingQuestion(this.clientCapabilities, request, key));
  }

  /** Asks for the directories and files that the client lets the server know of. */
  roots({ key }: AskOptions = {}): Promise<readonly Root[]> {
    return this.#ask(() => rootsQuestion(this.clientCapabilities, key));
  }

  /**
   * Runs `effect` once, however often the handler runs to ask its questions. Its result travels sealed with the questions, and is what
   * JSON leaves of it in every run: a `Date` is its text, nothing is `null`.
   *
   * @param key - Names the effect within the call: whatever is asked for under a name that is taken gets the result that is
   *   there. In a loop, put what tells one round from another into it.
   * @example
   * ```ts
   * const draft = await ctx.once("draft", () => invoices.create(order));
   * const answer = await ctx.elicit(`Send invoice ${draft.id}?`, z.object({ send: z.boolean() }));
   * ```
   */
  once<T>(key: string, effect: () => T | Promise<T>): Promise<AsJson<T>> {
    return quietly(() => recorded(this.#inquire(), key, effect));
  }

  /** Whether anybody has asked the context about its caller. @internal */
  get consulted(): boolean {
    return this.#consulted;
  }

  /** What the call has asked so far, if anything. @internal */
  get inquiry(): Inquiry | undefined {
    return this.#inquiry;
  }

  /** Takes up what a call that is run again has recorded. Throws where another caller recorded it. @internal */
  resume(): void {
    if (this.#envelope.resumes) this.#inquire();
  }

  /** @internal */
  cancel(reason: unknown): void {
    this.#envelope.cancellation.cancel(reason);
  }

  get #caller(): CallEnvelope {
    this.#consulted = true;
    return this.#envelope;
  }

  #speak(): Voice | undefined {
    const { audience, cancellation } = this.#envelope;
    // Nothing is said after the answer (specification, "Progress › Implementation Notes").
    if (!audience || cancellation.settled) return undefined;
    return (this.#voice ??= new Voice(audience));
  }

  #inquire(): Inquiry | undefined {
    return (this.#inquiry ??= this.#envelope.inquire?.(this.#identity?.principal));
  }

  #ask<T>(makeQuestion: () => Question<T>): Promise<T> {
    return quietly(async () => {
      const { kind } = this.operation;
      if (!MAY_ASK.has(kind))
        throw new ConfigurationError(`A ${kind} cannot ask the client: tools, prompts and resources can.`);
      const question = askable(makeQuestion, this.#envelope.clientCapabilities !== undefined);
      return (this.#inquire() as Inquiry).ask(question);
    });
  }
}
