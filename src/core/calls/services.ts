/** What calls are served with. */

import type { Background } from "./background.ts";
import type { CircuitStore, LimitStore, Logger, PlaceStore, Validator } from "../ports.ts";
import type { Schema } from "../schemas/schema.ts";
import type { CallEventListener } from "./observers.ts";
import type { Stages } from "./stages.ts";

export interface Services {
  readonly logger: Logger;
  /** The validator of a schema that turns up while a call runs. */
  readonly validatorOf: (schema: Schema) => Promise<Validator>;
  /** What is done after answers. */
  readonly background: Background;
  /** Where calls are counted. */
  readonly limits: LimitStore;
  /** Who is told what happens on a call's way, where anybody watches. */
  readonly observe?: CallEventListener | undefined;
  /** Where calls under way are counted together with those of other processes, if anywhere. */
  readonly places?: PlaceStore | undefined;
  /** Where breakers keep their state together with other processes, if anywhere. */
  readonly circuits?: CircuitStore | undefined;
  /** Who follows calls through their parts, where anybody does. */
  readonly stages?: Stages | undefined;
}
