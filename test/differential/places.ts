/** Places within a JSON value, and values that differ in one of them. */

import type { Json, JsonObject } from "./messages.ts";

export type Path = readonly (string | number)[];

/** Every place, from the outside in. */
export function paths(value: Json, above: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  const keys: Path = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => [[...above, key], ...paths(at(value, [key]), [...above, key])]);
}

export function at(value: Json, path: Path): Json {
  return path.reduce<Json>((inner, key) => (inner as JsonObject)[key] as Json, value);
}

export function replaced(value: Json, [key, ...rest]: Path, by: Json): Json {
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? replaced(item, rest, by) : item));
  return { ...(value as JsonObject), [key]: replaced(at(value, [key]), rest, by) };
}

export function without(value: Json, path: Path): Json {
  const above = at(value, path.slice(0, -1));
  const last = path.at(-1);
  const left = Array.isArray(above)
    ? above.filter((_, index) => index !== last)
    : Object.fromEntries(Object.entries(above as JsonObject).filter(([key]) => key !== last));
  return replaced(value, path.slice(0, -1), left);
}
