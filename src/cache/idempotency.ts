/** Calls that have their effect once, however often they are sent. */

import type { IdempotencyPlan } from "../core/components/caching.ts";
import type { ToolDefinition } from "../core/components/definitions.ts";
import {
  type RequestContext,
  cancellationOf,
  describeResponse,
  identityOf,
  originOf,
  servicesOf,
} from "../core/calls/context.ts";
import { MCPError, ValidationError, refusal } from "../core/errors.ts";
import { unreadableStore } from "../core/refusals.ts";
import type { Around } from "../core/sealed/heart.ts";
import type { IdempotencyStore, Logger } from "../core/ports.ts";
import type { CallEvent } from "../core/calls/observers.ts";
import { dataKey } from "./key.ts";
import { packed, unpacked } from "./results.ts";

/** How a client names a call in its `_meta`, and in a header (draft-ietf-httpapi-idempotency-key-header). */
const META = "idempotencyKey";
const HEADER = "idempotency-key";
const LONGEST = 255;
const DIFFERS = `The header names another call than _meta.${META}: send one of the two, or the same in both`;

/** How long a call that does not end, or whose process ended, keeps others waiting once its time is up; in milliseconds. */
const CLAIM_AFTER = 60_000;

/** How often it is asked whether a call of another process has ended, in milliseconds. */
const LOOK_AFTER = 250;

const FIRST: CallEvent = { kind: "idempotency", outcome: "first" };
const REPLAYED: CallEvent = { kind: "idempotency", outcome: "replayed" };

/** What is known of a key: what stands for the arguments of its first call, and once that has ended its result. */
interface Known {
  /** Left out where the key is made of them. */
  readonly args?: string | undefined;
  readonly claim: string;
  readonly result?: string;
  /** It has ended, and its result is too large for the store. */
  readonly tooLarge?: true;
}

/** The tool whose calls have their effect once. */
export interface Idempotent {
  /** The name of the server. */
  readonly name: string;
  readonly definition: ToolDefinition;
  readonly plan: IdempotencyPlan;
  /** The time limit of its calls, in milliseconds. */
  readonly timeout: number;
  readonly store: IdempotencyStore;
  readonly logger: Logger;
}

