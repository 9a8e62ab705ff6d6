// How long to wait before trying again: at random, so that those whom one cut threw out don't come back as one.

const LEAST_MS = 200
const MOST_MS = 5000

export class Backoff {
  #bound = LEAST_MS

  /** Milliseconds to wait now; the range doubles with each call. */
  next () {
    this.#bound = Math.min(MOST_MS, this.#bound * 2)
    return LEAST_MS + Math.random() * (this.#bound - LEAST_MS)
  }

  reset () {
    this.#bound = LEAST_MS
  }
}
