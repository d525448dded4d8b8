// OpenTelemetry's SDK as a program sets it up, with an exporter that has nowhere to send to.
import { trace } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
} from "@opentelemetry/sdk-trace-node";

const nowhere = {
  export: (_spans, done) => done({ code: 0 }),
  shutdown: async () => {},
};

const samplers = { tracingUnsampled: AlwaysOffSampler, tracing: AlwaysOnSampler };

/** Registers what the scenario with these layers asks for. Without an SDK there is the API alone. */
export function recordSpans(layers) {
  const Sampler = samplers[layers.find((layer) => layer in samplers)];
  if (!Sampler) return trace.disable();
  const spanProcessors = [new BatchSpanProcessor(nowhere)];
  return new NodeTracerProvider({ sampler: new Sampler(), spanProcessors }).register();
}
