// What the connection does, in words.

import { byId } from './dom.js'

const WORDS = {
  offline: 'Offline',
  connecting: 'Connecting…',
  connected: 'Connected',
  waiting: 'Reconnecting…',
  refused: 'Refused'
}

export function showStatus (client) {
  const line = byId('status')
  const retry = byId('retry')
  retry.addEventListener('click', () => client.start())
  client.on('state', state => {
    line.dataset.state = state
    line.querySelector('.words').textContent = WORDS[state]
    line.title = client.reason
    retry.hidden = state !== 'refused'
    if (state === 'refused') line.querySelector('.words').textContent = `Refused: ${client.reason}`
  })
}
