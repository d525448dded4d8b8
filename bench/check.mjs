// Before anything is timed: does the answer mean what the scenario says it must?
import { isDeepStrictEqual } from "node:util";

/** Throws unless the answer's message is a correct one. */
export function check(scenario, { status, contentType, body }) {
  const wrong = (why) =>
    new Error(`${why}\nHTTP ${status} ${contentType}\n${body.toString().slice(0, 2000)}`);
  if (status !== 200) throw wrong("The status is not 200.");
  const message = messageIn(contentType, body.toString());
  if (message?.jsonrpc !== "2.0" || message.id !== 1) throw wrong("That is not the answer to the request.");
  const { result } = message;
  if (result === undefined) throw wrong("The answer has no result.");
  const { text, structured, invalid, names } = scenario.expect;
  if (names !== undefined) {
    if (
      !isDeepStrictEqual(
        result.tools?.map((tool) => tool.name),
        names,
      )
    )
      throw wrong("The names are not those registered.");
    for (const [index, tool] of result.tools.entries()) {
      const { description, input } = scenario.tools[index];
      const properties = Object.keys(tool.inputSchema.properties);
      if (tool.description !== description) throw wrong(`${tool.name} has another description.`);
      if (!isDeepStrictEqual(properties, Object.keys(input.shape)))
        throw wrong(`${tool.name} has other arguments.`);
    }
    return;
  }
  const said = result.content?.[0]?.text;
  if ((result.isError ?? false) !== (invalid !== undefined)) throw wrong("isError is not as expected.");
  if (text !== undefined && said !== text) throw wrong("The text is not the one expected.");
  if (invalid !== undefined && !invalid.every((field) => said?.includes(field)))
    throw wrong("A wrong field is not named.");
  if (structured !== undefined) {
    if (!isDeepStrictEqual(result.structuredContent, structured))
      throw wrong("structuredContent is not the one expected.");
    if (!isDeepStrictEqual(JSON.parse(said), structured))
      throw wrong("The text is not the structure as JSON.");
  }
}

function messageIn(contentType, body) {
  if (!contentType.startsWith("text/event-stream")) return JSON.parse(body);
  for (const line of body.split("\n")) {
    if (line.startsWith("data: {")) return JSON.parse(line.slice("data: ".length));
  }
  return undefined;
}
