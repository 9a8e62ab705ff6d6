// One connection in the client protocol, encoded as JSON: commands and their replies, pushes, pings.
// A frame holds one or more objects, one a line. See https://centrifugal.dev/docs/transports/client_protocol.

const COMMAND_TIMEOUT_MS = 5000
/** A server that pings later than this is gone, whatever the socket says. */
const PING_DELAY_MAX_MS = 10_000
/** What an edge reads of one frame. */
const FRAME_BYTES_MAX = 64 * 1024

/** Why a command has no result. `temporary`: it may work when tried again. */
export class CommandError extends Error {
  constructor (message, { code = 0, temporary = false } = {}) {
    super(message)
    this.code = code
    this.temporary = temporary
  }
}

export class Socket {
  #ws
  #onPush
  #lastId = 0
  #waiting = new Map()
  #pingTimer
  #pingMs = 0
  #tellEnd

  /** Resolves, once, to how it ended: code, reason, and whether coming back is useless. */
  ended = new Promise(resolve => { this.#tellEnd = resolve })

  constructor (url, onPush) {
    this.#onPush = onPush
    this.#ws = new WebSocket(url)
    this.#ws.onmessage = message => this.#onFrame(message.data)
    this.#ws.onclose = ({ code, reason }) => {
      this.#end({ code, reason: reason || 'the connection was lost', terminal: isTerminal(code) })
    }
  }

  /** Says who comes; resolves to the connection's id. */
  async connect (token) {
    await this.#open()
    const { client, ping = 0 } = await this.command('connect', { token, name: 'trunkline-demo' })
    this.#pingMs = ping * 1000
    this.#expectPing()
    return client
  }

  #open () {
    return new Promise((resolve, reject) => {
      this.#ws.onopen = resolve
      this.ended.then(() => reject(lost()))
    })
  }

  /** Sends a command; resolves to its result. */
  command (name, body) {
    const id = ++this.#lastId
    const frame = JSON.stringify({ id, [name]: body })
    if (new TextEncoder().encode(frame).length > FRAME_BYTES_MAX) {
      return Promise.reject(new CommandError(`more than ${FRAME_BYTES_MAX / 1024} KiB`))
    }
    if (this.#ws.readyState !== WebSocket.OPEN) return Promise.reject(lost())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#answer({ id, error: { message: 'no answer', temporary: true } }), COMMAND_TIMEOUT_MS)
      this.#waiting.set(id, { name, resolve, reject, timer })
      this.#ws.send(frame)
    })
  }

  /** Goes away; whoever waits is told at once, since a dead network doesn't even confirm a close. */
  close (reason = 'closed here') {
    this.#ws.close(1000)
    this.#end({ code: 1000, reason, terminal: false })
  }

  #onFrame (text) {
    this.#expectPing()
    for (const line of text.trim().split('\n')) this.#onReply(JSON.parse(line))
  }

  #onReply (reply) {
    if (reply.id) this.#answer(reply)
    else if (reply.push) this.#onPush(reply.push)
    else this.#ws.send('{}')
  }

  #answer ({ id, error, ...results }) {
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (error) waiting.reject(new CommandError(error.message, error))
    else waiting.resolve(results[waiting.name] ?? {})
  }

  #expectPing () {
    clearTimeout(this.#pingTimer)
    if (this.#pingMs === 0) return
    this.#pingTimer = setTimeout(() => this.close('no ping'), this.#pingMs + PING_DELAY_MAX_MS)
  }

  #end (how) {
    clearTimeout(this.#pingTimer)
    this.#ws.onmessage = this.#ws.onclose = null
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(lost())
    }
    this.#waiting.clear()
    this.#tellEnd(how)
  }
}

function lost () {
  return new CommandError('the connection was lost', { temporary: true })
}

/** Whether a close means "don't come back": the ranges of the protocol, and a frame that was too long. */
function isTerminal (code) {
  return (code >= 3500 && code < 4000) || (code >= 4500 && code < 5000) || code === 1009
}
