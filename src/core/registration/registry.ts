/** The components an author registered, in order; what is added, removed or switched changes its version. */

import type { ComponentDefinition } from "../components/definitions.ts";
import { ConfigurationError } from "../errors.ts";
import { NOUNS } from "../calls/operation.ts";

/** Names one component, or all that carry a tag. A resource is named by its URI or template. */
export type ComponentRef =
  | { readonly tool: string }
  | { readonly resource: string }
  | { readonly prompt: string }
  | { readonly tag: string };

const KINDS: ReadonlySet<string> = new Set<ComponentDefinition["kind"]>(["tool", "resource", "prompt"]);

export class Registry {
  readonly #definitions = new Map<string, ComponentDefinition>();
  #order = 0;
  #version = 0;

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** The place of the next component in the order of registration. Never used twice. */
  nextOrder(): number {
    return ++this.#order;
  }

  add(definition: ComponentDefinition): void {
    const id = `${definition.kind}:${definition.key}`;
    if (this.#definitions.has(id)) {
      const noun = NOUNS[definition.kind];
      throw new ConfigurationError(
        `${noun} '${definition.key}' is already registered. Choose another name, or remove the first one.`,
      );
    }
    if (definition.kind === "resource" && definition.template) this.#checkTemplate(definition.key);
    this.#definitions.set(id, definition);
    this.#version++;
  }

  /** Two templates that differ in the names of their variables alone match the same URIs. */
  #checkTemplate(template: string): void {
    const shape = shapeOf(template);
    for (const { kind, key } of this.#definitions.values()) {
      if (kind === "resource" && shapeOf(key) === shape) {
        throw new ConfigurationError(
          `Resource '${template}' matches what '${key}' matches. Give its URIs another form, or remove the first one.`,
        );
      }
    }
  }

  /** Takes components out, and gives them. */
  remove(ref: ComponentRef): readonly ComponentDefinition[] {
    const found = this.#matching(ref);
    for (const [id] of found) this.#definitions.delete(id);
    this.#version++;
    return found.map(([, definition]) => definition);
  }

  /** Enables or disables components, and gives them. */
  switch(ref: ComponentRef, enabled: boolean): readonly ComponentDefinition[] {
    const definitions = this.#matching(ref).map(([, definition]) => definition);
    for (const definition of definitions) definition.enabled = enabled;
    this.#version++;
    return definitions;
  }

  /** The kinds of which there are components: those that are disabled may come back. */
  kinds(): ReadonlySet<ComponentDefinition["kind"]> {
    return new Set(this.all().map(({ kind }) => kind));
  }

  /** All components, disabled ones too, in the order of registration. */
  all(): readonly ComponentDefinition[] {
    return [...this.#definitions.values()];
  }

  /** The enabled components in the order of registration. */
  enabled(): readonly ComponentDefinition[] {
    return this.all().filter(({ enabled }) => enabled);
  }

  #matching(ref: ComponentRef): readonly (readonly [id: string, definition: ComponentDefinition])[] {
    const named = Object.entries(ref ?? {}) as [ComponentDefinition["kind"] | "tag", string][];
    const [kind, key] = named[0] ?? ["tag", ""];
    if (named.length !== 1 || !(kind === "tag" || KINDS.has(kind)))
      throw new ConfigurationError(
        "That names no component. Write { tool }, { resource }, { prompt } or { tag }.",
      );
    const found = [...this.#definitions].filter(([id, { tags }]) =>
      kind === "tag" ? tags.includes(key) : id === `${kind}:${key}`,
    );
    if (found.length === 0) {
      throw new ConfigurationError(
        kind === "tag" ? `No component has the tag "${key}".` : `${NOUNS[kind]} "${key}" is not registered.`,
      );
    }
    return found;
  }
}

function shapeOf(template: string): string {
  return template.replace(/\{([+/]?)[^{}]*\}/g, "{$1}");
}