/** Runs the first call of a key. Others with the same arguments wait for it, and are given its result. */
export function idempotent({ name, definition, plan, timeout, store, logger }: Idempotent): Around {
  const prefix = JSON.stringify([name, definition.key]);
  /** Resolve when calls of this process have ended. */
  const underWay = new Map<string, Promise<unknown>>();

  /** Holds a claim until its call has an answer: the time that a user takes to give theirs is none of the call's. */
  const hold = (key: string, claimed: string, ctx: RequestContext) => {
    const cancellation = cancellationOf(ctx);
    const renew = async () => {
      if (cancellation.settled || cancellation.cancelled) return;
      try {
        await store.replace(key, claimed, claimed, timeout + CLAIM_AFTER);
      } catch (err) {
        logger.warn({ name: definition.key, err }, "The claim of an idempotent call could not be renewed");
      }
    };
    const timer = setInterval(() => void renew(), timeout);
    return () => clearInterval(timer);
  };

  let told = false;
  const keep = async (key: string, claimed: string, known: Known, result: string) => {
    const kept = await store.replace(key, claimed, JSON.stringify({ ...known, result }), plan.ttl);
    if (kept !== false) return;
    if (!told)
      logger.warn(
        { name: definition.key, characters: result.length },
        "A result of an idempotent tool is too large to be kept: the same call is refused, and not run again",
      );
    told = true;
    await store.replace(key, claimed, JSON.stringify({ ...known, tooLarge: true }), plan.ttl);
  };

  const first = async (key: string, known: Known, ctx: RequestContext, run: () => unknown) => {
    const claimed = JSON.stringify(known);
    const letGo = hold(key, claimed, ctx);
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    underWay.set(key, ended);
    let result: unknown;
    let text: string | undefined;
    try {
      result = await run();
      // A call that has yet to ask runs again with the answers.
      text = ctx.inquiry?.pending ? undefined : packed(result, ctx.metadata);
      return result;
    } finally {
      letGo();
      try {
        // What has failed may be tried again. What has succeeded has, also where nobody waits for it any more.
        if (text === undefined) await store.release(key, claimed);
        else await keep(key, claimed, known, text);
      } catch (err) {
        logger.error({ name: definition.key, err }, "What an idempotent call came to could not be recorded");
      }
      if (underWay.get(key) === ended) underWay.delete(key);
      end();
    }
  };

  /** What a record says, and the result in it. */
  const known = (record: string) => {
    try {
      const before = JSON.parse(record) as Known;
      const { claim, result } = before;
      if (typeof claim !== "string") throw new TypeError("It is no claim.");
      return { ...before, given: result === undefined ? undefined : unpacked(result, "tool") };
    } catch (err) {
      // Nobody knows whether the call was carried out.
      const message =
        "A record of an idempotent call cannot be read: the call is refused until it is deleted";
      logger.error({ name: definition.key, err }, message);
      throw unreadableStore(err);
    }
  };

  return async (args, ctx, run) => {
    const named = clientKey(ctx);
    if (named === undefined && plan.key === "client") return run(ctx);
    const print = dataKey(args);
    if (print === undefined)
      throw new Error(
        `Tool "${definition.key}" is idempotent, and its arguments hold objects that are not plain data: let its input give JSON values, or say idempotent: false.`,
      );
    const key = `${prefix}${caller(ctx)}${named === undefined ? `=${print}` : JSON.stringify(named)}`;
    const own = named === undefined ? undefined : (store.fingerprint?.(print) ?? print);
    const claim: Known = { args: own, claim: crypto.randomUUID() };
    const cancellation = cancellationOf(ctx);
    for (;;) {
      const there = await store.claim(key, JSON.stringify(claim), timeout + CLAIM_AFTER);
      if (there === undefined) {
        servicesOf(ctx).observe?.(ctx, FIRST);
        return first(key, claim, ctx, () => run(ctx));
      }
      const before = known(there);
      if (before.args !== own) throw reused();
      if (before.given) {
        describeResponse(ctx, before.given.metadata);
        servicesOf(ctx).observe?.(ctx, REPLAYED);
        return before.given.result;
      }
      if (before.tooLarge) throw notKept();
      await untilEnded(underWay.get(key));
      if (cancellation.cancelled) throw cancellation.reason;
    }
  };
}

async function untilEnded(ended: Promise<unknown> | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = new Promise((resolve) => (timer = setTimeout(resolve, LOOK_AFTER)));
  await Promise.race([ended ?? later, later]);
  clearTimeout(timer);
}

/** Nobody is given what another's call came to, nor learns that there was one. */
function caller(ctx: RequestContext): string {
  const identity = identityOf(ctx);
  return JSON.stringify(identity ? ["caller", identity.principal] : ["address", originOf(ctx).address?.()]);
}

/** The key that the client gave the call, if any; in a header it may stand in quotes (RFC 9651, section 3.3.3). */
function clientKey(ctx: RequestContext): string | undefined {
  const named = ctx.meta[META];
  const header = originOf(ctx)
    .header(HEADER)
    ?.trim()
    .replace(/^"(.*)"$/, "$1");
  const key = named ?? header;
  if (key === undefined) return undefined;
  // Whichever counted, the other would be a promise that is not kept.
  if (header !== undefined && header !== key)
    throw refusal(() => new ValidationError({ "Idempotency-Key": DIFFERS }));
  if (typeof key === "string" && key !== "" && key.length <= LONGEST) return key;
  const place = named === undefined || named === null ? "Idempotency-Key" : `_meta.${META}`;
  throw refusal(() => new ValidationError({ [place]: `Expected a text of 1 to ${LONGEST} characters` }));
}

function notKept(): MCPError {
  return refusal(
    () =>
      new MCPError("This very call was carried out before, and its result is too large to be given again", {
        code: "RESULT_NOT_KEPT",
        suggestion:
          "It has had its effect: do not send it again. Ask for what has come of it by other means.",
      }),
  );
}

function reused(): MCPError {
  return refusal(
    () =>
      new MCPError("The idempotency key was used before, with other arguments", {
        code: "IDEMPOTENCY_KEY_REUSED",
        suggestion: "Give each call a key of its own; repeat a key only to repeat the very same call.",
      }),
  );
}
