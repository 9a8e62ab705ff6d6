// Subscribes at one edge, publishes at another, and checks that all arrive in order, once.
// Arguments: encoding, URL to subscribe, URL to publish, channel, how many.
import { client, decode, encode, once, say, Sequence } from './common.mjs'

const [encoding, near, far, channel, total] = process.argv.slice(2)
const subscriber = client(encoding, near)
const publisher = client(encoding, far)
const subscription = subscriber.newSubscription(channel)
const sequence = new Sequence()

const all = new Promise(resolve => {
  subscription.on('publication', message => {
    sequence.take(decode(encoding, message.data).sequence, message.offset)
    if (sequence.count === Number(total)) resolve()
  })
})

subscription.subscribe()
const subscribed = once(subscription, 'subscribed')
subscriber.connect()
publisher.connect()
const { recoverable, positioned } = await subscribed
await publisher.ready()

const publishes = []
for (let number = 1; number <= Number(total); number++) {
  publishes.push(publisher.publish(channel, encode(encoding, { sequence: number })))
}
await Promise.all(publishes)
await all
say({ done: sequence.count, last: sequence.offset, recoverable, positioned })
subscriber.disconnect()
publisher.disconnect()
