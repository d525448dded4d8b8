/** `subscriptions/listen` (2026-07-28, "Subscriptions"): who listens to what, and what each is sent. */

import { type VerifiedIdentity, whenExpired } from "../core/calls/client.ts";
import type { Change, EventBus, ServerEvent } from "../core/ports.ts";
import type { Sealed, ServerInfo } from "../core/sealed/sealed.ts";
import { asUriText } from "../core/schemas/uri-template.ts";
import { isObject } from "../core/values/json.ts";
import { type RequestId } from "./jsonrpc.ts";
import { META } from "./versions.ts";

/** What a client asks to hear, and what the server agrees to tell. */
export interface Filter {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
}

/** The stream of one subscription, as a transport provides it. */
export interface Outlet {
  /** Sends a message. A `replaceable` one may be left out while an equal one still waits for a slow reader. */
  send(json: string, replaceable: boolean): void;
  /** Ends the stream after what was sent. */
  end(): void;
}

interface Subscription {
  readonly id: RequestId;
  readonly outlet: Outlet;
  readonly server: ServerInfo;
  readonly principal: string | undefined;
}

/** A client may follow so many resources with one subscription. */
const MOST_URIS = 100;

const LIST_FLAGS = {
  tools: "toolsListChanged",
  prompts: "promptsListChanged",
  resources: "resourcesListChanged",
} as const;

/** The lists that may change. */
export const LISTS = ["tools", "prompts", "resources"] as const;

/** The filter of a request, or what is wrong with it. Resources that are not there are left out where it is known who asks. */
export function readFilter(value: unknown, sealed: Sealed): Filter | string {
  if (!isObject(value)) return '"notifications" must be an object.';
  const { resourceSubscriptions: uris = [] } = value;
  for (const flag of Object.values(LIST_FLAGS)) {
    if (value[flag] !== undefined && typeof value[flag] !== "boolean")
      return `"notifications.${flag}" must be a boolean.`;
  }
  if (!Array.isArray(uris) || uris.length > MOST_URIS || !uris.every((uri) => typeof uri === "string")) {
    return `"notifications.resourceSubscriptions" must be an array of at most ${MOST_URIS} strings.`;
  }
  const { tools, prompts, resources } = sealed.capabilities;
  return {
    ...(value["toolsListChanged"] === true && tools && { toolsListChanged: true }),
    ...(value["promptsListChanged"] === true && prompts && { promptsListChanged: true }),
    ...(value["resourcesListChanged"] === true && resources && { resourcesListChanged: true }),
    ...(uris.length > 0 && { resourceSubscriptions: [...new Set(uris)] }),
  };
}

export class SubscriptionHub {
  readonly #topics = new Map<string, Set<Subscription>>();
  readonly #subscriptions = new Set<Subscription>();
  /** How many subscriptions each known caller has. */
  readonly #counts = new Map<string, number>();
  readonly #mostPerClient: number;
  readonly #unsubscribe: () => void;

  constructor(bus: EventBus, mostPerClient: number) {
    this.#mostPerClient = mostPerClient;
    this.#unsubscribe = bus.subscribe((event) => this.#deliver(event));
  }

  /** Whether this caller has as many subscriptions as one may have. */
  isFullFor(principal: string): boolean {
    return (this.#counts.get(principal) ?? 0) >= this.#mostPerClient;
  }

  /**
   * Acknowledges, then tells of each event that the filter names, until the returned function is called or the
   * credentials of the caller expire.
   */
  listen(
    id: RequestId,
    filter: Filter,
    outlet: Outlet,
    server: ServerInfo,
    identity: VerifiedIdentity | undefined,
  ): () => void {
    const subscription: Subscription = { id, outlet, server, principal: identity?.principal };
    const topics = filterTopics(filter);
    outlet.send(
      notification("notifications/subscriptions/acknowledged", id, { notifications: filter }),
      false,
    );
    if (topics.length === 0) {
      finish(subscription);
      return () => {};
    }
    this.#subscriptions.add(subscription);
    this.#count(subscription, 1);
    for (const topic of topics) {
      let listeners = this.#topics.get(topic);
      if (!listeners) this.#topics.set(topic, (listeners = new Set()));
      listeners.add(subscription);
    }
    const unexpiring = whenExpired(identity, () => {
      this.#forget(subscription, topics);
      finish(subscription);
    });
    return () => {
      unexpiring();
      this.#forget(subscription, topics);
    };
  }

  /** Ends every subscription gracefully: each gets its result. */
  close(): void {
    this.#unsubscribe();
    for (const subscription of this.#subscriptions) finish(subscription);
    this.#subscriptions.clear();
    this.#topics.clear();
  }

  #forget(subscription: Subscription, topics: readonly string[]): void {
    if (!this.#subscriptions.delete(subscription)) return;
    this.#count(subscription, -1);
    for (const topic of topics) {
      const listeners = this.#topics.get(topic);
      listeners?.delete(subscription);
      if (listeners?.size === 0) this.#topics.delete(topic);
    }
  }

  #count({ principal }: Subscription, more: number): void {
    if (principal === undefined) return;
    const count = (this.#counts.get(principal) ?? 0) + more;
    if (count > 0) this.#counts.set(principal, count);
    else this.#counts.delete(principal);
  }

  #deliver(event: ServerEvent): void {
    const changes = event.kind === "changes_missed" ? [...this.#topics.keys()].map(changeOf) : [event];
    for (const change of changes) this.#tell(change);
  }

  #tell(event: Change): void {
    const listeners = this.#topics.get(topicOf(event));
    if (!listeners) return;
    const isList = event.kind === "list_changed";
    const method = eventMethod(event);
    for (const { id, outlet } of listeners)
      outlet.send(notification(method, id, isList ? {} : { uri: asUriText(event.uri) }), isList);
  }
}

/** The method by which an event is told in every revision. */
export function eventMethod(event: Change): string {
  return event.kind === "list_changed"
    ? `notifications/${event.list}/list_changed`
    : "notifications/resources/updated";
}

function notification(method: string, id: RequestId, params: object): string {
  return JSON.stringify({
    jsonrpc: "2.0",
    method,
    params: { _meta: { [META.subscriptionId]: id }, ...params },
  });
}

function finish({ id, outlet, server }: Subscription): void {
  const result = { resultType: "complete", _meta: { [META.subscriptionId]: id, [META.serverInfo]: server } };
  outlet.send(JSON.stringify({ jsonrpc: "2.0", id, result }), false);
  outlet.end();
}

function filterTopics(filter: Filter): readonly string[] {
  const lists = Object.entries(LIST_FLAGS).flatMap(([list, flag]) => (filter[flag] ? [`list:${list}`] : []));
  return [...lists, ...(filter.resourceSubscriptions ?? []).map((uri) => `resource:${asUriText(uri)}`)];
}

function topicOf(event: Change): string {
  return event.kind === "list_changed" ? `list:${event.list}` : `resource:${asUriText(event.uri)}`;
}

function changeOf(topic: string): Change {
  const list = LISTS.find((each) => topic === `list:${each}`);
  return list
    ? { kind: "list_changed", list }
    : { kind: "resource_updated", uri: topic.slice("resource:".length) };
}
