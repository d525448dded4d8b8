/** What clients are shown of a server and of its components, checked: a list in which one item is wrong is refused whole. */

import { ConfigurationError } from "../errors.ts";
import { shown } from "../options/known-options.ts";

type Fields = Readonly<Record<string, unknown>>;

const TEXTS = ["title", "description", "websiteUrl", "instructions", "mimeType"];

/** Throws a {@link ConfigurationError} where clients would refuse what these options show of `what`. */
export function checkMetadata(what: string, options: object): void {
  const fields = options as Fields;
  const fail = (name: string, instead: string) => {
    throw new ConfigurationError(`${what}: ${name} is ${shown(fields[name])}: write ${instead}.`);
  };
  for (const name of TEXTS)
    if (fields[name] !== undefined && typeof fields[name] !== "string") fail(name, "text");
  const { size, tags, icons, _meta } = fields;
  if (size !== undefined && !(Number.isSafeInteger(size) && (size as number) >= 0))
    fail("size", "how many bytes it has, from 0");
  if (tags !== undefined && !isListOf(tags, isText)) fail("tags", 'an array of texts, such as ["tasks"]');
  if (icons !== undefined && !isListOf(icons, isIcon)) {
    throw new ConfigurationError(
      `${what}: icons are none: write an array such as [{ src: "https://example.com/icon.png" }], with https: or data: addresses.`,
    );
  }
  if (_meta !== undefined && !isJsonObject(_meta)) {
    throw new ConfigurationError(`${what}: _meta cannot be written as JSON. Use plain JSON values.`);
  }
}

function isListOf(value: unknown, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

/** Clients take pictures from safe addresses alone (specification, "Icons"). */
function isIcon(icon: unknown): boolean {
  if (typeof icon !== "object" || icon === null) return false;
  const { src, mimeType = "", sizes = [], theme = "light" } = icon as Fields;
  const isSafe = typeof src === "string" && /^(?:https|data):/i.test(src);
  return isSafe && isText(mimeType) && isListOf(sizes, isText) && (theme === "light" || theme === "dark");
}

function isJsonObject(value: unknown): boolean {
  try {
    return JSON.stringify(value)?.startsWith("{") ?? false;
  } catch {
    return false;
  }
}
