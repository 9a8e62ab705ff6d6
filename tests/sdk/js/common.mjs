// What the scripts share: clients as an application makes them, and lines of JSON to the test.
import { Centrifuge } from 'centrifuge'
import { Centrifuge as CentrifugeProtobuf } from 'centrifuge/build/protobuf'
import WebSocket from 'ws'

const text = new TextEncoder()
const fromText = new TextDecoder()

export function say (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

export function fail (error) {
  say({ error: String(error?.stack ?? error) })
  process.exit(1)
}

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)

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

/** Resolves when `emitter` says `event`. */
export function once (emitter, event) {
  return new Promise(resolve => emitter.once(event, resolve))
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
