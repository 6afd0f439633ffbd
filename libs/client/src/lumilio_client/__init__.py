"""A client of Lumilio Photos: `api` says what can be asked, `Client` and `AsyncClient` ask it."""

from lumilio_client import api
from lumilio_client.asynchronous import AsyncClient
from lumilio_client.calls import Call, File, Listing
from lumilio_client.client import Client
from lumilio_client.errors import (
    Conflict,
    Failure,
    Forbidden,
    Invalid,
    NoRoom,
    NotFound,
    NotReady,
    NotSignedIn,
    NotUnderstood,
    TooLarge,
    TooMany,
    Trouble,
    Unavailable,
    Unconfirmed,
    UnknownFormat,
    Unreachable,
    Unusable,
)
from lumilio_client.retries import NEVER, Retries
from lumilio_client.signing import Key, Password

__all__ = [
    "NEVER",
    "AsyncClient",
    "Call",
    "Client",
    "Conflict",
    "Failure",
    "File",
    "Forbidden",
    "Invalid",
    "Key",
    "Listing",
    "NoRoom",
    "NotFound",
    "NotReady",
    "NotSignedIn",
    "NotUnderstood",
    "Password",
    "Retries",
    "TooLarge",
    "TooMany",
    "Trouble",
    "Unavailable",
    "Unconfirmed",
    "UnknownFormat",
    "Unreachable",
    "Unusable",
    "api",
]
