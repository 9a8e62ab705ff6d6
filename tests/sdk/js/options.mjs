// What a subscription may ask for, granted, left out in silence or refused; and what costs a connection.
// Arguments: encoding, URL of the subscriber's edge, URL of the publisher's.
import { deepEqual, equal } from 'node:assert/strict'
import { client, decode, encode, once, say, Told, token } from './common.mjs'

const [encoding, near, far] = process.argv.slice(2)
const about = { name: 'tests', version: '1', data: encode(encoding, {}) }
const ann = client(encoding, near, { token: token({ sub: 'ann' }), ...about })
const publisher = client(encoding, far)
const publish = (channel, value) => publisher.publish(channel, encode(encoding, value))

/** Subscribes and gives what it is told. */
function subscribe (channel, options, kind = 'newSubscription') {
  const subscription = ann[kind](channel, options)
  const told = {}
  for (const event of ['publication', 'unsubscribed']) told[event] = new Told(subscription, event)
  const subscribed = once(subscription, 'subscribed')
  subscription.subscribe()
  return { ...told, subscribed }
}

/** Three messages, and the epoch that they are in. */
async function filled (channel) {
  for (const number of [1, 2, 3]) await publish(channel, { number })
  return (await publisher.history(channel)).epoch
}

async function bringsTheRest ({ subscribed, publication }) {
  const { wasRecovering, recovered } = await subscribed
  deepEqual([wasRecovering, recovered], [true, true])
  for (const number of [2, 3]) {
    const message = await publication.next()
    deepEqual([decode(encoding, message.data).number, message.offset], [number, number])
  }
}

/** Where the rules force nothing, recovery is for those who ask. */
async function recoveryIsForThoseWhoAsk () {
  const { positioned, recoverable, streamPosition } = await subscribe('scores:a').subscribed
  deepEqual([positioned, recoverable, streamPosition], [false, false, undefined])
  const asked = await subscribe('scores:b', { positioned: true, recoverable: true }).subscribed
  deepEqual([asked.positioned, asked.recoverable, asked.streamPosition.offset], [true, true, 0])
}

/** A position from another edge is as good as one's own. */
async function aPositionIsTakenUp () {
  const epoch = await filled('chat:since')
  await bringsTheRest(subscribe('chat:since', { since: { offset: 1, epoch } }))
}

/** The application's state is asked for again when its position is of no use. */
async function aStateIsTakenUp () {
  const epoch = await filled('chat:state')
  const epochs = ['gone', epoch]
  const getState = async () => ({ offset: 1, epoch: epochs.shift() })
  await bringsTheRest(subscribe('chat:state', { getState }))
  equal(epochs.length, 0)
}

/** No deltas: data comes whole. */
async function dataComesWhole () {
  const { subscribed, publication } = subscribe('chat:delta', { delta: 'fossil' })
  await subscribed
  for (const number of [1, 2]) {
    const document = { text: 'the same '.repeat(50), number }
    await publish('chat:delta', document)
    deepEqual(decode(encoding, (await publication.next()).data), document)
  }
}

/** A filter that would not be kept, or a channel of another type, is refused. */
async function whatWeLackIsRefused () {
  const filtered = subscribe('chat:filtered', { tagsFilter: { key: 'kind', cmp: 'eq', val: 'a' } })
  equal((await filtered.unsubscribed.next()).code, 107)
  const map = subscribe('chat:map', {}, 'newMapSubscription')
  equal((await map.unsubscribed.next()).code, 108)
}

/** Messages to nobody, and messages too large, end the connection for good. */
async function someThingsEndTheConnection () {
  ann.send(encode(encoding, {}))
  equal((await once(ann, 'disconnected')).code, 3508)
  ann.connect()
  await ann.ready()
  ann.publish('chat:large', encode(encoding, { text: 'x'.repeat(70_000) })).catch(() => {})
  equal((await once(ann, 'disconnected')).code, 3)
}

ann.connect()
publisher.connect()
await recoveryIsForThoseWhoAsk()
await aPositionIsTakenUp()
await aStateIsTakenUp()
await dataComesWhole()
await whatWeLackIsRefused()
await someThingsEndTheConnection()
say({ done: true })
publisher.disconnect()
