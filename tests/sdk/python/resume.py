"""Subscribes through a network that the test cuts, and checks that every resume brings what was missed.

Arguments: encoding, URL, channel, how many in all.
"""

import asyncio
import sys

from common import Application, Sequence, equal, run, say, subscription

ENCODING, URL, CHANNEL, TOTAL = sys.argv[1:]


async def tell_resumes(events):
    """The first subscribe is new; all others must recover."""
    equal((await events.next("subscribed")).was_recovering, False)
    say(subscribed=True)
    resumes = 0
    while True:
        context = await events.next("subscribed")
        equal((context.was_recovering, context.recovered), (True, True))
        resumes += 1
        say(resumed=resumes)


async def take_all(app, events):
    sequence = Sequence()
    while sequence.count < int(TOTAL):
        pub = (await events.next("publication")).pub
        sequence.take(app.decode(pub.data)["sequence"], pub.offset)
    say(done=sequence.count)


async def main():
    app = Application(ENCODING)
    client = app.client(URL)
    chat = subscription(client, CHANNEL)
    await client.connect()
    await chat.subscribe()
    resumes = asyncio.ensure_future(tell_resumes(chat.events))
    all_taken = asyncio.ensure_future(take_all(app, chat.events))
    await asyncio.wait([resumes, all_taken], return_when=asyncio.FIRST_COMPLETED)
    for task in (resumes, all_taken):
        if task.done():
            task.result()
    resumes.cancel()
    await client.disconnect()


run(main())
