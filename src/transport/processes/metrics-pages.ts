/** The metrics of several processes on one page. */

/** What a worker measures, as Prometheus reads it (text format 0.0.4). */
export interface WorkersPage {
  /** Its number: another that takes its place has the same. */
  readonly worker: number;
  readonly page: string;
}

/** One page of all: each series has a label that tells whose it is, and those of one metric stand together. */
export function joinPages(pages: readonly WorkersPage[]): string {
  const metrics = new Map<string, string[]>();
  for (const { worker, page } of pages) {
    for (const metric of page.split(/^(?=# HELP )/m)) {
      const [help = "", type = "", ...series] = metric.trimEnd().split("\n");
      const head = `${help}\n${type}\n`;
      const lines = metrics.get(head) ?? [];
      lines.push(...series.map((line) => labelled(line, `worker="${worker}"`)));
      metrics.set(head, lines);
    }
  }
  return [...metrics].map(([head, lines]) => `${head}${lines.join("\n")}\n`).join("");
}

/** Names hold no braces or spaces, so that the first of either ends the name. */
function labelled(line: string, label: string): string {
  const end = line.search(/[{ ]/);
  const name = line.slice(0, end);
  return line[end] === "{"
    ? `${name}{${label},${line.slice(end + 1)}`
    : `${name}{${label}}${line.slice(end)}`;
}
