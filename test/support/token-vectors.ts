/** Tokens that hold and tokens that must not, made for each kind of key: one line of a table is one token. */

import { createPublicKey, createSecretKey } from "node:crypto";
import {
  AUDIENCE,
  ISSUER,
  type SigningKey,
  base64url,
  ecKey,
  edKey,
  goodClaims,
  publicJwk,
  publicPem,
  rsaKey,
  signed,
  signedTexts,
} from "./signing.ts";

export type Vector = readonly [what: string, token: string];

/** Makes tokens for a server that trusts `key`. */
export type Vectors = (key: SigningKey) => readonly Vector[];

const now = () => Math.floor(Date.now() / 1_000);

/** A line for each value: the name that JSON gives it, and the token that has it. */
const each = (
  what: string,
  values: readonly unknown[],
  token: (value: unknown) => string,
): readonly Vector[] =>
  values.map((value) => [`${what} ${JSON.stringify(value) ?? "left out"}`, token(value)]);

const withClaim = (key: SigningKey, name: string, values: readonly unknown[]) =>
  each(name, values, (value) => signed(key, { [name]: value }));

const withHeader = (key: SigningKey, name: string, values: readonly unknown[]) =>
  each(name, values, (value) => signed(key, {}, { [name]: value }));

/** The last segment replaced. */
const resigned = (token: string, change: (signature: string) => string) => {
  const [header, payload, own = ""] = token.split(".");
  return `${header}.${payload}.${change(own)}`;
};

/** One character changed to the next of the alphabet. */
const nudged = (text: string, index: number) => {
  const at = index < 0 ? text.length + index : index;
  return `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
};

/** URLs that look like `url` and are others. */
const lookAlikes = (url: string): readonly string[] => {
  const { origin, host, pathname } = new URL(url);
  return [
    `${url}/`,
    `${url}?`,
    `${url}#`,
    `${url} `,
    ` ${url}`,
    `${url}\u0000`,
    `${url}\u200b`,
    `${url}.evil.example`,
    `${url}@evil.example`,
    `${url},https://evil.example`,
    url.toUpperCase(),
    url.replace("https", "HTTPS"),
    url.replace("https:", "http:"),
    url.replace("https://", ""),
    url.replace("https://", "https://user@"),
    url.replace("https://", "https://evil."),
    url.replace(host, `${host}:443`),
    url.replace(host, `${host}.`),
    url.replace(host, `${host}.evil.example`),
    url.replace("e", "е"), // CYRILLIC SMALL LETTER IE
    url.replace("example", "examp1e"),
    encodeURIComponent(url),
    `${origin}${pathname}/../evil`,
    origin.slice(0, -1),
    "*",
    "https://*",
    ".*",
    "",
  ];
};

/** Every one of these holds. */
export const accepted: Vectors = (key) => [
  ["plain", signed(key)],
  ...withHeader(key, "typ", [
    undefined,
    "JWT",
    "jwt",
    "at+jwt",
    "AT+JWT",
    "application/at+jwt",
    "application/jwt",
  ]),
  ...withClaim(key, "aud", [AUDIENCE, [AUDIENCE], ["https://other.example.com", AUDIENCE]]),
  ...withClaim(key, "exp", [now() + 60, now() + 0.5, now() - 10, now() + 86_400 * 3_650]),
  ...withClaim(key, "nbf", [0, now(), now() + 10, now() - 0.5]),
  ...withClaim(key, "iat", [undefined, 0, now() - 0.5]),
  ...withClaim(key, "sub", [undefined, "", "ünïcödé ☃", "constructor"]),
  ...withClaim(key, "roles", [undefined, [], "admin", ["admin", 7, null], { admin: true }, 7]),
  ...withClaim(key, "scope", [undefined, "", "a b  c", ["a", "b"], 7]),
  ["a large token", signed(key, { note: "n".repeat(4_500) })],
  ["claims in objects", signed(key, { realm_access: { roles: ["admin"] } })],
  ["a claim named as what objects have", signed(key, { constructor: { prototype: {} }, toString: "text" })],
  // What the header says of keys counts for nothing: the signature is the trusted key's.
  [
    "a key of its own beside",
    signed(key, {}, { jku: "https://evil.example/jwks", x5u: "https://evil.example" }),
  ],
  [
    "a header in another order",
    signedTexts(key, JSON.stringify({ kid: key.kid, alg: key.alg }), JSON.stringify(goodClaims())),
  ],
  [
    "spaces in its JSON",
    signedTexts(
      key,
      JSON.stringify({ alg: key.alg, kid: key.kid }, null, 2),
      JSON.stringify(goodClaims(), null, 2),
    ),
  ],
];

