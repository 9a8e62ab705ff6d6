// Who wants to know what: named events without the ceremony of `EventTarget`.

export class Events {
  #listeners = new Map()

  on (event, listener) {
    const listeners = this.#listeners.get(event) ?? []
    this.#listeners.set(event, [...listeners, listener])
    return this
  }

  tell (event, value) {
    for (const listener of this.#listeners.get(event) ?? []) listener(value)
  }
}
