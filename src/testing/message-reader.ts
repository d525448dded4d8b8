/** What an answer says, message after message, whether it is JSON or an event stream. */

export interface RpcMessage {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: number; readonly message?: string; readonly data?: unknown };
}

export class MessageReader {
  readonly #response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    this.#response = response;
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    this.#reader = isStream ? response.body?.getReader() : undefined;
  }

  /** The next message; `undefined` where there is none any more. */
  async read(): Promise<RpcMessage | undefined> {
    if (!this.#reader) return this.#response.bodyUsed ? undefined : this.#json();
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await this.#reader.read();
        if (done) return undefined;
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const data = eventData(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
      if (data !== "") return JSON.parse(data) as RpcMessage;
    }
  }

  /** Goes away, as a client does that closes its connection. */
  async cancel(): Promise<void> {
    await this.#reader?.cancel();
  }

  async #json(): Promise<RpcMessage | undefined> {
    const text = await this.#response.text();
    return text === "" ? undefined : (JSON.parse(text) as RpcMessage);
  }
}

/** The data of an event. Comments, which keep a stream alive, have none. */
function eventData(event: string): string {
  return event
    .split("\n")
    .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trimStart()] : []))
    .join("\n");
}
