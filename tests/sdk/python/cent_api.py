"""What `cent` offers to an application's backend, and we have; and what we don't have yet.

Arguments: "sync" or "async", URL of the API, URL of a client's edge.
"""

import inspect
import sys

import cent
from cent import CentApiResponseError, CentTransportError, CentUnauthorizedError
from common import Application, equal, run, say, subscription, token

MODE, API, FAR = sys.argv[1:]
CHANNEL = "chat:room"


class Backend:
    """`cent`, asynchronous or not."""

    def __init__(self, key):
        self.client = (cent.Client if MODE == "sync" else cent.AsyncClient)(API, key)

    async def call(self, request):
        answer = getattr(self.client, request.api_method)(request)
        return await answer if inspect.isawaitable(answer) else answer

    async def refused(self, request, code):
        """Expects an error in the answer."""
        try:
            answer = await self.call(request)
        except CentApiResponseError as error:
            return equal((request.api_method, error.code), (request.api_method, code))
        raise AssertionError(f"{answer!r} instead of error {code}")

    async def fails(self, request, kind):
        """Expects another failure, and returns it."""
        try:
            answer = await self.call(request)
        except kind as error:
            return error
        raise AssertionError(f"{answer!r} instead of {kind}")

    async def close(self):
        closing = self.client.close()
        if inspect.isawaitable(closing):
            await closing


async def publishes(backend, room):
    """What is published reaches a subscriber elsewhere as it was, without a publisher."""
    data = {"text": "h\u00e9llo", "nothing": None, "list": [1, [None]]}
    first = await backend.call(cent.PublishRequest(channel=CHANNEL, data=data, tags={"kind": "greeting"}))
    equal(first.offset, 1)
    pub = (await room.events.next("publication")).pub
    equal((pub.data, pub.offset, pub.tags, pub.info), (data, 1, {"kind": "greeting"}, None))
    second = await backend.call(cent.PublishRequest(channel=CHANNEL, data="text", b64data="eyJiIjo2NH0="))
    equal((second.offset, second.epoch), (2, first.epoch))
    equal((await room.events.next("publication")).pub.data, {"b": 64})
    lost = await backend.call(cent.PublishRequest(channel="cursors:room", data={}))
    equal((lost.offset, lost.epoch), (0, ""))


async def passes_history_by(backend, room):
    """Who is there gets it, and the channel stands where it stood."""
    before = await backend.call(cent.HistoryRequest(channel=CHANNEL))
    passed = await backend.call(cent.PublishRequest(channel=CHANNEL, data={"now": 1}, skip_history=True))
    equal((passed.offset, passed.epoch), (0, ""))
    pub = (await room.events.next("publication")).pub
    equal((pub.data, pub.offset), ({"now": 1}, 0))
    request = cent.BroadcastRequest(channels=[CHANNEL], data={"now": 2}, skip_history=True)
    equal([one.result.offset for one in (await backend.call(request)).responses], [0])
    equal((await room.events.next("publication")).pub.data, {"now": 2})
    after = await backend.call(cent.HistoryRequest(channel=CHANNEL))
    equal((after.offset, after.epoch), (before.offset, before.epoch))


async def publishes_once(backend):
    """A key is taken once in each channel."""
    request = cent.PublishRequest(channel="chat:keys", data={"n": 1}, idempotency_key="order 7")
    first = await backend.call(request)
    again = await backend.call(request)
    equal((first.offset, again.offset, again.epoch), (1, 1, first.epoch))
    request = cent.BroadcastRequest(channels=["chat:keys", "live:keys"], data={}, idempotency_key="order 7")
    answer = await backend.call(request)
    equal([one.result.offset for one in answer.responses], [1, 1])
    top = await backend.call(cent.HistoryRequest(channel="chat:keys"))
    equal(top.offset, 1)
    await backend.refused(cent.PublishRequest(channel="chat:keys", data={}, idempotency_key="k" * 256), 107)


async def broadcasts(backend, room):
    """Each channel has an answer of its own."""
    channels = [CHANNEL, "nosuch:room", "live:room", "cursors:room"]
    answer = await backend.call(cent.BroadcastRequest(channels=channels, data={"to": "all"}))
    equal([one.error and one.error.code for one in answer.responses], [None, 102, None, None])
    equal([one.result and one.result.offset for one in answer.responses], [3, None, 1, 0])
    equal((await room.events.next("publication")).pub.data, {"to": "all"})


