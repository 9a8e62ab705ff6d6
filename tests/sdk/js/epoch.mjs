// Stays subscribed, and comes back, while the test kills the node and starts it again: a buffered channel begins anew and
// says so, a durable one goes on.
// Arguments: encoding, URL.
import { deepEqual, equal, notEqual } from 'node:assert/strict'
import { client, decode, encode, fail, say, Told } from './common.mjs'

const [encoding, url] = process.argv.slice(2)

/** A client with a subscription, and what it is told. */
async function subscriber (channel) {
  const owner = client(encoding, url)
  const subscription = owner.newSubscription(channel)
  const told = {}
  for (const event of ['subscribing', 'subscribed', 'publication']) told[event] = new Told(subscription, event)
  subscription.on('unsubscribed', context => fail(`unsubscribed: ${context.reason}`))
  subscription.subscribe()
  owner.connect()
  const { streamPosition } = await told.subscribed.next()
  equal((await told.subscribing.next()).code, 0)
  return { owner, subscription, told, epoch: streamPosition.epoch }
}

/** Publishes and checks where it lands. */
async function publish ({ subscription, told }, number, offset) {
  await subscription.publish(encode(encoding, { number }))
  const message = await told.publication.next()
  deepEqual([decode(encoding, message.data).number, message.offset], [number, offset])
}

async function startsAfresh ({ told, epoch }) {
  const { wasRecovering, recovered, streamPosition } = await told.subscribed.next()
  deepEqual([wasRecovering, recovered], [true, false])
  notEqual(streamPosition.epoch, epoch)
  deepEqual(told.publication.waiting, [], 'nothing of the old epoch is said again')
  return streamPosition
}

const [staying, away, durable] = await Promise.all(['live:room', 'live:room', 'chat:room'].map(subscriber))
for (const number of [1, 2, 3]) {
  await publish(staying, number, number)
  await away.told.publication.next()
  await publish(durable, number, number)
}
away.owner.disconnect()
say({ subscribed: staying.epoch })

equal((await staying.told.subscribing.next()).code, 2500)
const fresh = await startsAfresh(staying)
equal(fresh.offset, 0)
away.owner.connect()
equal((await startsAfresh(away)).epoch, fresh.epoch)
await publish(staying, 4, 1)
const seen = await away.told.publication.next()
deepEqual([decode(encoding, seen.data).number, seen.offset], [4, 1])

await publish(durable, 4, 4)
deepEqual([durable.told.subscribing.waiting, durable.told.subscribed.waiting], [[], []], 'a durable channel goes on')
say({ done: true })
for (const { owner } of [staying, away, durable]) owner.disconnect()
