// What one server spends more than another: measured in turn, in short spans, so that what else happens on the machine
// falls on both. The difference is taken within each four spans (one, other, other, one), and told with an interval.
import { Child } from "./child.mjs";
import { connect, exchange, median, start } from "./measure.mjs";
import { scenarioNamed } from "./scenarios.mjs";

/** The CPU time of one span, in microseconds: short, so that many of them are disturbed by nobody. */
const SPAN = 20_000;

/** So many spans of each are for its code to be compiled, some ten thousand requests. */
const WARMING = 30;

/** So many pairs of processes are compared for a layer: no two compile their code alike. */
const STARTS = 3;

/**
 * @typedef {object} Difference CPU time of a request, in microseconds
 * @property {number} base of the first server: the median
 * @property {number} cost what the second spends more: the median of all fours
 * @property {number} low @property {number} high where that median lies in 19 of 20 runs with these processes
 * @property {number} disturbed for what part of the time other programs were in the way
 */

/** Measures `other` against `base`, two servers that `start` gave. @returns {Promise<Difference>} */
export async function difference(base, other, rounds) {
  const loads = [new Child("load.mjs", "load"), new Child("load.mjs", "load")];
  try {
    await Promise.all([connect(loads[0], base), connect(loads[1], other)]);
    const spans = [
      (requests) => exchange(loads[0], base, requests),
      (requests) => exchange(loads[1], other, requests),
    ];
    let requests = 50;
    for (let span = 0; span < WARMING; span++) {
      for (const run of spans) {
        const { cpu } = await run(requests);
        requests = Math.round((requests + SPAN / cpu) / 2);
      }
    }
    const fours = [];
    for (let round = 0; round < rounds; round++) {
      const [outer, inner] = round % 2 === 0 ? spans : spans.toReversed();
      const spent = [
        await outer(requests),
        await inner(requests),
        await inner(requests),
        await outer(requests),
      ];
      const [first, second] = [mean(spent[0], spent[3]), mean(spent[1], spent[2])];
      const disturbed = Math.max(...spent.map((span) => span.disturbed));
      fours.push(
        round % 2 === 0
          ? { base: first, cost: second - first, disturbed }
          : { base: second, cost: first - second, disturbed },
      );
    }
    return summary(fours);
  } finally {
    for (const load of loads) load.stop();
  }
}

/**
 * What each of these layers costs a call: a server with it, against one without, several times. The cost is the middle one
 * of those, its range reaches over all of theirs. @returns {Promise<object[]>}
 */
export async function costs({ layers, wire, rounds, say }) {
  const measured = [];
  for (const scenario of layers) {
    const found = [];
    for (let pair = 1; pair <= STARTS; pair++) {
      say(`${scenario.title} on ${wire}: pair ${pair} of ${STARTS}`);
      const servers = [];
      try {
        for (const one of [scenarioNamed(scenario.without), scenario])
          servers.push(await start("gantry", one, wire));
        found.push(await difference(...servers, rounds));
      } finally {
        for (const { child } of servers) child.stop();
      }
    }
    measured.push({
      scenario: scenario.name,
      wire,
      base: median(found.map(({ base }) => base)),
      cost: median(found.map(({ cost }) => cost)),
      low: Math.min(...found.map(({ low }) => low)),
      high: Math.max(...found.map(({ high }) => high)),
      disturbed: median(found.map(({ disturbed }) => disturbed)),
    });
  }
  return measured;
}

/** Of all fours, the half in which other programs were least in the way. */
function summary(fours) {
  const calm = fours.toSorted((a, b) => a.disturbed - b.disturbed).slice(0, Math.ceil(fours.length / 2));
  const differences = calm.map(({ cost }) => cost).toSorted((a, b) => a - b);
  const [low, high] = interval(differences);
  return {
    base: median(calm.map(({ base }) => base)),
    cost: median(differences),
    low,
    high,
    disturbed: median(calm.map(({ disturbed }) => disturbed)),
  };
}

/** Where the median lies with 95 % confidence, whatever the distribution: by the signs (binomial, as a normal one). */
function interval(sorted) {
  const outside = Math.max(0, Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length)));
  return [sorted[outside], sorted[sorted.length - 1 - outside]];
}

function mean(one, other) {
  return (one.cpu + other.cpu) / 2;
}
