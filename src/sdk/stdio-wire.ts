/**
 * The SDK's stdio transport, of which only the reading half is used: it drops what is unanswered as soon as the
 * input ends. Here answers go out until {@link StdioWire.close}, and it is known which are still to come.
 */

import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/server";
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { claimedVersion } from "../protocol/envelope.ts";
import { RPC, type RpcError } from "../protocol/jsonrpc.ts";
import { unsupportedVersion } from "../protocol/modern.ts";
import { MODERN } from "../protocol/versions.ts";
import { inspectJson } from "../core/schemas/strict-json.ts";

type Streams = Required<ConstructorParameters<typeof StdioServerTransport>>;

/** A line of input may be so long, in bytes. */
const LONGEST_LINE = 4_194_304;

export class StdioWire implements Transport {
  onclose?: Transport["onclose"];
  onerror?: Transport["onerror"];
  onmessage?: Transport["onmessage"];
  /** Resolves when the input has ended, or neither stream can be used any more. */
  readonly ended: Promise<void>;
  readonly #reader: StdioServerTransport;
  readonly #output: Streams[1];
  readonly #unanswered = new Set<unknown>();
  /** What the client has been asked and has not answered. */
  readonly #asked = new Set<string | number>();
  #inputEnded = false;
  #whenIdle: (() => void)[] = [];
  #closed = false;

  constructor(input: Streams[0], output: Streams[1]) {
    this.#output = output;
    this.#reader = new StdioServerTransport(input, output, { maxBufferSize: LONGEST_LINE });
    this.ended = new Promise((resolve) => {
      Object.assign<Transport, Partial<Transport>>(this.#reader, {
        onclose: () => {
          this.#giveUpAsking();
          resolve();
        },
        onerror: (error) => this.onerror?.(error),
        onmessage: (message) => {
          this.#note(message);
          const error = refusal(message);
          if (error) this.#refuse(message, error);
          else this.onmessage?.(message);
        },
      });
    });
  }

  start(): Promise<void> {
    return this.#reader.start();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) throw new Error("The connection is closed.");
    if ("method" in message && "id" in message) {
      this.#asked.add(message.id);
      if (this.#inputEnded) return this.#giveUpAsking();
    }
    try {
      await new Promise<void>((resolve, reject) => {
        this.#output.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      if (!("method" in message)) this.#settle(message.id);
    }
  }

  /** Resolves when every request that came is answered, or the connection is closed. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#unanswered.size === 0 || this.#closed) resolve();
      else this.#whenIdle.push(resolve);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unanswered.clear();
    this.#release();
    await this.#reader.close();
    this.onclose?.();
  }

  #refuse(message: JSONRPCMessage, error: RpcError): void {
    this.onerror?.(new Error(`A message is refused: ${error.message}`));
    if (!("method" in message && "id" in message)) return;
    this.send({ jsonrpc: "2.0", id: message.id, error }).catch((failure: Error) => this.onerror?.(failure));
  }

  /** Who has ended the input answers nothing any more: a call that waits for an answer need not. */
  #giveUpAsking(): void {
    this.#inputEnded = true;
    const error = { code: RPC.internalError, message: "The client has ended the input." };
    for (const id of this.#asked) this.onmessage?.({ jsonrpc: "2.0", id, error });
    this.#asked.clear();
  }

  #note(message: JSONRPCMessage): void {
    if (!("method" in message)) {
      if (message.id !== undefined) this.#asked.delete(message.id);
      return;
    }
    const { method, params } = message;
    // A cancelled request is not answered, a subscription not before the end.
    if (method === "notifications/cancelled") this.#settle(params?.["requestId"]);
    else if ("id" in message && method !== "subscriptions/listen") this.#unanswered.add(message.id);
  }

  #settle(id: unknown): void {
    this.#unanswered.delete(id);
    if (this.#unanswered.size === 0) this.#release();
  }

  #release(): void {
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

/**
 * Why a message is refused, if it is: for what HTTP would refuse, as far as it can be seen after the SDK has parsed it (of
 * equal keys the last is left, and a whole number that was not exact has become another), and for a revision that is not
 * served, which the SDK looks for in the first message alone (2026-07-28, "Protocol Version Negotiation").
 */
function refusal(message: JSONRPCMessage): RpcError | undefined {
  const problem = inspectJson(message);
  if (problem !== undefined) return { code: RPC.parseError, message: `Parse error: ${problem}` };
  const claim = "method" in message ? claimedVersion({ params: message.params }) : undefined;
  return typeof claim === "string" && claim !== MODERN
    ? unsupportedVersion(claim.slice(0, 64), [MODERN])
    : undefined;
}
