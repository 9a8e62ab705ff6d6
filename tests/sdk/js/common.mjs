// What the scripts share: clients and tokens as an application makes them.
import { createHmac } from 'node:crypto'
import { Centrifuge } from 'centrifuge'
import { Centrifuge as CentrifugeProtobuf } from 'centrifuge/build/protobuf'
import WebSocket from 'ws'
import { fail, say } from './script.mjs'

export { fail, say }

const text = new TextEncoder()
const fromText = new TextDecoder()

/** A client of the encoding asked for; `options` as the SDK takes them. */
export function client (encoding, url, options = {}) {
  const Sdk = encoding === 'protobuf' ? CentrifugeProtobuf : Centrifuge
  const fast = { websocket: WebSocket, minReconnectDelay: 50, maxReconnectDelay: 200 }
  return new Sdk(url, { ...fast, ...options })
}

/** Payloads: objects in JSON, their text as bytes in Protobuf. */
export function encode (encoding, value) {
  return encoding === 'protobuf' ? text.encode(JSON.stringify(value)) : value
}

export function decode (encoding, data) {
  return encoding === 'protobuf' ? JSON.parse(fromText.decode(data)) : data
}

/** A token as an application's backend signs it; dev mode's secret. */
export function token (claims, secret = 'dev') {
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** Unix time so many seconds from now, as tokens have it. */
export function inSeconds (seconds) {
  return Math.floor(Date.now() / 1000) + seconds
}

/** Resolves to what a promise fails with. */
export function failure (promise) {
  return promise.then(value => fail(`no error but ${JSON.stringify(value)}`), error => error)
}

/** Fails when a promise takes longer than anything may: only what never comes does. */
function soon (promise) {
  const late = new Error('it never came')
  const timer = setTimeout(() => fail(late), 30_000)
  return promise.finally(() => clearTimeout(timer))
}

/** What an emitter says of one event, in order; `next()` waits for it, `waiting` is what nobody has asked for. */
export class Told {
  waiting = []
  asking = []

  constructor (emitter, event) {
    emitter.on(event, context => {
      const ask = this.asking.shift()
      if (ask) ask(context)
      else this.waiting.push(context)
    })
  }

  next () {
    if (this.waiting.length > 0) return Promise.resolve(this.waiting.shift())
    return soon(new Promise(resolve => this.asking.push(resolve)))
  }
}

/** Resolves when `emitter` says `event`. */
export function once (emitter, event) {
  return soon(new Promise(resolve => emitter.once(event, resolve)))
}

/** Checks that sequence numbers come as 1, 2, 3, … and offsets without a hole. */
export class Sequence {
  count = 0
  offset = undefined

  take (sequence, offset) {
    if (sequence !== this.count + 1) throw new Error(`got ${sequence} after ${this.count}`)
    const expected = this.offset === undefined ? offset : this.offset + 1
    if (Number(offset) !== expected) throw new Error(`offset ${offset} after ${this.offset}`)
    this.count = sequence
    this.offset = Number(offset)
  }
}
