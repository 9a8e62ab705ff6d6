// Subscribes through a network that the test cuts, and checks that every resume brings what was missed.
// Arguments: encoding, URL, channel, how many in all.
import { client, decode, fail, say, Sequence } from './common.mjs'

const [encoding, url, channel, total] = process.argv.slice(2)
const subscriber = client(encoding, url)
const subscription = subscriber.newSubscription(channel)
const sequence = new Sequence()
let resumes = 0

subscription.on('subscribed', context => {
  if (context.wasRecovering) {
    if (!context.recovered) fail(`not recovered at ${sequence.count}`)
    resumes += 1
    say({ resumed: resumes })
  } else {
    say({ subscribed: true })
  }
})
subscription.on('publication', message => {
  sequence.take(decode(encoding, message.data).sequence, message.offset)
  if (sequence.count === Number(total)) {
    say({ done: sequence.count, resumes })
    subscriber.disconnect()
  }
})
subscription.on('unsubscribed', context => { if (context.code !== 0) fail(`unsubscribed: ${context.reason}`) })
subscriber.on('disconnected', context => { if (context.code !== 0) fail(`disconnected: ${context.reason}`) })
subscriber.on('connecting', context => say({ connecting: context.code }))

subscription.subscribe()
subscriber.connect()
