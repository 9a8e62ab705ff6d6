"""What a subscription may ask for, granted, left out in silence or refused; and what costs a connection.

Arguments: encoding, URL of the subscriber's edge, URL of the publisher's.
"""

import asyncio
import sys

from centrifuge import CentrifugeError, DeltaType, Filter, StreamPosition
from common import Application, equal, run, say, subscription, token

ENCODING, NEAR, FAR = sys.argv[1:]


class Two:
    """A subscriber and a publisher, at different edges."""

    def __init__(self):
        self.app = Application(ENCODING)
        data = self.app.encode({"from": "tests"})
        self.ann = self.app.client(NEAR, token=token({"sub": "ann"}), name="tests", version="1", data=data)
        self.publisher = self.app.client(FAR)

    async def publish(self, channel, value):
        await self.publisher.publish(channel, self.app.encode(value))

    async def subscribe(self, channel, **options):
        """Subscribes and gives what the subscription is told."""
        one = subscription(self.ann, channel, **options)
        await one.subscribe()
        return one.events

    async def filled(self, channel):
        """Three messages, and the epoch that they are in."""
        for number in (1, 2, 3):
            await self.publish(channel, {"number": number})
        return (await self.publisher.history(channel)).epoch

    async def brings_the_rest(self, events):
        context = await events.next("subscribed")
        equal((context.was_recovering, context.recovered), (True, True))
        for number in (2, 3):
            pub = (await events.next("publication")).pub
            equal((self.app.decode(pub.data)["number"], pub.offset), (number, number))

    async def recovery_is_for_those_who_ask(self):
        """Where the rules force nothing."""
        plain = await (await self.subscribe("scores:a")).next("subscribed")
        equal((plain.positioned, plain.recoverable, plain.stream_position), (False, False, None))
        events = await self.subscribe("scores:b", positioned=True, recoverable=True)
        asked = await events.next("subscribed")
        equal((asked.positioned, asked.recoverable, asked.stream_position.offset), (True, True, 0))

    async def a_state_is_taken_up(self):
        """The application's state is asked for again when its position is of no use."""
        epochs = ["gone", await self.filled("chat:state")]

        async def get_state(_channel):
            return StreamPosition(1, epochs.pop(0))

        await self.brings_the_rest(await self.subscribe("chat:state", get_state=get_state))
        equal(epochs, [])

    async def data_comes_whole(self):
        """No deltas."""
        events = await self.subscribe("chat:delta", delta=DeltaType.FOSSIL)
        await events.next("subscribed")
        for number in (1, 2):
            document = {"text": "the same " * 50, "number": number}
            await self.publish("chat:delta", document)
            pub = (await events.next("publication")).pub
            equal((self.app.decode(pub.data), pub.delta), (document, False))

    async def what_we_lack_is_refused(self):
        """A filter that would not be kept."""
        events = await self.subscribe("chat:filtered", tags_filter=Filter.eq("kind", "a"))
        equal((await events.next("unsubscribed")).code, 107)

    async def a_message_too_large_costs_the_connection(self):
        """This SDK comes back, and knows why it had to."""
        large = asyncio.ensure_future(self.publish_large())
        equal((await self.ann.events.next("connecting")).code, 0)
        equal((await self.ann.events.next("connecting")).code, 3)
        await large
        await self.ann.ready()

    async def publish_large(self):
        try:
            await self.ann.publish("chat:large", self.app.encode({"text": "x" * 70_000}))
        except CentrifugeError:
            return
        raise AssertionError("a message over the limit was taken")


async def main():
    two = Two()
    await two.ann.connect()
    await two.publisher.connect()
    await two.recovery_is_for_those_who_ask()
    await two.a_state_is_taken_up()
    await two.data_comes_whole()
    await two.what_we_lack_is_refused()
    await two.a_message_too_large_costs_the_connection()
    say(done=True)
    await two.ann.disconnect()
    await two.publisher.disconnect()


run(main())
