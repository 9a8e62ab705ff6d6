// What a channel offers besides delivery: who is there, who comes and goes, what was said, and what is refused.
// Arguments: encoding, URL of Ann's edge, URL of Bob's.
import { deepEqual, equal } from 'node:assert/strict'
import { client, decode, encode, failure, once, say, Told, token } from './common.mjs'

const [encoding, near, far] = process.argv.slice(2)
const CHANNEL = 'chat:room'
const ann = client(encoding, near, { token: token({ sub: 'ann', info: { name: 'Ann' } }) })
const bob = client(encoding, far, { token: token({ sub: 'bob' }) })
const room = ann.newSubscription(CHANNEL)
const bobs = bob.newSubscription(CHANNEL)
const told = {}
for (const event of ['publication', 'join', 'leave', 'subscribed', 'unsubscribed']) {
  told[event] = new Told(room, event)
}

const number = message => decode(encoding, message.data).number
const publish = (from, value) => from.publish(encode(encoding, { number: value }))
const ids = {}

/** Whoever subscribes sees itself come, and the others, wherever they are. */
async function comesAndGoes () {
  room.subscribe()
  ann.on('connected', context => { ids.ann = context.client })
  bob.on('connected', context => { ids.bob = context.client })
  ann.connect()
  const { positioned, recoverable, wasRecovering, streamPosition } = await told.subscribed.next()
  deepEqual({ positioned, recoverable, wasRecovering }, { positioned: true, recoverable: true, wasRecovering: false })
  equal(streamPosition.offset, 0)
  const own = (await told.join.next()).info
  deepEqual([own.user, own.client, decode(encoding, own.connInfo)], ['ann', ids.ann, { name: 'Ann' }])
  const bobSees = new Told(bobs, 'join')
  bobs.subscribe()
  bob.connect()
  equal((await told.join.next()).info.client, ids.bob)
  equal((await bobSees.next()).info.user, 'bob')
  bobs.unsubscribe()
  equal((await told.leave.next()).info.client, ids.bob)
  bobs.subscribe()
  equal((await told.join.next()).info.client, ids.bob)
}

/** Both edges know both clients. */
async function isPresent () {
  for (const reader of [room, bobs]) {
    const { clients } = await reader.presence()
    deepEqual(Object.keys(clients).sort(), [ids.ann, ids.bob].sort())
    equal(clients[ids.bob].user, 'bob')
    deepEqual(decode(encoding, clients[ids.ann].connInfo), { name: 'Ann' })
    const { numClients, numUsers } = await reader.presenceStats()
    deepEqual([numClients, numUsers], [2, 2])
  }
}

/** A publication says who published it, and reaches its publisher too. */
async function isHeard () {
  for (let value = 1; value <= 9; value++) {
    await publish(bobs, value)
    const message = await told.publication.next()
    deepEqual([number(message), message.offset], [value, value])
    deepEqual([message.info.user, message.info.client], ['bob', ids.bob])
  }
  await ann.publish(CHANNEL, encode(encoding, { number: 10 }))
  equal((await told.publication.next()).info.client, ids.ann)
}

/** Pages in both directions, from both ends and from a position. */
async function isKept () {
  const { publications, offset, epoch } = await room.history()
  deepEqual([publications.length, offset], [0, 10])
  const since = value => ({ since: { offset: value, epoch } })
  const pages = [
    [{ limit: 3 }, [1, 2, 3]],
    [{ limit: 3, ...since(3) }, [4, 5, 6]],
    [{ limit: 3, ...since(9) }, [10]],
    [{ limit: 3, reverse: true }, [10, 9, 8]],
    [{ limit: 3, reverse: true, ...since(8) }, [7, 6, 5]],
    [{ limit: -1, ...since(7) }, [8, 9, 10]]
  ]
  for (const [options, expected] of pages) {
    const page = await bobs.history(options)
    deepEqual(page.publications.map(number), expected)
    deepEqual(page.publications.map(message => message.offset), expected)
    deepEqual([page.offset, page.epoch], [10, epoch])
    if (expected[0] < 10) equal(page.publications[0].info.user, 'bob')
  }
  equal((await failure(room.history({ limit: 1, since: { offset: 1, epoch: 'other' } }))).code, 112)
  equal((await failure(room.history({ limit: 1, reverse: true, ...since(0) }))).code, 107)
}

/** Nothing arrives while unsubscribed; what was missed comes with the next subscribe. */
async function isLeftAndFoundAgain () {
  room.unsubscribe()
  equal((await told.unsubscribed.next()).code, 0)
  const bobHears = new Told(bobs, 'publication')
  await publish(bobs, 11)
  while (number(await bobHears.next()) < 11);
  deepEqual(told.publication.waiting, [])
  room.subscribe()
  const { wasRecovering, recovered } = await told.subscribed.next()
  deepEqual([wasRecovering, recovered], [true, true])
  equal(number(await told.publication.next()), 11)
}

/** What can't be had is refused by the protocol's codes, and the connection goes on. */
async function isRefused () {
  const data = encode(encoding, { number: 0 })
  const codes = [
    [ann.rpc('nothing', data), 108],
    [ann.publish('nosuch:room', data), 102],
    [ann.publish('#bob', data), 103],
    [ann.publish('chat:' + 'x'.repeat(251), data), 107],
    [ann.presence('live:room'), 108],
    [ann.history('cursors:room', { limit: 1 }), 108],
    [ann.presenceStats('nosuch:room'), 102]
  ]
  for (const [call, code] of codes) equal((await failure(call)).code, code)
  const nowhere = ann.newSubscription('nosuch:room')
  nowhere.subscribe()
  equal((await once(nowhere, 'unsubscribed')).code, 102)
  await publish(room, 12)
  equal(number(await told.publication.next()), 12)
}

await comesAndGoes()
await isPresent()
await isHeard()
await isKept()
await isLeftAndFoundAgain()
await isRefused()
say({ done: true })
ann.disconnect()
bob.disconnect()
