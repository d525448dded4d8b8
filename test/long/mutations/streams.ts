/** What is said before a result, and to those who listen. */

import type { Room } from "./defence.ts";

export const streamsRooms: readonly Room[] = [
  {
    name: "streams",
    tests: ["test/e2e/talking/streams"],
    defences: [
      {
        what: "bound of what waits",
        file: "src/transport/endpoint/streams.ts",
        find: 'if (this.#waiting() > this.#mostWaiting) this.#cut("overflowing");\n    else if',
        replace: "if",
        tests: ["test/reliability/slow-readers"],
      },
      {
        what: "stalled readers cut",
        file: "src/transport/endpoint/streams.ts",
        find: 'if (sent === this.#sentBefore) this.#cut("stalled");',
        replace: "",
        tests: ["test/reliability/slow-readers"],
      },
      {
        what: "keep-alive",
        file: "src/transport/endpoint/streams.ts",
        find: 'this.#sink.write(":\\n\\n");',
        replace: "",
        tests: ["test/reliability/slow-readers"],
      },
      {
        what: "changes held back for slow readers",
        file: "src/transport/endpoint/streams.ts",
        find: "if (replaceable && this.#waiting() > SLOW)",
        replace: "if (false as boolean)",
        tests: ["test/e2e/talking/streams", "test/reliability/slow-readers"],
      },
      {
        what: "cap of streams",
        file: "src/transport/endpoint/node-reply.ts",
        find: "return this.#streams.full ? this.send(BUSY) : this",
        replace: "return this",
        tests: ["test/e2e/talking/changes"],
      },
      {
        what: "cap of streams by fetch",
        file: "src/transport/endpoint/fetch-reply.ts",
        find: "return this.#streams.full ? this.send(BUSY) : this",
        replace: "return this",
        tests: ["test/unit/transport/endpoint/fetch"],
      },
      {
        what: "cap of streams of sessions",
        file: "src/transport/endpoint/endpoint.ts",
        find: 'if (method === "GET" && this.streams.full) return BUSY;',
        replace: "",
        tests: ["test/e2e/talking/sessions"],
      },
      {
        what: "a call that succeeded is not cancelled",
        file: "src/core/calls/cancellation.ts",
        find: "if (this.#cancelled || this.#settled) return;",
        replace: "if (this.#cancelled) return;",
        tests: ["test/e2e/talking/streams", "test/reliability/disconnects"],
      },
      {
        what: "a signal for calls cancelled before they look",
        file: "src/core/calls/cancellation.ts",
        find: "if (this.#cancelled) this.#controller.abort(this.#reason);",
        replace: "",
        tests: ["test/e2e/talking/streams", "test/e2e/middleware", "test/e2e/lifecycle"],
      },
      {
        what: "nothing after the answer",
        file: "src/core/calls/context.ts",
        find: "if (!audience || cancellation.settled) return undefined;",
        replace: "if (!audience) return undefined;",
      },
      {
        what: "progress grows",
        file: "src/core/dialogue/voice.ts",
        find: " || done <= this.#progress",
        replace: "",
      },
      {
        what: "progress and messages do not flood",
        file: "src/core/dialogue/voice.ts",
        find: "if (this.#allowance < 1) return false;",
        replace: "",
      },
      {
        what: "log messages that cannot be written",
        file: "src/core/dialogue/voice.ts",
        find: "  } catch {\n    return",
        replace: "  } catch (error) {\n    throw error; return",
      },
      {
        what: "log level",
        file: "src/core/dialogue/voice.ts",
        find: "LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(logLevel) ||",
        replace: "",
      },
      {
        what: "no stream to who reads none",
        file: "src/transport/endpoint/endpoint.ts",
        find: 'header("accept")?.includes("text/event-stream") === true',
        replace: 'header("accept") !== null',
        tests: ["test/e2e/talking/changes"],
      },
    ],
  },
  {
    name: "subscriptions",
    tests: ["test/e2e/talking/changes"],
    defences: [
      {
        what: "resources that are not there",
        file: "src/core/sealed/subscribing.ts",
        find: "if (await isReadable(uri, ctx, resources, templates)) readable",
        replace: "readable",
      },
      {
        what: "number of resources",
        file: "src/protocol/subscriptions.ts",
        find: "uris.length > MOST_URIS ||",
        replace: "",
      },
      {
        what: "flags are booleans",
        file: "src/protocol/subscriptions.ts",
        find: 'if (value[flag] !== undefined && typeof value[flag] !== "boolean")',
        replace: "if (false)",
      },
      {
        what: "clients that read no streams",
        file: "src/protocol/modern.ts",
        find: 'if (ask.kind === "subscription" && !exchange.say) {',
        replace: "if (false) {",
      },
      {
        what: "those who left are forgotten",
        file: "src/protocol/subscriptions.ts",
        find: "if (!this.#subscriptions.delete(subscription)) return;",
        replace: "if (true) return;",
        tests: ["test/e2e/identity/streams"],
      },
      {
        what: "only what was asked for, in sessions",
        file: "src/sdk/bridge.ts",
        find: 'if (event.kind === "resource_updated" && !isModern && !this.#followed?.has(asUriText(event.uri))) return;',
        replace: "",
      },
      {
        what: "number of followed resources",
        file: "src/sdk/bridge.ts",
        find: "else if (this.#followed.size < MOST_URIS) this",
        replace: "else if (true) this",
        tests: ["test/e2e/talking/sessions"],
      },
      {
        what: "a bus that fails",
        file: "src/core/sealed/announcer.ts",
        find: "} catch (error) {\n      failed(error);",
        replace: "} catch (error) {\n      throw error;",
      },
    ],
  },
];
