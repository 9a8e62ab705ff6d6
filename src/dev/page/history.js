// Older messages, a page at a time, while somebody scrolls up.

import { byId } from './dom.js'
import { read } from './message.js'

const PAGE = 50
/** The channel was numbered anew: positions of before mean nothing. */
const UNRECOVERABLE = 112

export class History {
  #client
  #subscription
  #log
  #button = byId('older')
  #beginning = byId('beginning')
  #loading = false
  /** Grows when the log begins anew or elsewhere: what was asked for before no longer joins it. */
  #round = 0
  #seen = new IntersectionObserver(entries => { if (entries.at(-1).isIntersecting) this.#older() }, { root: byId('log') })

  constructor (client, subscription, log) {
    this.#client = client
    this.#subscription = subscription
    this.#log = log
    log.on('forgotten', () => this.#onForgotten())
    this.#button.addEventListener('click', () => this.#older())
  }

  /** Loads the newest page. */
  latest () {
    this.#round += 1
    return this.#load()
  }

  #older () {
    if (!this.#loading) return this.#load(this.#log.oldest)
  }

  /** What the log let go of can be had again. */
  #onForgotten () {
    this.#round += 1
    this.#show({ more: true })
  }

  async #load (before, again = false) {
    const round = this.#round
    this.#show({ loading: true })
    try {
      const { publications } = await this.#client.command('history', this.#request(before))
      if (round !== this.#round) return
      // A page is as long as the edge's send queue had room for. What left it none has come before this answer: nothing is the
      // end only when it comes twice.
      if (publications.length === 0 && !again) return this.#load(before, true)
      this.#log.prepend(publications.map(read))
      if (round !== this.#round) return
      this.#show({ more: publications.length > 0 && this.#log.oldest > 1 })
    } catch (error) {
      if (round !== this.#round) return
      if (error.code === UNRECOVERABLE) return this.latest()
      this.#show({ failed: error.message })
    }
  }

  #request (before) {
    const request = { channel: this.#subscription.channel, limit: PAGE, reverse: true }
    if (before === undefined) return request
    return { ...request, since: { offset: before, epoch: this.#subscription.position?.epoch } }
  }

  #show ({ loading = false, more = false, failed }) {
    this.#loading = loading
    const ended = !loading && !more && failed === undefined
    this.#button.hidden = ended
    this.#beginning.hidden = !ended
    this.#button.disabled = loading
    const text = loading ? 'Loading…' : failed ? `Older messages didn't come (${failed}): try again` : 'Load older messages'
    // Written anew it would be read aloud anew.
    if (this.#button.textContent !== text) this.#button.textContent = text
    // Seen anew: it may be in view still, when a page is short or the screen is tall.
    this.#seen.disconnect()
    if (more) this.#seen.observe(this.#button)
  }
}
