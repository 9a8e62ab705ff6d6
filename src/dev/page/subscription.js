// A channel's publications from a position on: what a broken connection missed is asked for and comes first.

import { Backoff } from './backoff.js'
import { Events } from './events.js'

/** From here on an unsubscribe asks for a new subscription; below it is meant. */
const RESUBSCRIBE_FROM = 2500
/** The server's state is another one now: what is known of it no longer counts. */
const STATE_INVALIDATED = 2502

/**
 * Tells `subscribed`; `publication` with `replayed` set for what came late; `join` and `leave`; `resumed` before what is
 * replayed, with `count`, `first`, `last`; `missed` when it can't be replayed, with the position `before`; `refused`.
 */
export class Subscription extends Events {
  channel
  /** Offset and epoch of the last publication that was told; undefined before the first subscription and without recovery. */
  position = undefined
  #client
  #recover
  #state = 'off'
  /** What came between the reply and the moment it was read. */
  #early = []
  #backoff = new Backoff()
  #retry

  constructor (client, channel, { recover }) {
    super()
    this.channel = channel
    this.#client = client
    this.#recover = recover
    client.on('state', state => this.#onState(state))
    client.on('invalidated', () => this.forget())
    client.on('push', push => { if (push.channel === channel) this.#onPush(push) })
  }

  get active () {
    return this.#state === 'on'
  }

  #onState (state) {
    clearTimeout(this.#retry)
    this.#state = 'off'
    if (state === 'connected') this.#subscribe()
  }

  async #subscribe () {
    this.#state = 'asking'
    this.#early = []
    const connection = this.#client.id
    try {
      const reply = await this.#client.command('subscribe', this.#request())
      if (this.#client.id !== connection) return
      this.#backoff.reset()
      this.#on(reply)
    } catch (error) {
      if (this.#client.id === connection) this.#onError(error)
    }
  }

  #request () {
    const request = { channel: this.channel }
    if (!this.#recover || !this.position) return request
    return { ...request, recover: true, ...this.position }
  }

  #onError (error) {
    this.#state = 'off'
    if (!error.temporary) return this.tell('refused', error.message)
    // Without an answer it isn't known whether the edge has the subscription: a new connection is.
    if (error.code === 0) return this.#client.reconnect('no answer to a subscription')
    this.#retry = setTimeout(() => this.#subscribe(), this.#backoff.next())
  }

  #on (reply) {
    const before = this.position
    this.#state = 'on'
    if (reply.recoverable && this.#recover) this.position = { offset: reply.offset ?? 0, epoch: reply.epoch }
    if (reply.recovered) this.#replay(reply.publications ?? [])
    else if (reply.was_recovering) this.tell('missed', before)
    this.tell('subscribed', reply)
    this.#early.splice(0).forEach(push => this.#onPush(push))
  }

  #replay (publications) {
    const [first, last] = [publications[0]?.offset, publications.at(-1)?.offset]
    this.tell('resumed', { count: publications.length, first, last })
    publications.forEach(publication => this.#publication(publication, true))
  }

  #onPush (push) {
    if (this.#state === 'asking') this.#early.push(push)
    else if (push.pub) this.#publication(push.pub, false)
    else if (push.join) this.tell('join', push.join.info)
    else if (push.leave) this.tell('leave', push.leave.info)
    else if (push.unsubscribe) this.#onUnsubscribe(push.unsubscribe)
  }

  #publication (publication, replayed) {
    if (this.position) this.position.offset = publication.offset
    this.tell('publication', { ...publication, replayed })
  }

  #onUnsubscribe ({ code, reason }) {
    this.#state = 'off'
    if (code < RESUBSCRIBE_FROM) return this.tell('refused', reason)
    if (code === STATE_INVALIDATED) this.forget()
    this.#subscribe()
  }

  /** Begins anew with the next subscription. */
  forget () {
    this.position = undefined
  }
}
