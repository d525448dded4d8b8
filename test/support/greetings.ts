/** What servers say of themselves when they start, among what they log. */

const IS_GREETING = / serves MCP at /;

type Entry = Readonly<Record<string, unknown>>;

const printed: string[] = [];

/** What servers of this test file have said so far when they started, as people read it. */
export function printedText(): string {
  return printed.join("\n");
}

/** Whether an entry is a greeting; it is printed then. */
export function isGreeting(entry: Entry): boolean {
  if (!IS_GREETING.test(String(entry["message"]))) return false;
  printed.push(greeting(entry));
  return true;
}

/** Whether a text that goes to stderr is a greeting; it is printed then. */
export function hasGreeting(text: string): boolean {
  return text.startsWith('{"time"') && isGreeting(JSON.parse(text) as Entry);
}

/** The greetings in a log, in the lines that a terminal shows. */
export function greetingsIn(log: string): string {
  const lines = log.split("\n").filter((line) => line.startsWith('{"time"') && IS_GREETING.test(line));
  return lines.map((line) => greeting(JSON.parse(line) as Entry)).join("\n");
}

function greeting({ time: _time, level: _level, url: _url, message, ...facts }: Entry): string {
  const lines = Object.entries(facts).map(
    ([what, values]) => `  ${what.padEnd(10)} ${[values].flat().join(", ")}`,
  );
  return [String(message), ...lines].join("\n");
}
