/** Every defence, room by room. A new room is a file here and a line in each of the two lists. */

import { argumentsRooms } from "./arguments.ts";
import { auditRooms } from "./audit.ts";
import { bodyRooms } from "./body.ts";
import { credentialsRooms } from "./credentials.ts";
import type { Room } from "./defence.ts";
import { hintsRooms } from "./hints.ts";
import { httpRooms } from "./http.ts";
import { identityRooms } from "./identity.ts";
import { keptRooms } from "./kept.ts";
import { lifecycleRooms } from "./lifecycle.ts";
import { logsRooms } from "./logs.ts";
import { metricsRooms } from "./metrics.ts";
import { operationsRooms } from "./operations.ts";
import { pipelineRooms } from "./pipeline.ts";
import { processesRooms } from "./processes.ts";
import { questionsRooms } from "./questions.ts";
import { redisRooms } from "./redis.ts";
import { registrationRooms } from "./registration.ts";
import { sessionsRooms } from "./sessions.ts";
import { stdioRooms } from "./stdio.ts";
import { streamsRooms } from "./streams.ts";
import { templatesRooms } from "./templates.ts";
import { tokensRooms } from "./tokens.ts";
import { tracesRooms } from "./traces.ts";

export const rooms: readonly Room[] = [
  ...registrationRooms,
  ...bodyRooms,
  ...httpRooms,
  ...templatesRooms,
  ...argumentsRooms,
  ...operationsRooms,
  ...logsRooms,
  ...metricsRooms,
  ...lifecycleRooms,
  ...processesRooms,
  ...pipelineRooms,
  ...keptRooms,
  ...streamsRooms,
  ...sessionsRooms,
  ...questionsRooms,
  ...hintsRooms,
  ...stdioRooms,
  ...credentialsRooms,
  ...identityRooms,
  ...tokensRooms,
  ...auditRooms,
  ...tracesRooms,
  ...redisRooms,
];
