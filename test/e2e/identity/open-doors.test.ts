/** Every route and every method, without a token: only what is declared public answers. */

import { METHODS } from "node:http";
import type { ListeningServer } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { canary, closedServer, components, ownersToken } from "../../support/closed-server.ts";
import { methods, paths } from "../../support/every-method.ts";
import { listen } from "../../support/listening.ts";
import { type Answer, META, modernHeaders, send } from "../../support/wire.ts";

const owner = { authorization: `Bearer ${ownersToken}` };
const REVISIONS = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"] as const;

const WAYS = [
  ...REVISIONS.map((version) => ({ version, over: "http" as const })),
  { version: "2025-03-26" as const, over: "batch" as const },
  { version: "2025-11-25" as const, over: "session" as const },
];

/** What is asked about a component, by method: its canary is in the answer. */
const ABOUT: Readonly<Record<string, (name: string) => readonly object[]>> = {
  "tools/call": (name) => [{ name, arguments: {} }],
  "resources/read": (name) => [{ uri: `fixed://${name}` }, { uri: `${name.replaceAll("_", "-")}://x` }],
  "prompts/get": (name) => [{ name, arguments: {} }],
  "completion/complete": (name) => [
    { ref: { type: "ref/prompt", name }, argument: { name: "value", value: "" } },
    {
      ref: { type: "ref/resource", uri: `${name.replaceAll("_", "-")}://{value}` },
      argument: { name: "value", value: "" },
    },
  ],
};

/** What every method is given: what some ask for, and nothing. */
const ANYTHING = [
  {},
  { name: "own_auth", uri: "fixed://own_auth", arguments: {}, notifications: {}, level: "info" },
  { name: "nope", uri: "nope://x", arguments: {}, notifications: { toolsListChanged: true } },
  { uri: "fixed://own_auth", notifications: { resourceSubscriptions: ["fixed://own_auth"] } },
  {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "stranger", version: "1.0.0" },
  },
];

class Door {
  readonly url: string;
  readonly #close: () => Promise<void>;
  /** Sessions: the owner's, and a stranger's where a stranger may open one. */
  readonly sessions: Readonly<Record<"owner" | "stranger", string>>;
  #id = 0;

