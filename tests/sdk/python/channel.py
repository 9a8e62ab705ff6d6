"""What a channel offers besides delivery: who is there, who comes and goes, what was said, and what is refused.

Arguments: encoding, URL of Ann's edge, URL of Bob's.
"""

import sys

from centrifuge import StreamPosition
from common import Application, equal, refused, run, say, subscription, token

ENCODING, NEAR, FAR = sys.argv[1:]
CHANNEL = "chat:room"


class Room:
    """Two clients at two edges in one channel."""

    def __init__(self):
        self.app = Application(ENCODING)
        self.ann = self.app.client(NEAR, token=token({"sub": "ann", "info": {"name": "Ann"}}))
        self.bob = self.app.client(FAR, token=token({"sub": "bob"}))
        self.room, self.bobs = subscription(self.ann, CHANNEL), subscription(self.bob, CHANNEL)
        self.told = self.room.events

    def number(self, pub):
        return self.app.decode(pub.data)["number"]

    async def publish(self, source, value):
        await source.publish(self.app.encode({"number": value}))

    async def heard(self):
        """The next publication that Ann is told of."""
        return (await self.told.next("publication")).pub

    async def somebody(self, event):
        """Who comes or goes next, as Ann is told."""
        return (await self.told.next(event)).info

    async def comes_and_goes(self):
        """Whoever subscribes sees itself come, and the others, wherever they are."""
        await self.room.subscribe()
        await self.ann.connect()
        subscribed = await self.told.next("subscribed")
        equal((subscribed.positioned, subscribed.recoverable, subscribed.was_recovering), (True, True, False))
        equal(subscribed.stream_position.offset, 0)
        self.ann_id = (await self.ann.events.next("connected")).client
        own = await self.somebody("join")
        equal((own.user, own.client, self.app.decode(own.conn_info)), ("ann", self.ann_id, {"name": "Ann"}))
        await self.bobs.subscribe()
        await self.bob.connect()
        self.bob_id = (await self.bob.events.next("connected")).client
        equal((await self.somebody("join")).client, self.bob_id)
        equal((await self.bobs.events.next("join")).info.user, "bob")
        await self.bobs.unsubscribe()
        equal((await self.somebody("leave")).client, self.bob_id)
        await self.bobs.subscribe()
        equal((await self.somebody("join")).client, self.bob_id)

    async def is_present(self):
        """Both edges know both clients."""
        for reader in (self.room, self.bobs):
            clients = (await reader.presence()).clients
            equal(set(clients), {self.ann_id, self.bob_id})
            equal(clients[self.bob_id].user, "bob")
            equal(self.app.decode(clients[self.ann_id].conn_info), {"name": "Ann"})
            stats = await reader.presence_stats()
            equal((stats.num_clients, stats.num_users), (2, 2))

    async def is_heard(self):
        """A publication says who published it, and reaches its publisher too."""
        for value in range(1, 10):
            await self.publish(self.bobs, value)
            pub = await self.heard()
            equal((self.number(pub), pub.offset), (value, value))
            equal((pub.info.user, pub.info.client), ("bob", self.bob_id))
        await self.ann.publish(CHANNEL, self.app.encode({"number": 10}))
        equal((await self.heard()).info.client, self.ann_id)

    async def is_kept(self):
        """Pages in both directions, from both ends and from a position."""
        top = await self.room.history()
        equal((top.publications, top.offset), ([], 10))

        def since(offset, epoch=top.epoch):
            return StreamPosition(offset, epoch)

        pages = [
            ({"limit": 3}, [1, 2, 3]),
            ({"limit": 3, "since": since(3)}, [4, 5, 6]),
            ({"limit": 3, "since": since(9)}, [10]),
            ({"limit": 3, "reverse": True}, [10, 9, 8]),
            ({"limit": 3, "reverse": True, "since": since(8)}, [7, 6, 5]),
            ({"limit": -1, "since": since(7)}, [8, 9, 10]),
        ]
        for options, expected in pages:
            page = await self.bobs.history(**options)
            equal([self.number(pub) for pub in page.publications], expected)
            equal([pub.offset for pub in page.publications], expected)
            equal((page.offset, page.epoch), (10, top.epoch))
        await refused(self.room.history(limit=1, since=since(1, "other")), 112)
        await refused(self.room.history(limit=1, reverse=True, since=since(0)), 107)

    async def is_left_and_found_again(self):
        """Nothing arrives while unsubscribed; what was missed comes with the next subscribe."""
        await self.room.unsubscribe()
        equal((await self.told.next("unsubscribed")).code, 0)
        await self.publish(self.bobs, 11)
        while self.number((await self.bobs.events.next("publication")).pub) < 11:
            pass
        equal(self.told.waiting("publication"), [])
        await self.room.subscribe()
        subscribed = await self.told.next("subscribed")
        equal((subscribed.was_recovering, subscribed.recovered), (True, True))
        equal(self.number(await self.heard()), 11)

    async def is_refused(self):
        """What can't be had is refused by the protocol's codes, and the connection goes on."""
        ann, data = self.ann, self.app.encode({"number": 0})
        for call, code in [
            (ann.rpc("nothing", data), 108),
            (ann.publish("nosuch:room", data), 102),
            (ann.publish("#bob", data), 103),
            (ann.publish("chat:" + "x" * 251, data), 107),
            (ann.presence("live:room"), 108),
            (ann.history("cursors:room", limit=1), 108),
            (ann.presence_stats("nosuch:room"), 102),
        ]:
            await refused(call, code)
        nowhere = subscription(ann, "nosuch:room")
        await nowhere.subscribe()
        equal((await nowhere.events.next("unsubscribed")).code, 102)
        await self.publish(self.room, 12)
        equal(self.number(await self.heard()), 12)


async def main():
    room = Room()
    await room.comes_and_goes()
    await room.is_present()
    await room.is_heard()
    await room.is_kept()
    await room.is_left_and_found_again()
    await room.is_refused()
    say(done=True)
    await room.ann.disconnect()
    await room.bob.disconnect()


run(main())
