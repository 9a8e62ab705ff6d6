// The switch that takes this page off the network, and what it says when it is back.

import { byId } from './dom.js'
import { count, range } from './text.js'

export class Offline {
  #client
  #log
  #switch = byId('offline')
  /** The offset before the absence; undefined while there is none to speak of. */
  #left = undefined

  constructor (client, subscription, log) {
    this.#client = client
    this.#log = log
    this.#switch.addEventListener('click', () => this.#toggle(subscription))
    subscription.on('resumed', replay => this.#onResumed(replay, subscription.position.offset))
    subscription.on('missed', before => this.#onMissed(before, subscription.position))
  }

  #toggle (subscription) {
    const away = this.#switch.getAttribute('aria-checked') !== 'true'
    this.#switch.setAttribute('aria-checked', String(away))
    if (!away) return this.#client.start()
    this.#left = subscription.position?.offset
    this.#client.stop()
  }

  /** Short losses without anything missed pass unsaid; after an absence that was asked for people want to know. */
  #onResumed ({ count: messages, first, last }, position) {
    const wanted = this.#left !== undefined
    this.#left = undefined
    const text = messages > 0 ? `${count(messages, 'message')} replayed (${range(first, last)})` : 'Back: nothing was missed'
    // Behind the last replayed message, which isn't here yet: the position is still the one before the replay.
    if (messages > 0 || wanted) this.#log.notice(text, (last ?? position) + 0.5, 'replay')
  }

  #onMissed (before, now) {
    this.#left = undefined
    this.#log.clear()
    const why = before.epoch === now.epoch ? 'History too short' : 'The channel was numbered anew'
    const text = `${why}: gap. The last message here was offset ${before.offset}; the channel is at ${now.offset} now. Shown is what it keeps.`
    // Behind the newest message of now, which isn't here yet, and before the next one.
    this.#log.notice(text, now.offset + 0.5, 'gap')
  }
}
