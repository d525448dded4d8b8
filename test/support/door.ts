/** A server behind an authenticator, whose one private tool says who calls: what came of credentials shown to it. */

import {
  type AuthenticateOptions,
  type Authenticator,
  MCPServer,
  type MCPServerOptions,
  authenticate,
} from "gantry-mcp";
import { type CapturedLog, capturedLog } from "./captured-log.ts";
import { listen } from "./listening.ts";
import { type Answer, type RawHeaders, modern, modernHeaders, send } from "./wire.ts";

/** What came of one request: who its caller is found to be, or what is said instead. */
export interface Verdict {
  readonly status: number;
  readonly client?: {
    readonly clientId: string;
    readonly roles: readonly string[];
    readonly scopes: readonly string[];
    readonly claims: Readonly<Record<string, unknown>>;
    readonly issuer?: string;
    readonly subject?: string;
    readonly audience: readonly string[];
    readonly tenantId?: string;
    readonly expiresAt?: number;
  };
  readonly message?: string;
  readonly suggestion?: string;
  readonly retryable?: boolean;
  readonly challenge?: string;
}

export class Door {
  readonly url: string;
  readonly log: CapturedLog;
  readonly close: () => Promise<void>;

  static async open(
    authenticator: Authenticator,
    identity: AuthenticateOptions = {},
    options: Partial<MCPServerOptions> = {},
  ): Promise<Door> {
    const log = capturedLog();
    const server = new MCPServer({ name: "door", version: "1.0.0", logger: log.logger, ...options })
      .use(authenticate(authenticator, identity))
      .tool("whoami", { description: "Says who calls.", auth: true }, (_, { client }) => ({
        ...client,
        roles: [...client.roles],
        scopes: [...client.scopes],
      }));
    const running = await listen(server);
    return new Door(running.url, log, () => running.close());
  }

  private constructor(url: string, log: CapturedLog, close: () => Promise<void>) {
    this.url = url;
    this.log = log;
    this.close = close;
  }

  /** Asks who calls, with these headers, or with this bearer token. */
  async ask(shown: string | RawHeaders = {}, path?: string): Promise<Verdict> {
    const headers = typeof shown === "string" ? { authorization: `Bearer ${shown}` } : shown;
    return verdict(await this.answer(headers, path));
  }

  answer(headers: RawHeaders, path?: string): Promise<Answer> {
    return send(this.url, {
      headers: { ...modernHeaders("tools/call", "whoami"), ...headers },
      body: JSON.stringify(modern("tools/call", { name: "whoami", arguments: {} })),
      ...(path !== undefined && { path }),
    });
  }
}

function verdict({ status, headers, json }: Answer): Verdict {
  const challenge = headers["www-authenticate"];
  const found = { status, ...(challenge !== undefined && { challenge }) };
  if (json?.error) {
    const { message, data } = json.error;
    return {
      ...found,
      message,
      ...(typeof data?.["suggestion"] === "string" && { suggestion: data["suggestion"] }),
      ...(data?.["retryable"] === true && { retryable: true }),
    };
  }
  const { content = [], isError } = (json?.result ?? {}) as {
    readonly content?: readonly { readonly text: string }[];
    readonly isError?: boolean;
  };
  const body = JSON.parse(content[0]?.text ?? "{}") as object;
  return isError ? { ...found, ...(body as { error: object }).error } : { ...found, client: body as never };
}
