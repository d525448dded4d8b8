/** One request to one side, and what came of it. */

/** One of the two servers under comparison. */
export interface Side {
  fetch(request: Request): Promise<Response>;
  /** Tells those who listen that the list of tools, and the configuration, have changed. */
  change(): void;
  close(): Promise<void>;
}

/** A request, whatever is wrong with it. */
export interface Case {
  /** What was done to which message, for people. */
  readonly what: string;
  /** Default: POST. */
  readonly verb?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly type: "json" | "events" | "none" | "other";
  readonly allow: string | undefined;
  /** The JSON-RPC messages, in order. */
  readonly messages: readonly Message[];
  /** What came that is no message, and what did not come. */
  readonly oddities: readonly string[];
}

export type Message = Readonly<Record<string, unknown>>;

const URL = "http://localhost:8080/mcp";
const PATIENCE = 5_000;

export async function exchange(side: Side, { verb = "POST", headers, body }: Case): Promise<Answer> {
  const leave = new AbortController();
  const request = new Request(URL, {
    method: verb,
    headers,
    signal: leave.signal,
    ...(verb === "POST" && { body }),
  });
  const response = await side.fetch(request);
  const { status } = response;
  const allow = response.headers.get("allow") ?? undefined;
  const type = response.headers.get("content-type")?.split(";", 1)[0];
  const head = { status, allow };
  if (type === "text/event-stream") {
    const events = await readEvents(response);
    leave.abort();
    return { ...head, type: "events", ...events };
  }
  const text = await response.text();
  if (text === "" && type === undefined) return { ...head, type: "none", messages: [], oddities: [] };
  if (type !== "application/json")
    return { ...head, type: "other", messages: [], oddities: [`${type}: ${text}`] };
  const parsed = JSON.parse(text) as Message | readonly Message[];
  const messages = Array.isArray(parsed) ? (parsed as readonly Message[]) : [parsed as Message];
  return { ...head, type: "json", messages, oddities: [] };
}

export function isResponse(message: Message): boolean {
  return "result" in message || "error" in message;
}

interface Events {
  readonly messages: Message[];
  readonly oddities: string[];
}

/** The messages of a stream until it ends, or until a subscription is acknowledged that stays. */
async function readEvents(response: Response): Promise<Events> {
  const events: Events = { messages: [], oddities: [] };
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const timer = setTimeout(() => {
    events.oddities.push("the stream did not end");
    void reader.cancel();
  }, PATIENCE);
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
    const frames = text.split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) addFrame(frame, events);
    if (events.messages.some(isStanding)) {
      await reader.cancel();
      break;
    }
  }
  clearTimeout(timer);
  if (text !== "") events.oddities.push(`half an event: ${text}`);
  return events;
}

function addFrame(frame: string, { messages, oddities }: Events): void {
  const data = frame
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice("data:".length).trim())
    .join("\n");
  if (data !== "") messages.push(...[JSON.parse(data) as Message | Message[]].flat());
  else if (!frame.startsWith(":")) oddities.push(`an event without data: ${frame}`);
}

/** Whether a message acknowledges a subscription to something. */
function isStanding({ method, params }: Message): boolean {
  const { notifications = {} } = (params ?? {}) as { readonly notifications?: object };
  return (
    method === "notifications/subscriptions/acknowledged" &&
    // Whoever listens to nothing is answered at once.
    Object.keys(notifications).length > 0
  );
}
