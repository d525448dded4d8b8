/** Counters, gauges and histograms, bounded in number, and as Prometheus reads them. */

/** The label values of what no longer gets a series of its own. */
export const OTHER = "(other)";

/** What a metric is, for whoever reads it. */
export interface About {
  /** Its name in Prometheus, with its unit and, of counters, `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
}

/** One number that moves. */
export interface Value {
  value: number;
}

/** How often something took so long, and how long it took together. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** Of each bound the number of values up to it and above the one before. */
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count++;
    const bounds = this.#bounds;
    for (let index = 0; index < bounds.length; index++) {
      if (value <= (bounds[index] as number)) {
        (this.#counts[index] as number)++;
        return;
      }
    }
  }

  /** Lines of the text format: buckets count all that is below them. */
  lines(name: string, labels: string): string {
    let below = 0;
    const buckets = this.#bounds.map((bound, index) => {
      below += this.#counts[index] as number;
      return `${name}_bucket${braced(labels, `le="${bound}"`)} ${below}\n`;
    });
    return `${buckets.join("")}${name}_bucket${braced(labels, 'le="+Inf"')} ${this.#count}\n${name}_sum${braced(labels)} ${this.#sum}\n${name}_count${braced(labels)} ${this.#count}\n`;
  }
}

/** The series of one metric, by the values of its labels. */
export class Family<S> {
  readonly about: About;
  readonly #make: () => S;
  readonly #claim: () => boolean;
  readonly #series = new Map<string, { readonly values: readonly string[]; readonly series: S }>();

  constructor(about: About, make: () => S, claim: () => boolean) {
    this.about = about;
    this.#make = make;
    this.#claim = claim;
  }

  /** The series of these label values; that of all others where there is no room for more. */
  with(...values: readonly string[]): S {
    const key = values.join("\0");
    const known = this.#series.get(key);
    if (known) return known.series;
    if (values.length > 0 && !this.#claim()) return this.#add(values.map(() => OTHER));
    return this.#add(values);
  }

  *[Symbol.iterator](): IterableIterator<{ readonly values: readonly string[]; readonly series: S }> {
    yield* this.#series.values();
  }

  #add(values: readonly string[]): S {
    const key = values.join("\0");
    const known = this.#series.get(key);
    if (known) return known.series;
    const series = this.#make();
    this.#series.set(key, { values, series });
    return series;
  }
}

export class Registry {
  readonly #families: (Family<Value> | Family<Histogram>)[] = [];
  readonly #readers: (() => void)[] = [];
  readonly #most: number;
  #series = 0;
  #dropped = 0;

  /** @param most - How many series with labels there may be together; what comes after is counted under one label. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Whether there is room for series that may never be needed: half of it stays for those that are. */
  get isRoomy(): boolean {
    return this.#series < this.#most / 2;
  }

  /** How often a series found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  counter(name: string, help: string, ...labels: readonly string[]): Family<Value> {
    return this.#keep(this.#family({ name, help, type: "counter", labels }, zero));
  }

  gauge(name: string, help: string, ...labels: readonly string[]): Family<Value> {
    return this.#keep(this.#family({ name, help, type: "gauge", labels }, zero));
  }

  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    ...labels: readonly string[]
  ): Family<Histogram> {
    return this.#keep(this.#family({ name, help, type: "histogram", labels }, () => new Histogram(bounds)));
  }

  /** Calls `reader` whenever the series are about to be read: it sets those that are not counted as they move. */
  onRead(reader: () => void): void {
    this.#readers.push(reader);
  }

  /** Brings every series up to date. */
  read(): void {
    for (const reader of this.#readers) reader();
  }

  /** The counters and gauges. */
  *values(): IterableIterator<Family<Value>> {
    for (const family of this.#families) if (family.about.type !== "histogram") yield family as Family<Value>;
  }

  /** All series as text (Prometheus, "Exposition formats", 0.0.4). */
  text(): string {
    return this.#families.map(textOf).join("");
  }

  #family<S>(about: About, make: () => S): Family<S> {
    return new Family(about, make, () => {
      if (this.#series < this.#most) {
        this.#series++;
        return true;
      }
      this.#dropped++;
      return false;
    });
  }

  #keep<F extends Family<Value> | Family<Histogram>>(family: F): F {
    this.#families.push(family);
    return family;
  }
}

const zero = (): Value => ({ value: 0 });

function textOf(family: Family<Value> | Family<Histogram>): string {
  const { name, help, type, labels } = family.about;
  let text = "";
  for (const { values, series } of family) {
    const written = labels.map((label, index) => `${label}="${escaped(values[index] as string)}"`).join();
    text +=
      series instanceof Histogram
        ? series.lines(name, written)
        : `${name}${braced(written)} ${number(series.value)}\n`;
  }
  return text === "" ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${text}`;
}

function braced(labels: string, more = ""): string {
  const all = labels === "" || more === "" ? labels + more : `${labels},${more}`;
  return all === "" ? "" : `{${all}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? String.raw`\n` : `\\${character}`));
}

function number(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
