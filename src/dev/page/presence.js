// Who is there: a list asked for after each subscription, then kept by joins and leaves.

import { byId, element } from './dom.js'
import { regionOf } from './message.js'
import { colour } from './palette.js'
import { cut } from './text.js'

/** Joins and leaves come at most once: now and then the list is asked for again. */
const REFRESH_MS = 30_000
const SHOWN_MAX = 100

export class Presence {
  #client
  #subscription
  #people = new Map()
  #list = byId('people')
  #count = byId('people-count')

  constructor (client, subscription) {
    this.#client = client
    this.#subscription = subscription
    subscription.on('subscribed', () => this.#ask())
    subscription.on('join', info => this.#change(() => this.#people.set(info.client, info)))
    subscription.on('leave', info => this.#change(() => this.#people.delete(info.client)))
    setInterval(() => { if (subscription.active) this.#ask() }, REFRESH_MS)
  }

  async #ask () {
    try {
      const { presence } = await this.#client.command('presence', { channel: this.#subscription.channel })
      this.#change(() => { this.#people = new Map(Object.entries(presence)) })
    } catch {
      // The list of before stands until the next one comes.
    }
  }

  #change (edit) {
    edit()
    const people = [...this.#people.values()].sort((a, b) => this.#rank(a) - this.#rank(b) || a.user.localeCompare(b.user))
    this.#count.textContent = people.length
    this.#list.replaceChildren(...people.slice(0, SHOWN_MAX).map(person => this.#item(person)))
    const hidden = people.length - SHOWN_MAX
    if (hidden > 0) this.#list.append(element('li', { class: 'more' }, `and ${hidden} more`))
  }

  #rank ({ client }) {
    return client === this.#client.id ? 0 : 1
  }

  #item (info) {
    const name = cut(info.user || 'anonymous', 40)
    const region = regionOf(info)
    return element('li', { class: `person ${colour(region)}` },
      element('span', { class: 'avatar', 'aria-hidden': 'true' }, [...name][0].toUpperCase()),
      element('span', { class: 'name' }, name),
      info.client === this.#client.id && element('span', { class: 'you' }, 'you'),
      region && element('span', { class: 'badge' }, region))
  }
}