async def reads_history(backend):
    """Positions and pages in both directions."""

    async def read(**options):
        return await backend.call(cent.HistoryRequest(channel=CHANNEL, **options))

    top = await read()
    equal((top.publications, top.offset), ([], 3))
    since = cent.StreamPosition(offset=2, epoch=top.epoch)
    for options, expected in [
        ({"limit": -1}, [1, 2, 3]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "reverse": True}, [3, 2]),
        ({"limit": 5, "since": since}, [3]),
        ({"limit": 5, "since": since, "reverse": True}, [1]),
    ]:
        page = await read(**options)
        equal([pub.offset for pub in page.publications], expected)
        equal((page.offset, page.epoch), (3, top.epoch))
    first = (await read(limit=1)).publications[0]
    equal((first.data["nothing"], first.tags), (None, {"kind": "greeting"}))
    other = cent.StreamPosition(offset=1, epoch="other")
    await backend.refused(cent.HistoryRequest(channel=CHANNEL, limit=1, since=other), 112)


async def removes_history(backend, room):
    """Nothing is left of what was published, and the numbering goes on."""
    before = await backend.call(cent.HistoryRequest(channel=CHANNEL))
    await backend.call(cent.HistoryRemoveRequest(channel=CHANNEL))
    after = await backend.call(cent.HistoryRequest(channel=CHANNEL, limit=-1))
    equal((after.publications, after.offset, after.epoch), ([], 3, before.epoch))
    next_one = await backend.call(cent.PublishRequest(channel=CHANNEL, data={"after": "all"}))
    equal((next_one.offset, next_one.epoch), (4, before.epoch))
    equal((await room.events.next("publication")).pub.offset, 4)
    await backend.refused(cent.HistoryRemoveRequest(channel="cursors:room"), 108)
    await backend.refused(cent.HistoryRemoveRequest(channel="nosuch:room"), 102)


async def reads_presence(backend, ann_id):
    """Who is there, whichever edge they are at."""
    present = (await backend.call(cent.PresenceRequest(channel=CHANNEL))).presence
    equal(list(present), [ann_id])
    ann = present[ann_id]
    equal((ann.user, ann.client, ann.conn_info), ("ann", ann_id, {"name": "Ann"}))
    stats = await backend.call(cent.PresenceStatsRequest(channel=CHANNEL))
    equal((stats.num_clients, stats.num_users), (1, 1))
    empty = await backend.call(cent.PresenceRequest(channel="chat:empty"))
    equal(empty.presence, {})


async def reads_info(backend):
    """All edges of the mesh."""
    nodes = (await backend.call(cent.InfoRequest())).nodes
    equal(sorted(node.name for node in nodes), ["edge-ap-south", "edge-eu-west", "edge-us-east"])
    equal(len({node.uid for node in nodes}), 3)
    equal([node.version.split("/")[0] for node in nodes], ["trunkline"] * 3)


async def is_refused(backend):
    """What is wrong, or can't be had, is told as an error."""
    await backend.refused(cent.PublishRequest(channel="", data={}), 107)
    await backend.refused(cent.PublishRequest(channel=CHANNEL, data=None), 107)
    await backend.refused(cent.PublishRequest(channel=CHANNEL, data={}, b64data="?"), 107)
    await backend.refused(cent.PublishRequest(channel="nosuch:room", data={}), 102)
    await backend.refused(cent.BroadcastRequest(channels=[], data={}), 107)
    await backend.refused(cent.PresenceRequest(channel="live:room"), 108)
    await backend.refused(cent.PresenceStatsRequest(channel="nosuch:room"), 102)
    await backend.refused(cent.HistoryRequest(channel="cursors:room", limit=1), 108)
    wrong = Backend("wrong")
    await wrong.fails(cent.InfoRequest(), CentUnauthorizedError)
    await wrong.close()


async def is_not_there_yet(backend):
    """A method that we will have answers now as an unknown one does; options likewise are never taken in silence."""
    user = {"user": "ann"}
    for request in [
        cent.SubscribeRequest(channel=CHANNEL, **user),
        cent.UnsubscribeRequest(channel=CHANNEL, **user),
        cent.DisconnectRequest(**user),
        cent.RefreshRequest(**user),
        cent.ChannelsRequest(),
        cent.ConnectionsRequest(expression="", **user),
        cent.BatchRequest(requests=[cent.InfoRequest()]),
    ]:
        error = await backend.fails(request, CentTransportError)
        equal((request.api_method, error.status_code), (request.api_method, 404))
    for option in [{"delta": True}, {"version": 1}]:
        await backend.refused(cent.PublishRequest(channel=CHANNEL, data={}, **option), 108)


async def main():
    backend = Backend("dev")
    ann = Application("json").client(FAR, token=token({"sub": "ann", "info": {"name": "Ann"}}))
    room = subscription(ann, CHANNEL)
    await ann.connect()
    await room.subscribe()
    await room.ready()
    ann_id = (await ann.events.next("connected")).client
    await publishes(backend, room)
    await passes_history_by(backend, room)
    await publishes_once(backend)
    await broadcasts(backend, room)
    await reads_history(backend)
    await removes_history(backend, room)
    await reads_presence(backend, ann_id)
    await reads_info(backend)
    await is_refused(backend)
    await is_not_there_yet(backend)
    say(done=True)
    await ann.disconnect()
    await backend.close()


run(main())
