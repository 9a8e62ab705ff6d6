// What this page sends, until it is known to be stored. Its idempotency key makes a repeat harmless: the mesh takes it once.
// The same id in the payload tells the page which of the publications that come back is its own.

/** An edge's answer when it got none from the backbone in time. */
const INTERNAL = 100

export class Outbox {
  #client
  #channel
  #log
  #me

  constructor (client, channel, log, me) {
    this.#client = client
    this.#channel = channel
    this.#log = log
    this.#me = me
  }

  send (text) {
    const message = { id: newId(), text, ...this.#me() }
    message.again = () => this.#publish(message)
    return this.#publish(message)
  }

  async #publish (message) {
    const { id, text } = message
    this.#log.own(message, 'sending')
    try {
      const data = { id, text, sent: Date.now() }
      const publish = { channel: this.#channel, data, idempotency_key: id }
      await this.#client.command('rpc', { method: 'publish', data: publish })
      this.#log.own(message, 'stored')
    } catch (error) {
      message.why = error.code === INTERNAL ? 'the mesh gave no answer' : error.message
      this.#log.own(message, 'unconfirmed')
    }
  }
}

function newId () {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('')
}
