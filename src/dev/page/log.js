// The messages in the order of their offsets, each once; those that aren't confirmed yet stand at the end.

import { byId, element } from './dom.js'
import { Events } from './events.js'
import { refresh, render } from './message.js'

/** Kept while the newest are in view: enough to scroll a little. */
const KEPT_AT_END = 300
/** Kept while somebody reads older ones: more than the channel itself keeps (1000). */
const KEPT_READING = 1200
/** Pixels from the end that still count as being there. */
const NEAR_END = 48

/** Tells `forgotten` when it has let go of its oldest messages. */
export class Log extends Events {
  #scroll = byId('log')
  #list = byId('messages')
  #newer = byId('newer')
  /** By user and id: what is there, so that a repeat isn't shown twice. */
  #byKey = new Map()
  #offsets = new Set()
  #me

  /** `me` tells the name under which this page sends. */
  constructor (me) {
    super()
    this.#me = me
    this.#scroll.addEventListener('scroll', () => { if (this.#atEnd()) this.#newer.hidden = true })
    this.#newer.addEventListener('click', () => this.#toEnd())
  }

  /** The least offset that is here, be it a repeat that isn't shown; undefined when there is none. */
  get oldest () {
    return this.#offsets.size > 0 ? Math.min(...this.#offsets) : undefined
  }

  /** Adds a message that came now. */
  append (message) {
    const follow = this.#atEnd()
    const isNew = this.#place(message)
    this.#settle(follow)
    if (isNew && !follow) this.#newer.hidden = false
  }

  /** Adds older messages without moving what is being read, and without reading them aloud. */
  prepend (messages) {
    const follow = this.#atEnd()
    const below = this.#scroll.scrollHeight - this.#scroll.scrollTop
    this.#scroll.setAttribute('aria-live', 'off')
    messages.forEach(message => this.#place(message))
    this.#settle(follow)
    if (!follow) this.#scroll.scrollTop = this.#scroll.scrollHeight - below
    requestAnimationFrame(() => this.#scroll.setAttribute('aria-live', 'polite'))
  }

  /** Shows an own message before its publication comes, or how it fares: `sending`, `stored`, `unconfirmed`. */
  own (message, state) {
    const known = this.#byKey.get(key(message))
    if (known?.dataset.offset) return
    const item = known ?? render(message, { own: true })
    refresh(item, message, state)
    this.#byKey.set(key(message), item)
    if (known) return
    this.#list.append(item)
    this.#join(item)
    this.#toEnd()
  }

  /** Says something between the messages, after the one of that offset. */
  notice (text, offset, kind = 'note') {
    const follow = this.#atEnd()
    this.#insert(element('li', { class: `notice ${kind}`, 'data-offset': offset }, element('span', {}, text)))
    this.#settle(follow)
  }

  /** Forgets all but what isn't confirmed. */
  clear () {
    this.#list.querySelectorAll('[data-offset]').forEach(item => item.remove())
    this.#forgetKeys()
    this.#offsets.clear()
  }

  /** Whether it wasn't there yet. */
  #place (message) {
    if (this.#offsets.has(message.offset)) return false
    this.#offsets.add(message.offset)
    const known = message.id && this.#byKey.get(key(message))
    if (known?.dataset.offset) return false
    const item = known ?? render(message, { own: message.user === this.#me() })
    if (message.id) this.#byKey.set(key(message), item)
    refresh(item, message)
    this.#insert(item)
    return true
  }

  /** Puts an item behind the last one that has no greater offset. */
  #insert (item) {
    const offset = Number(item.dataset.offset)
    let before = this.#list.lastElementChild
    while (before && (before === item || !(Number(before.dataset.offset) <= offset))) before = before.previousElementSibling
    if (before) before.after(item)
    else this.#list.prepend(item)
    this.#join(item)
    if (item.nextElementSibling) this.#join(item.nextElementSibling)
  }

  /** A message by the same person as the one before needs no name. */
  #join (item) {
    const before = item.previousElementSibling
    const same = before?.dataset.user !== undefined && before.dataset.user === item.dataset.user
    item.classList.toggle('joined', same)
  }

  #settle (follow) {
    const most = follow ? KEPT_AT_END : KEPT_READING
    this.#forget(this.#list.childElementCount - most)
    if (follow) this.#toEnd()
  }

  /** Lets go of the first of those that can be had again: what isn't confirmed is nowhere else. */
  #forget (surplus) {
    const first = surplus > 0 ? [...this.#list.querySelectorAll('[data-offset]')].slice(0, surplus) : []
    if (first.length === 0) return
    first.forEach(item => item.remove())
    this.#forgetKeys()
    const last = Number(first.at(-1).dataset.offset)
    this.#offsets.forEach(offset => { if (offset <= last) this.#offsets.delete(offset) })
    this.#join(this.#list.firstElementChild)
    this.tell('forgotten')
  }

  #forgetKeys () {
    this.#byKey.forEach((item, key) => { if (!item.isConnected) this.#byKey.delete(key) })
  }

  #atEnd () {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll
    return scrollHeight - scrollTop - clientHeight < NEAR_END
  }

  #toEnd () {
    this.#scroll.scrollTop = this.#scroll.scrollHeight
    this.#newer.hidden = true
  }
}

function key ({ user, id }) {
  return `${user} ${id}`
}
