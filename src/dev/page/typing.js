// Who is writing: hints on an ephemeral channel, sent at most once, never stored, and forgotten after a while.

import { byId } from './dom.js'
import { Subscription } from './subscription.js'
import { cut } from './text.js'

const CHANNEL = 'cursors:lobby'
const SEND_EVERY_MS = 2000
const SHOWN_MS = 3000

export class Typing {
  #client
  #line = byId('typing')
  /** Timers that forget, by connection. */
  #writing = new Map()
  #sentAt = -Infinity

  constructor (client) {
    this.#client = client
    const subscription = new Subscription(client, CHANNEL, { recover: false })
    subscription.on('publication', ({ info, data }) => { if (info && data?.typing === true) this.#onHint(info) })
  }

  /** Tells the others, unless they were told a moment ago. */
  hint () {
    const now = performance.now()
    if (now - this.#sentAt < SEND_EVERY_MS) return
    this.#sentAt = now
    // A hint that is lost isn't missed.
    this.#client.command('publish', { channel: CHANNEL, data: { typing: true } }).catch(() => {})
  }

  /** What was being written has been sent: the next hint may go out at once. */
  sent () {
    this.#sentAt = -Infinity
  }

  /** A message of theirs has come. */
  done (user) {
    for (const [client, { name }] of this.#writing) if (name === user) this.#forget(client)
  }

  #onHint ({ client, user }) {
    if (client === this.#client.id) return
    clearTimeout(this.#writing.get(client)?.timer)
    this.#writing.set(client, { name: cut(user || 'anonymous', 40), timer: setTimeout(() => this.#forget(client), SHOWN_MS) })
    this.#show()
  }

  #forget (client) {
    clearTimeout(this.#writing.get(client)?.timer)
    this.#writing.delete(client)
    this.#show()
  }

  #show () {
    const names = [...this.#writing.values()].map(({ name }) => name)
    this.#line.textContent = sentence(names)
  }
}

function sentence (names) {
  if (names.length === 0) return ''
  if (names.length === 1) return `${names[0]} is writing…`
  return names.length === 2 ? `${names[0]} and ${names[1]} are writing…` : 'Several people are writing…'
}
