// The mesh as `trunkline dev` emulates it: its edges, how far they are, and which are cut off.

import { Events } from './events.js'

const ASK_EVERY_MS = 2000

/** Tells `change` with `{ self, wan, edges }`. */
export class Mesh extends Events {
  /** This edge's region; undefined where nobody tells. */
  self = undefined

  /** Asks once, then goes on by itself where there is an answer. */
  async load () {
    if (!await this.#ask()) return
    setInterval(() => { if (!document.hidden) this.#ask() }, ASK_EVERY_MS)
  }

  /** Cuts a region off the backbone, or heals it. */
  async cut (region, cut) {
    const response = await fetch('/dev/wan', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Trunkline-Dev': '1' },
      body: JSON.stringify({ region, cut })
    })
    if (!response.ok) throw new Error((await response.json()).error)
    await this.#ask()
  }

  async #ask () {
    try {
      const response = await fetch('/dev/mesh')
      if (!response.ok) return false
      const mesh = await response.json()
      this.self = mesh.self
      this.tell('change', mesh)
      return true
    } catch {
      return false
    }
  }
}
