"""What the scripts share: clients and tokens as an application makes them, and lines of JSON to the test."""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
import traceback
from collections import defaultdict
from pathlib import Path

from centrifuge import Client, ClientEventHandler, ReplyError, SubscriptionEventHandler

# Seconds that anything may take: only what never comes reaches it.
PATIENCE = 30


def say(**value):
    print(json.dumps(value), flush=True)


def run(main):
    """Runs a script to its end, or says what went wrong."""
    try:
        asyncio.run(main)
    except BaseException as error:
        trace = traceback.extract_tb(error.__traceback__)
        where = [f"{Path(at.filename).name}:{at.lineno}" for at in trace]
        say(error=repr(error), where=where)
        sys.exit(1)


def recording(base):
    """A handler of the SDK that keeps what it is told of each event, in order, until it is asked for."""

    class Recording(base):
        def __init__(self):
            self.told = defaultdict(asyncio.Queue)

        async def next(self, event):
            return await asyncio.wait_for(self.told[event].get(), PATIENCE)

        def waiting(self, event):
            return list(self.told[event]._queue)

    def record(event):
        async def on(self, context):
            self.told[event].put_nowait(context)

        return on

    for name in dir(base):
        if name.startswith("on_"):
            setattr(Recording, name, record(name.removeprefix("on_")))
    return Recording


ClientEvents = recording(ClientEventHandler)
SubscriptionEvents = recording(SubscriptionEventHandler)


class Application:
    """Clients of the encoding asked for."""

    def __init__(self, encoding):
        self.protobuf = encoding == "protobuf"

    def client(self, url, **options):
        """A client; its `events` keep what it is told."""
        delays = {"min_reconnect_delay": 0.05, "max_reconnect_delay": 0.2}
        return Client(url, ClientEvents(), use_protobuf=self.protobuf, **delays, **options)

    def encode(self, value):
        """Payloads: objects in JSON, their text as bytes in Protobuf."""
        return json.dumps(value).encode() if self.protobuf else value

    def decode(self, data):
        return json.loads(data) if self.protobuf else data


def subscription(client, channel, **options):
    """A subscription; its `events` keep what it is told."""
    return client.new_subscription(channel, SubscriptionEvents(), **options)


def token(claims, secret="dev"):
    """A token as an application's backend signs it; dev mode's secret."""

    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    header = {"alg": "HS256", "typ": "JWT"}
    signed = b".".join(part(json.dumps(value).encode()) for value in (header, claims))
    mac = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + part(mac)).decode()


def in_seconds(seconds):
    """Unix time so many seconds from now, as tokens have it."""
    return int(time.time()) + seconds


def equal(left, right):
    if left != right:
        raise AssertionError(f"{left!r} is not {right!r}")


async def refused(call, code):
    """Expects an error reply."""
    try:
        answer = await call
    except ReplyError as error:
        return equal(error.code, code)
    raise AssertionError(f"{answer!r} instead of error {code}")


class Sequence:
    """Checks that sequence numbers come as 1, 2, 3, … and offsets without a hole."""

    def __init__(self):
        self.count, self.offset = 0, None

    def take(self, sequence, offset):
        equal(sequence, self.count + 1)
        if self.offset is not None:
            equal(offset, self.offset + 1)
        self.count, self.offset = sequence, offset
