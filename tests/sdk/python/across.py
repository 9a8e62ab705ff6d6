"""Subscribes at one edge, publishes at another, and checks that all arrive in order, once.

Arguments: encoding, URL to subscribe, URL to publish, channel, how many.
"""

import asyncio
import sys

from common import Application, Sequence, run, say, subscription

ENCODING, NEAR, FAR, CHANNEL, TOTAL = sys.argv[1:]


async def main():
    app, total = Application(ENCODING), int(TOTAL)
    subscriber, publisher = app.client(NEAR), app.client(FAR)
    chat, sequence = subscription(subscriber, CHANNEL), Sequence()
    await subscriber.connect()
    await publisher.connect()
    await chat.subscribe()
    subscribed = await chat.events.next("subscribed")
    payloads = (app.encode({"sequence": number}) for number in range(1, total + 1))
    publishes = asyncio.gather(*(publisher.publish(CHANNEL, payload) for payload in payloads))
    while sequence.count < total:
        pub = (await chat.events.next("publication")).pub
        sequence.take(app.decode(pub.data)["sequence"], pub.offset)
    await publishes
    say(done=sequence.count, last=sequence.offset, recoverable=subscribed.recoverable)
    await subscriber.disconnect()
    await publisher.disconnect()


run(main())
