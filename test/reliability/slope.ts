/** A straight line through points, by least squares. */

export interface Slope {
  /** How much y grows with each unit of x. */
  readonly slope: number;
  /** The standard error of that, where points stray from the line by chance alone. */
  readonly error: number;
}

/** Fits a line through at least three points `[x, y]`, of two different x. */
export function fitted(points: readonly (readonly [x: number, y: number])[]): Slope {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const spread = sum(points.map(([x]) => (x - meanX) ** 2));
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spread;
  const strays = sum(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2));
  return { slope, error: Math.sqrt(strays / (points.length - 2) / spread) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
