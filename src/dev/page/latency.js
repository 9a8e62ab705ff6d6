// How long things take, measured: deliveries by the region they came from, and round trips to the channel's owner.

import { Events } from './events.js'
import { median } from './text.js'

const DELIVERIES_KEPT = 20
const ROUND_TRIPS_KEPT = 5
const ASK_EVERY_MS = 5000
/** Beyond it a payload's clock isn't one of this machine. */
const DELIVERY_MS_MAX = 600_000

/** Tells `change`. */
export class Latency extends Events {
  #deliveries = new Map()
  #roundTrips = []

  constructor (client, channel) {
    super()
    const ask = () => { if (client.state === 'connected') this.#ask(client, channel) }
    client.on('state', ask)
    setInterval(ask, ASK_EVERY_MS)
  }

  /** Takes the delivery of a message that has just come; returns its time, undefined when it says none. */
  measure ({ sent, region }) {
    const taken = Date.now() - sent
    if (!(taken >= 0 && taken < DELIVERY_MS_MAX)) return undefined
    if (region !== undefined) {
      const kept = this.#deliveries.get(region) ?? []
      this.#deliveries.set(region, [...kept, taken].slice(-DELIVERIES_KEPT))
    }
    this.tell('change')
    return taken
  }

  /** Milliseconds that a message from a region takes to here: the median of the last ones. */
  from (region) {
    return median(this.#deliveries.get(region) ?? [])
  }

  /** Milliseconds from here to the channel's owner and back. */
  get roundTrip () {
    return median(this.#roundTrips)
  }

  /** A history without messages: the owner answers it, whatever the edge knows. */
  async #ask (client, channel) {
    const asked = performance.now()
    try {
      await client.command('history', { channel })
      this.#roundTrips = [...this.#roundTrips, performance.now() - asked].slice(-ROUND_TRIPS_KEPT)
    } catch {
      this.#roundTrips = []
    }
    this.tell('change')
  }
}