const others = { rsa: rsaKey("RS256"), ec: ecKey("ES256"), ed: edKey("EdDSA") };

/** What anybody knows of a key, and might sign with. */
function knownOf(key: SigningKey): readonly (string | Uint8Array)[] {
  const guesses = ["secret", "undefined", "null", key.kid ?? "kid", AUDIENCE, ISSUER];
  if (key.key.type === "secret") return guesses;
  const pem = publicPem(key);
  const jwk = publicJwk(key);
  const half = createPublicKey(key.key);
  return [
    ...guesses,
    pem,
    pem.trimEnd(),
    pem.replaceAll("\n", "\r\n"),
    pem.replace(/-----[^-]*-----|\n/g, ""),
    half.export({ format: "der", type: "spki" }),
    JSON.stringify(jwk),
    JSON.stringify(half.export({ format: "jwk" })),
    Buffer.from(String(jwk["n"] ?? jwk["x"]), "base64url"),
    String(jwk["n"] ?? jwk["x"]),
  ];
}

const HMACS = ["HS256", "HS384", "HS512"] as const;
const ASYMMETRIC = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "EdDSA",
  "Ed25519",
];

/** None of these holds, whichever key is trusted. */
export const refused: Readonly<Record<string, Vectors>> = {
  "no algorithm": (key) =>
    [
      "none",
      "None",
      "NONE",
      "nOnE",
      "none ",
      "",
      " ",
      key.alg.toLowerCase(),
      `${key.alg} `,
      ` ${key.alg}`,
      `${key.alg}\u0000`,
      [key.alg],
      { [key.alg]: 1 },
      null,
      0,
      true,
      undefined,
    ].flatMap((alg): readonly Vector[] => {
      const name = `alg ${JSON.stringify(alg) ?? "left out"}`;
      const token = signed(key, {}, { alg });
      return [
        [`${name}, signed by the trusted key`, token],
        [`${name}, unsigned`, resigned(token, () => "")],
      ];
    }),

  "another algorithm": (key) => [
    // What is public signs nothing.
    ...HMACS.filter((alg) => alg !== key.alg).flatMap((alg) =>
      knownOf(key).map((known, index): Vector => {
        const attacker = { ...key, alg, key: createSecretKey(Buffer.from(known)) };
        return [`${alg} with what is known, no. ${index}`, signed(attacker)];
      }),
    ),
    ...(key.alg === "HS256" ? knownOf(key) : []).map((known, index): Vector => [
      `a guessed secret, no. ${index}`,
      signed({ ...key, key: createSecretKey(Buffer.from(known)) }),
    ]),
    // Another key's signature, under its own name and under that of the trusted one.
    ...Object.values(others).flatMap((other): readonly Vector[] => [
      [`${other.alg} of another key`, signed({ ...other, ...(key.kid !== undefined && { kid: key.kid }) })],
      [`${other.alg} of another key, named ${key.alg}`, signed(other, {}, { alg: key.alg, kid: key.kid })],
      [
        `${other.alg} of another key that is in the header`,
        signed(other, {}, { jwk: publicJwk(other), kid: key.kid }),
      ],
      [
        `${key.alg} of another key that is in the header`,
        signed(other, {}, { alg: key.alg, jwk: publicJwk(other), kid: key.kid }),
      ],
    ]),
    // Ed25519 has two names (RFC 9864), and both are its own.
    ...ASYMMETRIC.filter((alg) => alg !== key.alg && !(alg === "Ed25519" && key.alg === "EdDSA")).map(
      (alg): Vector => [`renamed to ${alg}`, signed(key, {}, { alg })],
    ),
    [
      "another key's, fetched from jku",
      signed(others.rsa, {}, { alg: key.alg, kid: key.kid, jku: "https://evil.example/jwks" }),
    ],
    [
      "another key's, with its certificate",
      signed(others.rsa, {}, { alg: key.alg, kid: key.kid, x5c: ["MIIB"], x5u: "https://evil.example" }),
    ],
  ],

  "extensions that must be understood": (key) => [
    ...withHeader(key, "crit", [["exp"], ["b64"], ["alg"], ["unknown"], [], "exp", null, {}, 1]),
    ...withHeader(key, "b64", [false, true, null, "false"]),
    ["b64 declared as critical", signed(key, {}, { b64: false, crit: ["b64"] })],
    [
      "an extension that is there",
      signed(key, {}, { crit: ["http://example.com/UNDEFINED"], "http://example.com/UNDEFINED": true }),
    ],
  ],

  "a key id that reaches further": (key) =>
    [
      "../../../../dev/null",
      "/dev/null",
      "' UNION SELECT '' --",
      "key; cat /etc/passwd",
      "http://127.0.0.1/jwks",
      "__proto__",
      "constructor",
      "\u0000",
      "%00",
      "",
      "k".repeat(2_000),
    ].flatMap((kid): readonly Vector[] => [
      [`kid ${JSON.stringify(kid).slice(0, 40)}, an empty key`, signed(secret(""), {}, { kid })],
      [`kid ${JSON.stringify(kid).slice(0, 40)}, itself the key`, signed(secret(kid), {}, { kid })],
      [`kid ${JSON.stringify(kid).slice(0, 40)}, another key`, signed(others.rsa, {}, { alg: key.alg, kid })],
    ]),

  "a key id that is no text": (key) => withHeader(key, "kid", [1, null, [], {}, true, [key.kid ?? "kid"]]),

  "another type": (key) =>
    withHeader(key, "typ", [
      "logout+jwt",
      "secevent+jwt",
      "dpop+jwt",
      "kb+jwt",
      "vc+jwt",
      "oauth-authz-req+jwt",
      "token-introspection+jwt",
      "client-authentication+jwt",
      "JWE",
      "JOSE",
      "id_token",
      "",
      " JWT",
      "JWT ",
      "at+jwt;x=1",
      "application/at+jwt+x",
      1,
      null,
      ["JWT"],
      {},
    ]),

  "another form": (key) => {
    const token = signed(key);
    const [header = "", payload = "", own = ""] = token.split(".");
    const [, , of = ""] = signed(key).split(".");
    return [
      ["its header alone", header],
      ["no signature segment", `${header}.${payload}`],
      ["an empty signature", `${header}.${payload}.`],
      ["an empty payload", `${header}..${own}`],
      ["an empty header", `.${payload}.${own}`],
      ["four segments", `${token}.${own}`],
      ["five segments, as encrypted ones have", `${header}.${payload}.${own}.${own}.${own}`],
      ["dots alone", ".".repeat(2)],
      ["many dots", ".".repeat(8_000)],
      ["a padded signature", `${token}=`],
      ["a padded payload", `${header}.${payload}==.${own}`],
      ["a plus sign", resigned(token, (text) => `+${text.slice(1)}`)],
      ["a slash", resigned(token, (text) => `/${text.slice(1)}`)],
      ["a percent sign", resigned(token, (text) => `%41${text.slice(1)}`)],
      ["a signature that is cut", resigned(token, (text) => text.slice(0, -4))],
      ["a signature that is longer", resigned(token, (text) => `${text}AAAA`)],
      [
        "a signature of zeros",
        resigned(token, (text) => base64url(Buffer.alloc(Buffer.from(text, "base64url").length))),
      ],
      [
        "a signature of ones",
        resigned(token, (text) => base64url(Buffer.alloc(Buffer.from(text, "base64url").length, 0xff))),
      ],
      ["a huge signature", resigned(token, () => "A".repeat(6_000))],
      ["another token's signature", resigned(token, () => of)],
      ["a bit of the signature's beginning", resigned(token, (text) => nudged(text, 0))],
      ["a bit of the signature's middle", resigned(token, (text) => nudged(text, text.length >> 1))],
      ["a bit of the signature's end", resigned(token, (text) => nudged(text, -1))],
      ["a bit of the payload", `${header}.${nudged(payload, 20)}.${own}`],
      ["a bit of the header", `${nudged(header, 12)}.${payload}.${own}`],
      [
        "a signature in another encoding",
        resigned(token, (text) => Buffer.from(text, "base64url").toString("hex")),
      ],
      [
        "JSON serialisation",
        base64url(JSON.stringify({ payload, signatures: [{ protected: header, signature: own }] })),
      ],
      ["a longer one than is read", signed(key, { note: "n".repeat(8_000) })],
      ["8,192 letters", "A".repeat(8_192)],
    ];
  },

  "a header that is none": (key) =>
    headers(key).map(([what, text]): Vector => [what, signedTexts(key, text, JSON.stringify(goodClaims()))]),

  "a payload that is none": (key) =>
    payloads().map(([what, text]): Vector => [
      what,
      signedTexts(key, JSON.stringify({ alg: key.alg, kid: key.kid }), text),
    ]),

  "a token within a token": (key) => [
    ["as payload", signedTexts(key, JSON.stringify({ alg: key.alg, kid: key.kid, cty: "JWT" }), signed(key))],
    [
      "as text",
      signedTexts(
        key,
        JSON.stringify({ alg: key.alg, kid: key.kid, cty: "JWT" }),
        JSON.stringify(signed(key)),
      ),
    ],
    ["as header", `${signed(key).replaceAll(".", "")}.${signed(key)}`],
    ["as audience", signed(key, { aud: signed(key) })],
  ],

  expiry: (key) =>
    withClaim(key, "exp", [
      undefined,
      null,
      "",
      "9999999999",
      "tomorrow",
      "2999-01-01T00:00:00Z",
      true,
      [],
      [9_999_999_999],
      {},
      0,
      -1,
      1,
      now() - 31,
      now() - 86_400,
      Date.now() + 3_600_000,
      1e300,
      Number.MAX_SAFE_INTEGER,
    ]),

  "not before": (key) =>
    withClaim(key, "nbf", [now() + 45, now() + 86_400, Date.now(), "0", "now", null, true, [], {}, 1e300]),

  "issued at": (key) => withClaim(key, "iat", ["0", "now", null, true, [], {}, Date.now()]),

  audience: (key) => [
    ...withClaim(key, "aud", [
      undefined,
      null,
      1,
      true,
      {},
      [],
      [[AUDIENCE]],
      [AUDIENCE, 1],
      [AUDIENCE, null],
      { [AUDIENCE]: true },
      { 0: AUDIENCE, length: 1 },
      `${AUDIENCE} https://other.example.com`,
    ]),
    ...withClaim(key, "aud", lookAlikes(AUDIENCE)),
    ["all look-alikes at once", signed(key, { aud: lookAlikes(AUDIENCE) })],
    ["the audience as issuer", signed(key, { aud: ISSUER, iss: AUDIENCE })],
  ],

  issuer: (key) => [
    ...withClaim(key, "iss", [undefined, null, 1, true, {}, [], [ISSUER], { [ISSUER]: true }]),
    ...withClaim(key, "iss", lookAlikes(ISSUER)),
  ],

  subject: (key) => withClaim(key, "sub", [null, 1, true, [], ["agent-prod"], { id: "agent-prod" }]),
};

