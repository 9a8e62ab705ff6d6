// A connection that comes back by itself, as one of the SDKs keeps it.
// States: `offline` (nobody wants it), `connecting`, `connected`, `waiting` (before the next try), `refused`.

import { Backoff } from './backoff.js'
import { Events } from './events.js'
import { CommandError, Socket } from './socket.js'

/** The edge says so when a token has ended; the next try brings a new one. */
const TOKEN_EXPIRED = 109
/** The server's state is another one now: positions no longer count. */
const STATE_INVALIDATED = 3014

export class Client extends Events {
  state = 'offline'
  /** Why it isn't connected, for people. */
  reason = ''
  /** The connection's id, while it is connected. */
  id = undefined
  #url
  #token
  #socket
  #stop
  #wake = () => {}

  /** `token` resolves to a fresh one; it gets a signal that ends it. Tells `state`, `push` and `invalidated`. */
  constructor (url, token) {
    super()
    this.#url = url
    this.#token = token
    addEventListener('online', () => this.#wake())
    document.addEventListener('visibilitychange', () => this.#wake())
  }

  start () {
    if (this.#stop) return
    this.#stop = new AbortController()
    this.#run(this.#stop.signal)
  }

  /** Closes the connection and stays away. */
  stop () {
    this.#stop?.abort()
    this.#stop = this.id = undefined
    this.#socket?.close()
    this.#wake()
    this.#become('offline')
  }

  /** Drops the connection to make a new one. */
  reconnect (reason) {
    this.#socket?.close(reason)
  }

  command (name, body) {
    if (this.state === 'connected') return this.#socket.command(name, body)
    return Promise.reject(new CommandError('not connected', { temporary: true }))
  }

  async #run (signal) {
    const backoff = new Backoff()
    while (!signal.aborted) {
      this.#become('connecting')
      const end = await this.#once(signal, backoff)
      if (signal.aborted) return
      if (end.code === STATE_INVALIDATED) this.tell('invalidated')
      if (end.terminal) {
        this.#stop = undefined
        return this.#become('refused', end.reason)
      }
      this.#become('waiting', end.reason)
      await this.#pause(backoff.next())
    }
  }

  /** Connects and stays until it ends; resolves to how. */
  async #once (signal, backoff) {
    let socket
    try {
      const token = await this.#token(signal)
      signal.throwIfAborted()
      socket = this.#socket = new Socket(this.#url, push => this.tell('push', push))
      this.id = await socket.connect(token)
    } catch (error) {
      socket?.close(error.message)
      const refused = error.code > 0 && !error.temporary && error.code !== TOKEN_EXPIRED
      const { code, reason, terminal = false } = await socket?.ended ?? {}
      return { code, reason: reason || error.message, terminal: refused || terminal }
    }
    backoff.reset()
    this.#become('connected')
    return socket.ended
  }

  #pause (milliseconds) {
    return new Promise(resolve => {
      this.#wake = resolve
      setTimeout(resolve, milliseconds)
    })
  }

  #become (state, reason = '') {
    this.state = state
    if (state !== 'connected') this.id = undefined
    this.reason = reason
    this.tell('state', state)
  }
}