  static async open(open: boolean): Promise<Door> {
    const running: ListeningServer = await listen(
      closedServer({ open, logger: capturedLog().logger, http: { sessions: true } }).enableMetrics(),
    );
    const handshake = ANYTHING.at(-1);
    const session = async (credentials: Record<string, string>) => {
      const opened = await send(running.url, {
        headers: { ...legacyHeaders("2025-11-25"), ...credentials },
        body: JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: handshake }),
      });
      return opened.headers["mcp-session-id"] as string | undefined;
    };
    const ownersSession = (await session(owner)) as string;
    return new Door(running, { owner: ownersSession, stranger: (await session({})) ?? ownersSession });
  }

  private constructor(running: ListeningServer, sessions: Door["sessions"]) {
    this.url = running.url;
    this.#close = () => running.close();
    this.sessions = sessions;
  }

  ask(
    { version, over }: (typeof WAYS)[number],
    method: string,
    params: object,
    credentials: Record<string, string> = {},
  ): Promise<Answer> {
    const isModern = version === "2026-07-28";
    const { name, uri } = params as { name?: string; uri?: string };
    const named = method.startsWith("resources/") ? uri : name;
    const message = {
      jsonrpc: "2.0",
      ...(!method.startsWith("notifications/") && { id: ++this.#id }),
      method,
      params: { ...(isModern && { _meta: META }), ...params },
    };
    return send(this.url, {
      headers: {
        ...(isModern ? modernHeaders(method, named) : legacyHeaders(version)),
        ...(over === "session" && {
          "mcp-session-id": this.sessions[credentials === owner ? "owner" : "stranger"],
        }),
        ...credentials,
      },
      body: JSON.stringify(over === "batch" ? [message] : message),
    });
  }

  close(): Promise<void> {
    return this.#close();
  }
}

function legacyHeaders(version: string): Record<string, string> {
  const { "mcp-method": _method, ...headers } = modernHeaders("x");
  return { ...headers, "mcp-protocol-version": version };
}

const known = (open: boolean) => components(open).map(({ name }) => name);

describe.each(WAYS)("revision $version, over $over", (way) => {
  let mixed: Door;
  let closed: Door;
  beforeAll(async () => {
    mixed = await Door.open(true);
    closed = await Door.open(false);
  });
  afterAll(() => Promise.all([mixed.close(), closed.close()]));

  test("where nothing is public, every method asks for credentials, whatever comes with it", async () => {
    const answered: string[] = [];
    for (const method of methods) {
      for (const params of ANYTHING) {
        const { status, headers } = await closed.ask(way, method, params);
        if (status !== 401 || !String(headers["www-authenticate"]).startsWith("Bearer"))
          answered.push(`${method} ${JSON.stringify(params)}: ${status}`);
      }
    }
    expect(answered).toEqual([]);
    expect(methods.length).toBeGreaterThan(30);
  });

  test.each(Object.entries(ABOUT))(
    "%s answers for what is public, and for nothing else",
    async (method, about) => {
      const wrong: string[] = [];
      for (const { name, isPublic } of components(true)) {
        for (const params of about(name)) {
          const tells = ({ text }: Answer) => text.includes(canary(name));
          const anybody = await mixed.ask(way, method, params);
          const itsOwner = await mixed.ask(way, method, params, owner);
          if (tells(anybody) !== isPublic || !tells(itsOwner))
            wrong.push(`${JSON.stringify(params)}: ${anybody.status} ${anybody.text} ${itsOwner.text}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  test("no method tells of what is private, whatever comes with it", async () => {
    const isPrivate = new Set(components(true).flatMap(({ name, isPublic }) => (isPublic ? [] : [name])));
    const told: string[] = [];
    for (const method of methods) {
      for (const params of ANYTHING) {
        // A subscription stays open: what it is told is tried below.
        if (method === "subscriptions/listen" && "notifications" in params) continue;
        const { text } = await mixed.ask(way, method, params);
        for (const name of isPrivate) if (text.includes(canary(name))) told.push(`${method}: ${name}`);
      }
    }
    expect(told).toEqual([]);
  });

  test("lists show anybody what is public, and their owner everything", async () => {
    for (const method of methods.filter((each) => each.endsWith("/list") && !/roots|tasks/.test(each))) {
      const anybody = await mixed.ask(way, method, {});
      const itsOwner = await mixed.ask(way, method, {}, owner);
      const shown = ({ text }: Answer) => known(true).filter((name) => text.includes(`"${canary(name)}"`));
      expect([method, shown(anybody)]).toEqual([
        method,
        known(true).filter((name) => name.endsWith("_public")),
      ]);
      expect([method, shown(itsOwner)]).toEqual([method, known(true)]);
    }
  });
});

test("where what says nothing is for anybody, what asks for something is not", async () => {
  const server = closedServer({ open: true, optional: true, logger: capturedLog().logger });
  const stranger = await TestClient.connect(server);
  const wrong: string[] = [];
  for (const { name, isPublic } of components(true)) {
    const isOpen = isPublic || name.endsWith("_nothing");
    for (const [method, about] of Object.entries(ABOUT)) {
      for (const params of about(name)) {
        const answer = await stranger.request(method, { ...params }).catch((error: Error) => error);
        if (JSON.stringify(answer).includes(canary(name)) !== isOpen) wrong.push(`${method} ${name}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  await server.close();
});

test("subscriptions follow for anybody what is public, and nothing else", async () => {
  const server = closedServer({ open: true, logger: capturedLog().logger });
  const uris = known(true).flatMap((name) => [`fixed://${name}`, `${name.replaceAll("_", "-")}://x`]);
  const follow = { resourceSubscriptions: uris };
  const stranger = await (await TestClient.connect(server)).listen(follow);
  expect(stranger.acknowledged).toEqual({
    resourceSubscriptions: uris.filter((uri) => /[-_]public(?::|$)/.test(uri)),
  });
  const itsOwner = await (await TestClient.connect(server, { token: ownersToken })).listen(follow);
  expect(itsOwner.acknowledged).toEqual(follow);
  for (const uri of uris) server.notify.resourceUpdated(uri);
  for (const { uri } of [{ uri: "fixed://own_public" }, { uri: "own-public://x" }])
    expect(await stranger.next()).toEqual({ method: "notifications/resources/updated", params: { uri } });
  expect(await itsOwner.next()).toMatchObject({ params: { uri: "fixed://own_nothing" } });
  await server.close();
});

describe("beside messages", () => {
  let closed: Door;
  beforeAll(async () => {
    closed = await Door.open(false);
  });
  afterAll(() => closed.close());

  test("the stream of a session, and its end, ask for credentials", async () => {
    const headers = { accept: "text/event-stream", "mcp-session-id": closed.sessions.owner };
    expect((await send(closed.url, { method: "GET", headers })).status).toBe(401);
    expect((await send(closed.url, { method: "DELETE", headers })).status).toBe(401);
    const alive = await closed.ask({ version: "2025-11-25", over: "session" }, "ping", {}, owner);
    expect(alive.status).toBe(200);
  });

  /** A way to write a path that a careless server takes for another. */
  const disguises = (path: string) => [
    path,
    `${path}/`,
    `/${path}`,
    `${path}//`,
    `${path}?x=1`,
    `${path}/..`,
    `${path};x`,
    `${path}%00`,
    path.toUpperCase(),
    path.replace(/.$/, (last) => `%${last.charCodeAt(0).toString(16)}`),
    `/x/..${path}`,
  ];

  /** Methods that are tried with disguises too. */
  const USUAL = ["GET", "HEAD", "POST", "DELETE", "OPTIONS"];

  /** What is meant by a path, as WHATWG URLs have it. */
  const plain = (path: string) => {
    const { pathname } = new URL(path, "http://localhost");
    return pathname.includes("%") ? decodeURIComponent(pathname) : pathname;
  };

  test("no path answers by any method, but health and the metadata that challenges name", async () => {
    const call = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "own_nothing", arguments: {} },
    });
    const answered = new Set<string>();
    const told: string[] = [];
    const places = paths.flatMap((path) => [path, `${path}/mcp`]);
    for (const path of places.flatMap(disguises)) {
      const isPlain = places.includes(path);
      for (const method of METHODS) {
        if (method === "CONNECT" || !(isPlain || USUAL.includes(method))) continue;
        const { status, text } = await send(closed.url, {
          method,
          path,
          headers: legacyHeaders("2025-11-25"),
          body: method === "GET" || method === "HEAD" ? "" : call,
        });
        if (status < 400) answered.add(`${method} ${plain(path)} ${status}`);
        if (text.includes("canary")) told.push(`${method} ${path}`);
      }
    }
    expect(told).toEqual([]);
    expect([...answered].toSorted()).toEqual(
      [
        ...["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"].flatMap(
          (path) => [`GET ${path} 200`, `HEAD ${path} 200`, `OPTIONS ${path} 204`],
        ),
        ...["/health/live", "/health/ready", "/health/startup"].flatMap((path) => [
          `GET ${path} 200`,
          `HEAD ${path} 200`,
        ]),
      ].toSorted(),
    );
  }, 60_000);
});
