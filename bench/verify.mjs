// How an author verifies tokens where the framework leaves it to them: with jose, for each request.
import { jwtVerify } from "jose";
import { audience, issuer, secret } from "./token.mjs";

const key = new TextEncoder().encode(secret);

/** Resolves to the claims of a token that holds. */
export async function verifyWithJose(token) {
  const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"], issuer, audience });
  return payload;
}
