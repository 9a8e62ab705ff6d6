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
  /** Grows when the log begins anew: what was asked for before no longer fits. */
  #round = 0
  #seen = new IntersectionObserver(entries => { if (entries.at(-1).isIntersecting) this.#older() }, { root: byId('log') })

  constructor (client, subscription, log) {
    this.#client = client
    this.#subscription = subscription
    this.#log = log
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

  async #load (before) {
    const round = this.#round
    this.#show({ loading: true })
    try {
      const page = await this.#client.command('history', this.#request(before))
      if (round !== this.#round) return
      this.#log.prepend(page.publications.map(read))
      this.#show({ more: page.publications.length === PAGE && this.#log.oldest > 1 })
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
    this.#button.textContent = loading ? 'Loading…' : failed ? `Older messages didn't come (${failed}): try again` : 'Load older messages'
    // Seen anew: it may be in view still, when a page is short or the screen is tall.
    this.#seen.disconnect()
    if (more) this.#seen.observe(this.#button)
  }
}
