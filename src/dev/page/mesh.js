// The mesh as `trunkline dev` emulates it: its edges, how far they are, and which are cut off.

import { Events } from './events.js'

const ASK_EVERY_MS = 2000
const NOT_FOUND = 404

/** Tells `change` with `{ self, wan, edges }`. */
export class Mesh extends Events {
  /** This edge's region; undefined where nobody tells. */
  self = undefined

  /** Asks once, then goes on by itself unless nobody here knows of a mesh; any other failure may pass. */
  async load () {
    if (await this.#ask() === NOT_FOUND) return
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

  /** Resolves to the answer's status; undefined without an answer. */
  async #ask () {
    try {
      const response = await fetch('/dev/mesh')
      if (response.ok) this.#onMesh(await response.json())
      return response.status
    } catch {
      return undefined
    }
  }

  #onMesh (mesh) {
    this.self = mesh.self
    this.tell('change', mesh)
  }
}
