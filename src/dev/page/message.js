// A message: what a publication says, and how it looks.

import { element } from './dom.js'
import { colour } from './palette.js'
import { clock, cut, duration } from './text.js'

const TEXT_MAX = 10_000
const NAME_MAX = 40

/** A publication as the log shows it. Its data is whatever somebody published, so that nothing in it is certain. */
export function read (publication) {
  const { data, info, offset, time, replayed = false } = publication
  const { id, text, sent } = typeof data === 'object' && data !== null ? data : {}
  return {
    offset,
    replayed,
    id: typeof id === 'string' ? cut(id, 64) : undefined,
    sent: Number.isFinite(sent) ? sent : undefined,
    time,
    text: cut(typeof text === 'string' ? text : JSON.stringify(data), TEXT_MAX),
    user: info ? cut(info.user || 'anonymous', NAME_MAX) : 'server',
    region: regionOf(info)
  }
}

/** The region that a connection's token names. */
export function regionOf (info) {
  const region = info?.conn_info?.region
  return typeof region === 'string' ? cut(region, NAME_MAX) : undefined
}

/** Its element; `state` is `sending`, `stored`, `unconfirmed` or `shown`. */
export function render (message, { own }) {
  const item = element('li', { class: `message ${colour(message.region)}${own ? ' own' : ''}`, 'data-user': message.user })
  item.append(
    element('div', { class: 'byline' },
      element('span', { class: 'author' }, message.user),
      message.region && element('span', { class: 'badge' }, message.region)),
    element('p', { class: 'bubble' }, message.text),
    element('div', { class: 'facts' }))
  refresh(item, message)
  return item
}

/** Says anew what is known of the message beneath its bubble. */
export function refresh (item, message, state = 'shown') {
  item.dataset.state = state
  if (message.offset !== undefined) item.dataset.offset = message.offset
  item.querySelector('.facts').replaceChildren(...facts(message, state))
}

function facts (message, state) {
  if (state === 'sending') return [element('span', {}, 'sending…')]
  if (state === 'stored') return [element('span', {}, 'stored')]
  if (state === 'unconfirmed') return unconfirmed(message)
  const when = message.time ?? message.sent
  return [
    when && element('time', { datetime: new Date(when).toISOString() }, clock(when)),
    message.delivery !== undefined && delivery(message),
    message.replayed && element('span', { class: 'replayed' }, 'replayed')
  ].filter(Boolean)
}

function delivery ({ delivery, offset }) {
  const text = element('span', { class: 'delivery', title: `offset ${offset}` }, duration(delivery))
  text.prepend(element('span', { class: 'unseen' }, 'delivered in '))
  return text
}

function unconfirmed ({ why, again }) {
  const button = element('button', { type: 'button', class: 'link' }, 'Send again')
  button.addEventListener('click', again)
  return [element('span', { class: 'warning' }, `not confirmed: ${why}`), button]
}
