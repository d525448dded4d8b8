/** Answers that come in time. */

/** How long this process has to read what has arrived while it was busy, in milliseconds. */
const READING = 10;

/**
 * Gives what `work` gives, and rejects where that takes longer than `limit` milliseconds. A process that was busy for so long has time to
 * read an answer that is there.
 */
export function inTime<T>(work: Promise<T>, limit: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(new Error(`There is no answer within ${limit} ms.`));
    let timer = setTimeout(() => (timer = setTimeout(expire, READING)), limit);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
