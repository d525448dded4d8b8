/** Metrics as Prometheus reads them. */

/** What a server tells: series as they are written, such as `gantry_calls_total{kind="tool",…}`, and their values. */
export class Scrape {
  readonly text: string;
  readonly #values = new Map<string, number>();

  constructor(text: string) {
    this.text = text;
    for (const line of text.split("\n")) {
      const [, series, value] = /^([^#].*) (\S+)$/.exec(line) ?? [];
      if (series !== undefined) this.#values.set(series, Number(value?.replace("Inf", "Infinity")));
    }
  }

  get series(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** The value of a series as it is written. */
  of(series: string): number | undefined {
    return this.#values.get(series);
  }

  /** The sum of all series of `name` that have these labels; `undefined` where there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const written = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
    const found = [...this.#values].filter(
      ([series]) =>
        (series === name || series.startsWith(`${name}{`)) &&
        written.every((label) => series.includes(label)),
    );
    return found.length === 0 ? undefined : found.reduce((sum, [, value]) => sum + value, 0);
  }
}

/** Reads the metrics at `/metrics` of the server whose endpoint is at `url`. */
export async function scrape(url: string | URL, headers: Record<string, string> = {}): Promise<Scrape> {
  const response = await fetch(new URL("/metrics", url), { headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return new Scrape(text);
}
