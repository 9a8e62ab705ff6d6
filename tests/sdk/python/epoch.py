"""Stays subscribed, and comes back, while the test kills the node and starts it again.

A buffered channel begins anew and says so, a durable one goes on. Arguments: encoding, URL.
"""

import asyncio
import sys

from common import Application, equal, run, say, subscription

ENCODING, URL = sys.argv[1:]
APP = Application(ENCODING)


class Subscriber:
    """A client with one subscription."""

    @classmethod
    async def of(cls, channel):
        self = cls()
        self.client = APP.client(URL)
        self.subscription = subscription(self.client, channel)
        self.told = self.subscription.events
        await self.client.connect()
        await self.subscription.subscribe()
        self.epoch = (await self.told.next("subscribed")).stream_position.epoch
        equal((await self.told.next("subscribing")).code, 0)
        return self

    async def hears(self, number, offset):
        pub = (await self.told.next("publication")).pub
        equal((APP.decode(pub.data)["number"], pub.offset), (number, offset))

    async def publishes(self, number, offset):
        """Publishes and checks where it lands."""
        await self.subscription.publish(APP.encode({"number": number}))
        await self.hears(number, offset)

    async def starts_afresh(self):
        context = await self.told.next("subscribed")
        equal((context.was_recovering, context.recovered), (True, False))
        if context.stream_position.epoch == self.epoch:
            raise AssertionError("the same epoch, but not recovered")
        equal(self.told.waiting("publication"), [])
        return context.stream_position


async def main():
    channels = ["live:room", "live:room", "chat:room"]
    staying, away, durable = [await Subscriber.of(channel) for channel in channels]
    for number in (1, 2, 3):
        await staying.publishes(number, number)
        await away.hears(number, number)
        await durable.publishes(number, number)
    await away.client.disconnect()
    say(subscribed=staying.epoch)

    equal((await staying.told.next("subscribing")).code, 2500)
    fresh = await staying.starts_afresh()
    equal(fresh.offset, 0)
    await away.client.connect()
    equal((await away.starts_afresh()).epoch, fresh.epoch)
    await staying.publishes(4, 1)
    await away.hears(4, 1)

    await durable.publishes(4, 4)
    equal((durable.told.waiting("subscribing"), durable.told.waiting("subscribed")), ([], []))
    for one in (staying, away, durable):
        equal(one.told.waiting("unsubscribed"), [])
    say(done=True)
    await asyncio.gather(*(one.client.disconnect() for one in (staying, away, durable)))


run(main())
