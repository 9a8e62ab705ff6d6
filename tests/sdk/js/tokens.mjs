// Tokens of connections and subscriptions: good, bad, expired, refreshed, not refreshed.
// The edge gives two seconds of grace. Arguments: encoding, URL.
import { deepEqual, equal } from 'node:assert/strict'
import { client, decode, inSeconds, once, say, Told, token } from './common.mjs'

const [encoding, url] = process.argv.slice(2)
const never = new Promise(() => {})

/** Calls `make` for each token and counts; `enough` resolves at the third. */
function backend (make) {
  let count = 0
  const enough = {}
  enough.reached = new Promise(resolve => { enough.resolve = resolve })
  const getToken = async context => {
    count += 1
    if (count === 3) enough.resolve()
    return make(context, count)
  }
  return { getToken, enough: enough.reached }
}

/** No other try with a token that will never do. */
async function badTokensEndTheConnection () {
  const bad = [token({ sub: 'ann' }, 'another secret'), 'no token', token({ sub: 'ann', channel: 'chat:1' })]
  for (const one of bad) {
    const refused = client(encoding, url, { token: one })
    refused.connect()
    const { code, reason } = await once(refused, 'disconnected')
    deepEqual([code, reason], [3500, 'invalid token'])
  }
}

/** An expired token makes the SDK ask the application for another. */
async function anExpiredTokenIsReplaced () {
  const getToken = async () => token({ sub: 'ann', exp: inSeconds(60) })
  const late = client(encoding, url, { token: token({ sub: 'ann', exp: inSeconds(-5) }), getToken })
  late.connect()
  await once(late, 'connected')
  const { clients } = await presence(late, 'chat:late')
  deepEqual(Object.values(clients).map(info => info.user), ['ann'])
  late.disconnect()
}

async function presence (reader, channel) {
  const subscription = reader.newSubscription(channel)
  subscription.subscribe()
  await subscription.ready()
  return subscription.presence()
}

/** Three short tokens, one connection: each is refreshed, pings are answered meanwhile. */
async function aConnectionOutlivesItsFirstToken () {
  const { getToken, enough } = backend(() => token({ sub: 'ann', exp: inSeconds(3) }))
  const ann = client(encoding, url, { getToken })
  const connecting = new Told(ann, 'connecting')
  ann.connect()
  await enough
  await ann.history('chat:any')
  deepEqual(connecting.waiting.map(context => context.code), [0])
  ann.disconnect()
}

/** A connection that isn't refreshed is closed; the SDK comes back with a new token. */
async function aConnectionEndsWithItsToken () {
  const { getToken } = backend((_, count) => count === 2 ? never : token({ sub: 'ann', exp: inSeconds(3) }))
  const ann = client(encoding, url, { getToken })
  const [connecting, connected] = [new Told(ann, 'connecting'), new Told(ann, 'connected')]
  ann.connect()
  equal((await connecting.next()).code, 0)
  await connected.next()
  const { code, reason } = await connecting.next()
  deepEqual([code, reason], [3005, 'connection expired'])
  await connected.next()
  ann.disconnect()
}

/** A private channel needs a token; with one it shows what the token says. */
async function aPrivateChannelNeedsAToken () {
  const ann = client(encoding, url, { token: token({ sub: 'ann' }) })
  ann.connect()
  const closed = ann.newSubscription('$chat:closed')
  closed.subscribe()
  equal((await once(closed, 'unsubscribed')).code, 103)
  const claims = { sub: 'ann', channel: '$chat:open', info: { seat: 7 }, data: { welcome: true } }
  const open = ann.newSubscription('$chat:open', { token: token(claims) })
  open.subscribe()
  deepEqual(decode(encoding, (await once(open, 'subscribed')).data), { welcome: true })
  const [info] = Object.values((await open.presence()).clients)
  deepEqual(decode(encoding, info.chanInfo), { seat: 7 })
  const others = ann.newSubscription('$chat:others', { token: token(claims) })
  others.subscribe()
  equal((await once(ann, 'disconnected')).code, 3500)
}

/** An expired first token, then short ones: one subscription, never ended. */
async function aSubscriptionOutlivesItsTokens () {
  const ann = client(encoding, url, { token: token({ sub: 'ann' }) })
  const { getToken, enough } = backend(({ channel }) => token({ sub: 'ann', channel, exp: inSeconds(3) }))
  const expired = token({ sub: 'ann', channel: '$chat:short', exp: inSeconds(-5) })
  const short = ann.newSubscription('$chat:short', { token: expired, getToken })
  const subscribed = new Told(short, 'subscribed')
  short.subscribe()
  ann.connect()
  await enough
  await short.history()
  equal(subscribed.waiting.length, 1)
  ann.disconnect()
}

/** A subscription that isn't refreshed ends; the SDK subscribes again with a new token. */
async function aSubscriptionEndsWithItsToken () {
  const ann = client(encoding, url, { token: token({ sub: 'ann' }) })
  const make = ({ channel }, count) => count === 2 ? never : token({ sub: 'ann', channel, exp: inSeconds(3) })
  const { getToken } = backend(make)
  const ending = ann.newSubscription('$chat:ending', { getToken })
  const [subscribing, subscribed] = [new Told(ending, 'subscribing'), new Told(ending, 'subscribed')]
  ending.subscribe()
  ann.connect()
  await subscribed.next()
  equal((await subscribing.next()).code, 0)
  const { code, reason } = await subscribing.next()
  deepEqual([code, reason], [2501, 'subscription expired'])
  await subscribed.next()
  ann.disconnect()
}

await badTokensEndTheConnection()
await anExpiredTokenIsReplaced()
await aPrivateChannelNeedsAToken()
await Promise.all([
  aConnectionOutlivesItsFirstToken(),
  aConnectionEndsWithItsToken(),
  aSubscriptionOutlivesItsTokens(),
  aSubscriptionEndsWithItsToken()
])
say({ done: true })
