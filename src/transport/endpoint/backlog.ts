/** Text that waits for a slow reader. */

/** Text is packed when there is so much of it, in characters. */
const PACKED = 16_384;

const encoder = new TextEncoder();

/** Keeps text as bytes in large pieces: in thousands of small strings it would take half as much again. */
export class Backlog {
  #pieces: Uint8Array[] = [];
  #tail = "";
  #packed = 0;

  /** How much waits, in bytes as far as it is packed, and in characters. */
  get length(): number {
    return this.#packed + this.#tail.length;
  }

  add(text: string): void {
    this.#tail += text;
    if (this.#tail.length >= PACKED) this.#pack();
  }

  /** All that waits, in order; then nothing does. */
  take(): readonly Uint8Array[] {
    if (this.#tail !== "") this.#pack();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#packed = 0;
    return pieces;
  }

  #pack(): void {
    const piece = encoder.encode(this.#tail);
    this.#pieces.push(piece);
    this.#packed += piece.length;
    this.#tail = "";
  }
}
