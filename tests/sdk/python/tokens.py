"""Tokens of connections and subscriptions: good, bad, expired, refreshed, not refreshed.

The edge gives two seconds of grace. Arguments: encoding, URL.
"""

import asyncio
import sys

from common import Application, equal, in_seconds, run, say, subscription, token

ENCODING, URL = sys.argv[1:]
APP = Application(ENCODING)


class Backend:
    """Gives tokens that live three seconds, `silent_at` excepted; `enough` is set at the third."""

    def __init__(self, silent_at=None):
        self.count, self.silent_at, self.enough = 0, silent_at, asyncio.Event()

    async def get_token(self, channel=None):
        self.count += 1
        if self.count == self.silent_at:
            await asyncio.Event().wait()
        if self.count == 3:
            self.enough.set()
        claims = {"sub": "ann", "exp": in_seconds(3)}
        return token({**claims, "channel": channel} if channel else claims)


async def bad_tokens_end_the_connection():
    """No other try with a token that will never do."""
    for bad in [token({"sub": "ann"}, "another secret"), "no token", token({"sub": "ann", "channel": "chat:1"})]:
        client = APP.client(URL, token=bad)
        await client.connect()
        context = await client.events.next("disconnected")
        equal((context.code, context.reason), (3500, "invalid token"))


async def an_expired_token_is_replaced():
    """An expired token makes the SDK ask the application for another."""
    late = APP.client(URL, token=token({"sub": "ann", "exp": in_seconds(-5)}), get_token=Backend().get_token)
    await late.connect()
    await late.events.next("connected")
    chat = subscription(late, "chat:late")
    await chat.subscribe()
    clients = (await chat.presence()).clients
    equal([info.user for info in clients.values()], ["ann"])
    await late.disconnect()


async def a_connection_outlives_its_first_token():
    """Three short tokens, one connection: each is refreshed, pings are answered meanwhile."""
    backend = Backend()
    ann = APP.client(URL, get_token=backend.get_token)
    await ann.connect()
    await backend.enough.wait()
    await ann.history("chat:any")
    equal([context.code for context in ann.events.waiting("connecting")], [0])
    await ann.disconnect()


async def a_connection_ends_with_its_token():
    """A connection that isn't refreshed is closed; the SDK comes back with a new token."""
    ann = APP.client(URL, get_token=Backend(silent_at=2).get_token)
    await ann.connect()
    equal((await ann.events.next("connecting")).code, 0)
    await ann.events.next("connected")
    context = await ann.events.next("connecting")
    equal((context.code, context.reason), (3005, "connection expired"))
    await ann.events.next("connected")
    await ann.disconnect()


async def a_private_channel_needs_a_token():
    """With one it shows what the token says."""
    ann = APP.client(URL, token=token({"sub": "ann"}))
    await ann.connect()
    closed = subscription(ann, "$chat:closed")
    await closed.subscribe()
    equal((await closed.events.next("unsubscribed")).code, 103)
    claims = {"sub": "ann", "channel": "$chat:open", "info": {"seat": 7}, "data": {"welcome": True}}
    opened = subscription(ann, "$chat:open", token=token(claims))
    await opened.subscribe()
    equal(APP.decode((await opened.events.next("subscribed")).data), {"welcome": True})
    [info] = (await opened.presence()).clients.values()
    equal(APP.decode(info.chan_info), {"seat": 7})
    others = subscription(ann, "$chat:others", token=token(claims))
    await others.subscribe()
    equal((await ann.events.next("disconnected")).code, 3500)


async def a_subscription_outlives_its_tokens():
    """An expired first token, then short ones: one subscription, never ended."""
    backend, ann = Backend(), APP.client(URL, token=token({"sub": "ann"}))
    expired = token({"sub": "ann", "channel": "$chat:short", "exp": in_seconds(-5)})
    short = subscription(ann, "$chat:short", token=expired, get_token=backend.get_token)
    await ann.connect()
    await short.subscribe()
    await backend.enough.wait()
    await short.history()
    equal(len(short.events.waiting("subscribed")), 1)
    await ann.disconnect()


async def a_subscription_ends_with_its_token():
    """A subscription that isn't refreshed ends; the SDK subscribes again with a new token."""
    ann = APP.client(URL, token=token({"sub": "ann"}))
    ending = subscription(ann, "$chat:ending", get_token=Backend(silent_at=2).get_token)
    await ann.connect()
    await ending.subscribe()
    await ending.events.next("subscribed")
    equal((await ending.events.next("subscribing")).code, 0)
    context = await ending.events.next("subscribing")
    equal((context.code, context.reason), (2501, "subscription expired"))
    await ending.events.next("subscribed")
    await ann.disconnect()


async def main():
    await bad_tokens_end_the_connection()
    await an_expired_token_is_replaced()
    await a_private_channel_needs_a_token()
    await asyncio.gather(
        a_connection_outlives_its_first_token(),
        a_connection_ends_with_its_token(),
        a_subscription_outlives_its_tokens(),
        a_subscription_ends_with_its_token(),
    )
    say(done=True)


run(main())
