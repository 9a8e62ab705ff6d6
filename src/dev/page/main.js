// Puts the page together.

import { Client } from './client.js'
import { compose } from './composer.js'
import { byId } from './dom.js'
import { History } from './history.js'
import { Latency } from './latency.js'
import { Log } from './log.js'
import { Mesh } from './mesh.js'
import { read } from './message.js'
import { Offline } from './offline.js'
import { Outbox } from './outbox.js'
import { Presence } from './presence.js'
import { Regions } from './regions.js'
import { Settings } from './settings.js'
import { CommandError } from './socket.js'
import { showStatus } from './status.js'
import { Subscription } from './subscription.js'
import { Typing } from './typing.js'

const CHANNEL = 'chat:lobby'

const mesh = new Mesh()
const settings = new Settings(rename)
const client = new Client(`${location.origin.replace(/^http/, 'ws')}/connection/websocket`, token)
const lobby = new Subscription(client, CHANNEL, { recover: true })
const me = () => ({ user: settings.name, region: mesh.self })

const log = new Log(() => settings.name)
const history = new History(client, lobby, log)
const outbox = new Outbox(client, CHANNEL, log, me)
const typing = new Typing(client)
const latency = new Latency(client, CHANNEL)
const regions = new Regions(mesh, latency)
new Presence(client, lobby)
new Offline(client, lobby, log)
showStatus(client)

compose({
  onSend: text => { typing.sent(); outbox.send(text) },
  onWrite: () => typing.hint()
})

lobby.on('subscribed', ({ recovered }) => { if (!recovered) history.latest() })
lobby.on('refused', reason => log.notice(`${CHANNEL} refused: ${reason}`, lobby.position?.offset ?? 0, 'gap'))
lobby.on('publication', publication => {
  const message = read(publication)
  if (!message.replayed) {
    message.delivery = latency.measure(message)
    if (message.delivery !== undefined) regions.pass(message.region, message.delivery)
  }
  typing.done(message.user)
  log.append(message)
})

byId('mesh-toggle').addEventListener('click', event => {
  const open = document.body.classList.toggle('mesh-open')
  event.currentTarget.setAttribute('aria-expanded', String(open))
})

/** A name comes with a connection, so that a new name needs a new one. */
function rename () {
  if (client.state === 'offline') return
  client.stop()
  client.start()
}

/** A token for this page's name, in which others read where it is connected. */
async function token (signal) {
  const query = new URLSearchParams({ user: settings.name })
  if (mesh.self !== undefined) query.set('info', JSON.stringify({ region: mesh.self }))
  const response = await fetch(`/dev/token?${query}`, { signal })
  if (response.status === 400) throw new CommandError(await response.text(), { code: 400 })
  if (!response.ok) throw new CommandError(`no token: ${response.status}`, { temporary: true })
  return response.text()
}

await mesh.load()
client.start()
