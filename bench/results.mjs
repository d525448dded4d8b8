/** What an author has to write around a value where the framework does not do it: one text block, and the structure. */
export function resultOf(value, output) {
  const content = [{ type: "text", text: typeof value === "string" ? value : JSON.stringify(value) }];
  return output === undefined ? { content } : { content, structuredContent: value };
}
