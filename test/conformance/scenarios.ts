/** What the referee holds against servers, by the revisions that it does so for. */

/** In every revision but the oldest. */
const ALWAYS = [
  "completion-complete",
  "tools-list",
  "tools-call-simple-text",
  "tools-call-image",
  "tools-call-audio",
  "tools-call-embedded-resource",
  "tools-call-mixed-content",
  "tools-call-error",
  "tools-call-with-progress",
  "resources-list",
  "resources-read-text",
  "resources-read-binary",
  "resources-templates-read",
  "prompts-list",
  "prompts-get-simple",
  "prompts-get-with-args",
  "prompts-get-embedded-resource",
  "prompts-get-with-image",
];

/** Until 2025-11-25. */
const LEGACY = [
  "server-initialize",
  "logging-set-level",
  "ping",
  "tools-call-with-logging",
  "tools-call-sampling",
  "tools-call-elicitation",
  "resources-subscribe",
  "resources-unsubscribe",
];

/** From the first revision with sessions to the last. */
const SESSIONS = ["server-session-lifecycle"];

/** In 2025-11-25 alone. */
const ONLY_2025_11_25 = ["elicitation-sep1034-defaults", "server-sse-polling", "elicitation-sep1330-enums"];

/** From 2025-11-25 on. */
const SINCE_2025_11_25 = ["json-schema-2020-12", "server-sse-multiple-streams", "dns-rebinding-protection"];

/** From 2026-07-28 on. */
const MODERN = [
  "server-stateless",
  "sep-2164-resource-not-found",
  "caching",
  "http-header-validation",
  "http-custom-header-server-validation",
  "input-required-result-basic-elicitation",
  "input-required-result-basic-sampling",
  "input-required-result-basic-list-roots",
  "input-required-result-request-state",
  "input-required-result-multiple-input-requests",
  "input-required-result-multi-round",
  "input-required-result-missing-input-response",
  "input-required-result-non-tool-request",
  "input-required-result-result-type",
  "input-required-result-unsupported-methods",
  "input-required-result-tampered-state",
  "input-required-result-capability-check",
  "input-required-result-ignore-extra-params",
  "input-required-result-validate-input",
];

/** Extensions that the server does not declare: their scenarios are run, and their checks not held against it. */
export const WAITING = {
  "the Tasks extension comes with jobs": [
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-status-notifications",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
  ],
  "the Skills extension is not among what the server offers": [
    "sep-2640-skills-directory",
    "sep-2640-skills-enumeration",
    "sep-2640-skills-manifest",
  ],
} as const;

const TASKS: readonly string[] = WAITING["the Tasks extension comes with jobs"];
const SKILLS: readonly string[] = WAITING["the Skills extension is not among what the server offers"];

/** One run of the referee. */
export interface Suite {
  readonly referee: "newest" | "stable";
  readonly options: readonly string[];
  /** The scenarios that this run consists of. */
  readonly scenarios: readonly string[];
}

const SCENARIOS_2025_11_25 = [...ALWAYS, ...LEGACY, ...ONLY_2025_11_25, ...SINCE_2025_11_25];
const SCENARIOS_2026_07_28 = [...ALWAYS, ...SINCE_2025_11_25, ...MODERN];

export const SUITES: readonly Suite[] = [
  {
    referee: "newest",
    options: ["--requirements", "2026-07-28"],
    scenarios: [...SCENARIOS_2026_07_28, ...TASKS],
  },
  {
    referee: "newest",
    options: ["--requirements", "2025-11-25"],
    scenarios: [...SCENARIOS_2025_11_25, ...SESSIONS],
  },
  {
    referee: "newest",
    options: ["--suite", "all", "--spec-version", "2025-06-18"],
    scenarios: [...ALWAYS, ...LEGACY, ...SESSIONS],
  },
  {
    referee: "newest",
    options: ["--suite", "all", "--spec-version", "2025-03-26"],
    scenarios: SESSIONS,
  },
  {
    referee: "newest",
    options: ["--suite", "all"],
    scenarios: [
      ...new Set([...SCENARIOS_2025_11_25, ...SESSIONS, ...SCENARIOS_2026_07_28]),
      ...TASKS,
      ...SKILLS,
    ],
  },
  { referee: "stable", options: ["--suite", "all"], scenarios: SCENARIOS_2025_11_25 },
];
