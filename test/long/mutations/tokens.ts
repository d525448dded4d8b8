/** Who gets tokens, and for what they hold: the token endpoint for development, and protected resources. */

import type { Room } from "./defence.ts";

const ENDPOINT = "src/auth/token-endpoint.ts";
const REQUEST = "src/auth/token-request.ts";
const REFRESH = "src/auth/refresh-tokens.ts";
const HOSTS = "src/transport/requests/hosts.ts";
const METADATA = "src/auth/resource-metadata.ts";

export const tokensRooms: readonly Room[] = [
  {
    name: "token endpoint",
    tests: ["test/e2e/identity/token-endpoint", "test/unit/auth/refresh-tokens"],
    defences: [
      {
        what: "none in production",
        file: ENDPOINT,
        find: '...(production ? ["is for',
        replace: '...(false ? ["is for',
      },
      {
        what: "none where others reach the server",
        file: ENDPOINT,
        find: '...(exposed ? ["is for',
        replace: '...(false ? ["is for',
      },
      {
        what: "for this machine alone",
        file: "src/transport/http/routes.ts",
        find: "if (local) app.use(at, localOnly);",
        replace: "",
      },
      {
        what: "names of this machine",
        file: HOSTS,
        find: "isLoopback(withoutPort(host).toLowerCase()) &&",
        replace: "true &&",
      },
      {
        what: "pages of this machine",
        file: HOSTS,
        find: "(origin === undefined || LOOPBACK_ORIGIN.test(origin)) &&",
        replace: "true &&",
      },
      {
        what: "proxies by RFC 7239",
        file: HOSTS,
        find: "forwarded === undefined &&",
        replace: "true &&",
      },
      {
        what: "proxies by X-Forwarded-For",
        file: HOSTS,
        find: ', ...(forwardedFor?.split(",") ?? [])',
        replace: "",
      },
      {
        what: "peers of this machine",
        file: HOSTS,
        find: "[peer, ...(",
        replace: "[...(",
        tests: ["test/unit/transport/requests/hosts"],
      },
      {
        what: "peers that are not known",
        file: HOSTS,
        find: "if (peer === undefined) return false;",
        replace: 'peer ??= "127.0.0.1";',
      },
      {
        what: "five attempts a minute",
        file: ENDPOINT,
        find: "if (first === undefined || this.#times.length < MOST_FAILURES) return;",
        replace: "return;",
      },
      {
        what: "wrong secrets count",
        file: ENDPOINT,
        find: "this.#nobody)) {\n      this.#failures.add();",
        replace: "this.#nobody)) {",
      },
      {
        what: "wrong refresh tokens count",
        file: ENDPOINT,
        find: "!== clientId)) {\n      this.#failures.add();",
        replace: "!== clientId)) {",
      },
      {
        what: "secrets",
        file: ENDPOINT,
        find: "if (!equalInConstantTime(",
        replace: "if (false && !equalInConstantTime(",
      },
      {
        what: "unknown clients cost the same",
        file: ENDPOINT,
        find: "if (!equalInConstantTime(",
        replace: "if (!this.#clients.has(id) || !equalInConstantTime(",
      },
      {
        what: "scopes that the client may not have",
        file: ENDPOINT,
        find: "!scopes.every((scope) => granted.includes(scope))",
        replace: "false",
      },
      {
        what: "refresh tokens of others",
        file: ENDPOINT,
        find: "(clientId !== undefined && taken.grant.clientId !== clientId)",
        replace: "false",
      },
      {
        what: "refresh tokens that come twice",
        file: REFRESH,
        find: "if (entry.used) family.revoked = true;",
        replace: "",
      },
      {
        what: "refresh tokens that are over",
        file: REFRESH,
        find: "entry.expiresAt <= Date.now()",
        replace: "false",
      },
      {
        what: "refresh tokens kept at once",
        file: REFRESH,
        find: "this.#entries.delete(oldest);",
        replace: "",
      },
      {
        what: "bodies by their length",
        file: REQUEST,
        find: "const tooLarge = Number(",
        replace: "const tooLarge = false && Number(",
      },
      {
        what: "bodies as they come",
        file: REQUEST,
        find: "readBody(request, LONGEST_BODY)",
        replace: "readBody(request, 1e9)",
      },
      {
        what: "parameters given twice",
        file: REQUEST,
        find: "if (fields.has(name))",
        replace: "if (false)",
      },
      {
        what: "secrets given twice",
        file: REQUEST,
        find: 'if ("client_secret" in fields)',
        replace: "if (false)",
      },
      {
        what: "kept by nobody on the way",
        file: REQUEST,
        find: '"cache-control": "no-store"',
        replace: '"cache-control": "public"',
      },
      {
        what: "tokens of an hour at most",
        file: "src/core/identity/tokens.ts",
        find: "|| longest > HOUR",
        replace: "",
      },
      {
        what: "claims from elsewhere",
        file: "src/core/identity/tokens.ts",
        find: "reserved.length > 0,",
        replace: "false,",
      },
      {
        what: "authenticators that cannot sign",
        file: "src/core/identity/tokens.ts",
        find: '?.issue === "function"',
        replace: '?.issue !== "nothing"',
      },
      {
        what: "paths taken",
        file: "src/transport/http/http-options.ts",
        find: "return clashes ? [",
        replace: "return false ? [",
      },
      {
        what: "none of a closed server",
        file: "src/transport/http/routes.ts",
        find: "lifecycle.closed\n        ? c.json",
        replace: "false\n        ? c.json",
      },
    ],
  },
  {
    name: "resource",
    tests: ["test/e2e/identity/protected-resource"],
    defences: [
      {
        what: "issuer and audience of tokens",
        file: "src/auth/authenticate.ts",
        find: "exposed: exposed || resource !== undefined",
        replace: "exposed",
      },
      {
        what: "names of other servers",
        file: "src/transport/http/http-options.ts",
        find: "publicUrl === undefined || isWithin(publicUrl, resource)",
        replace: "true",
      },
      {
        what: "two documents of one server",
        file: "src/transport/http/http-options.ts",
        find: "(document === undefined || taken.get(path) !== document)",
        replace: "false",
      },
      {
        what: "names written in one way",
        file: METADATA,
        find: "return resource === canonical",
        replace: "return true",
      },
      {
        what: "names over http:",
        file: METADATA,
        find: "if (!isSafeUrl(resource))",
        replace: "if (!URL.canParse(resource))",
      },
      {
        what: "issuers over http:",
        file: METADATA,
        find: "authorizationServers.every(isSafeUrl)",
        replace: "authorizationServers.every((each) => URL.canParse(each))",
      },
      {
        what: "issuers at all",
        file: METADATA,
        find: "authorizationServers.length > 0 &&",
        replace: "",
      },
      {
        what: "scopes for everything",
        file: METADATA,
        find: "return broad.length === 0",
        replace: "return true",
      },
      {
        what: "scopes that no header carries",
        file: METADATA,
        find: "if (!isList(scopes) ||",
        replace: "if (!isList(scopes) || false &&",
      },
      {
        what: "descriptions of nothing",
        file: METADATA,
        find: "return described.length === 0",
        replace: "return true",
      },
      {
        what: "all scopes at once",
        file: "src/auth/authenticate.ts",
        find: "...ctx.operation.scopes, ...error.missingScopes",
        replace: "...error.missingScopes.slice(0, 1)",
      },
      {
        what: "what stands in quotes",
        file: "src/auth/challenge.ts",
        find: "return value.replace(",
        replace: "return value; value.replace(",
      },
      {
        what: "included by spelling",
        file: "src/auth/authenticate.ts",
        find: "const all = new Set(scopes);",
        replace:
          'const all = new Set(scopes); for (const one of scopes) all.add(one.split("write")[0] ?? "");',
      },
    ],
  },
];
