/** Layers that write down what became of each operation, and have it written before its answer leaves. */

import type { ComponentDefinition } from "../components/definitions.ts";
import {
  type Middleware,
  type PassingLayer,
  type PassiveLayer,
  Refused,
  type Run,
  concerns,
} from "../calls/compose.ts";
import type { OperationKind } from "../calls/operation.ts";
import { asResult } from "./dispatch.ts";
import type { Lifecycle } from "../operations/lifecycle.ts";
import type { Logger } from "../ports.ts";
import { after } from "../values/promises.ts";
import type { ServerInfo } from "./sealed.ts";

/** Whose operations are recorded. */
export interface Recorded {
  readonly server: ServerInfo;
  /** `undefined` for what is no component's, such as a list, and for names that are not there. */
  readonly component: ComponentDefinition | undefined;
}

/** Writes operations down. */
export interface Recording {
  /** Stands around all of an operation, its time limit too, so that no answer goes past it. */
  readonly around: <A>(run: Run<A>, recorded: Recorded) => Run<A>;
  /** Gets ready to write. Rejects with a `ConfigurationError` where that is not possible. */
  readonly open: (logger: Logger) => Promise<void>;
  /** Writes what is left, and ends. */
  readonly close: () => Promise<void>;
  /** Rejects while nothing can be written. */
  readonly probe: () => Promise<void>;
}

/** The place of a recording among layers: what it lets in, where it stands; what it writes, around everything. */
export interface RecordingLayer extends PassiveLayer, PassingLayer {
  readonly recording: Recording;
}

/** What records among these layers, each once. */
function recordingsIn(layers: readonly Middleware[]): readonly Recording[] {
  return [...new Set(layers.filter(isRecording).map(({ recording }) => recording))];
}

/** What a server records by, from its start to its end. */
export class Recordings {
  readonly #all = new Set<Recording>();
  #left = false;

  /** From now on operations are other processes' to serve, and to record. */
  leave(): void {
    this.#left = true;
  }

  /** Opens those among `layers` that are not open yet: before the first request, until the last is answered. */
  async open(layers: readonly Middleware[], lifecycle: Lifecycle, logger: Logger): Promise<void> {
    for (const recording of this.#left ? [] : recordingsIn(layers)) {
      if (this.#all.has(recording)) continue;
      await recording.open(logger);
      this.#all.add(recording);
      lifecycle.afterCalls(() => recording.close());
      lifecycle.addProbe(this.#all.size === 1 ? "audit" : `audit ${this.#all.size}`, () => recording.probe());
    }
  }
}

/** `run` within what records operations of this kind. */
export function recorded<A>(
  run: Run<A>,
  layers: readonly Middleware[],
  kind: OperationKind,
  about: Recorded,
): Run<A> {
  const concerned = layers.filter((layer) => concerns(layer, kind));
  const recordings = recordingsIn(concerned);
  if (recordings.length === 0) return run;
  // What cannot be answered is no success.
  const answering: Run<A> = (ctx, ask) =>
    after(run(ctx, ask), (value) => (value instanceof Refused ? value : asResult(ctx.operation, value)));
  return recordings.reduce((inner, { around }) => around(inner, about), answering);
}

function isRecording(layer: Middleware): layer is RecordingLayer {
  return typeof layer === "object" && "recording" in layer;
}
