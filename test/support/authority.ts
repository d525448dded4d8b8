/** An authorization server on loopback, as good or bad as a test wants it: it counts what it is asked. */

import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text as readText } from "node:stream/consumers";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What is answered: JSON, or whatever a function writes. */
type Reply = object | ((asked: Asked, response: ServerResponse) => void);

export class Authority {
  /** Its issuer identifier, and the origin of its endpoints. */
  readonly issuer: string;
  /** What it was asked, in order. */
  readonly asked: Asked[] = [];
  readonly #replies = new Map<string, Reply>();
  readonly #close: () => Promise<void>;

  static async start(port = 0): Promise<Authority> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    const authority = new Authority(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async () => {
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await closed;
      },
    );
    server.on("request", (request, response) => void authority.#answer(request, response));
    return authority;
  }

  private constructor(issuer: string, close: () => Promise<void>) {
    this.issuer = issuer;
    this.#close = close;
  }

  /** Answers `path` so from now on. */
  serve(path: string, reply: Reply): this {
    this.#replies.set(path, reply);
    return this;
  }

  /** How often `path` was asked. */
  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }

  close(): Promise<void> {
    return this.#close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = request;
    const asked = { method, path, headers, body: await readText(request) };
    this.asked.push(asked);
    const reply = this.#replies.get(path);
    if (typeof reply === "function") return reply(asked, response);
    response.writeHead(reply ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(reply ?? {}));
    return undefined;
  }
}
