"""How servers are reached: in the open, encrypted, or by a socket of this machine."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import grpc

from ml_dispatcher.exchange import MOST_ANSWER

Dial: TypeAlias = Callable[[str], grpc.aio.Channel]

OPTIONS = (
    ("grpc.max_receive_message_length", MOST_ANSWER),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 10_000),  # looking whether an address listens again costs nothing
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
    ("grpc.enable_retries", 0),  # we know better whom to ask again
)
LOCAL = "unix:"


def plain(address: str) -> grpc.aio.Channel:
    """As servers are reached in one's own network."""
    return grpc.aio.insecure_channel(address, options=OPTIONS)


def encrypted(ca: bytes | None) -> Dial:
    """Encrypted, to servers with a certificate of that authority, or of one that everybody knows."""
    return partial(_secure, grpc.ssl_channel_credentials(root_certificates=ca))


def _secure(credentials: grpc.ChannelCredentials, address: str) -> grpc.aio.Channel:
    if address.startswith(LOCAL):
        return plain(address)
    return grpc.aio.secure_channel(address, credentials, options=OPTIONS)