function secret(text: string): SigningKey {
  return { alg: "HS256", key: createSecretKey(Buffer.from(text)) };
}

type Text = readonly [what: string, text: string | Uint8Array];

/** Texts that are no JSON object, or one that could be read in two ways. */
const objects = (inner: string): readonly Text[] => [
  ["an array", `[{${inner}}]`],
  ["a text", JSON.stringify(`{${inner}}`)],
  ["a number", "1"],
  ["null", "null"],
  ["true", "true"],
  ["no JSON", `{${inner}`],
  ["JSON and more", `{${inner}} {}`],
  ["a comma too many", `{${inner},}`],
  ["a comment", `{${inner} /* none */}`],
  ["single quotes", `{${inner}}`.replaceAll('"', "'")],
  ["a byte order mark", `\ufeff{${inner}}`],
  [
    "bytes that are no UTF-8",
    Buffer.concat([Buffer.from(`{${inner},"x":"`), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
  ],
  ["UTF-16", Buffer.from(`{${inner}}`, "utf16le")],
  ["a NUL at the end", `{${inner}}\u0000`],
  ["lists 1,500 deep", `{${inner},"x":${"[".repeat(1_500)}${"]".repeat(1_500)}}`],
  ["__proto__ as a key", `{${inner},"__proto__":{"alg":"none"}}`],
  ["one that has all in __proto__", `{"__proto__":{${inner}}}`],
  ["a number without end", `{${inner},"x":1e999}`],
  ["NaN", `{${inner},"x":NaN}`],
];

const headers = (key: SigningKey): readonly Text[] => {
  const inner = `"alg":"${key.alg}","kid":${JSON.stringify(key.kid ?? "kid")}`;
  return [
    ...objects(inner),
    ["two algorithms, none first", `{"alg":"none",${inner}}`],
    ["two algorithms, none last", `{${inner},"alg":"none"}`],
    ["two algorithms, one escaped", `{${inner},"\\u0061lg":"none"}`],
    ["the algorithm twice", `{${inner},"alg":"${key.alg}"}`],
    ["another case of alg", `{"ALG":"${key.alg}"}`],
  ];
};

const payloads = (): readonly Text[] => {
  const inner = JSON.stringify(goodClaims()).slice(1, -1);
  return [
    ...objects(inner),
    ["nothing", "{}"],
    ["two audiences", `{${inner},"aud":"https://evil.example"}`],
    ["the audience twice", `{${inner},"aud":"${AUDIENCE}"}`],
    ["two times of expiry", `{"exp":1,${inner}}`],
    ["two issuers", `{"iss":"https://evil.example",${inner}}`],
    ["two subjects", `{${inner},"sub":"admin"}`],
    ["two subjects, one escaped", `{${inner},"s\\u0075b":"admin"}`],
    ["claims of another case", `{${inner.replaceAll(/"(exp|aud|iss)"/g, (name) => name.toUpperCase())}}`],
  ];
};
