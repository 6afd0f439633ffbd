"""What an operator can say about the server."""

import msgspec

from common.settings import NotNegative, Patience, Port, Positive, Text


class MlServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What ml-server needs to know."""

    models: Text
    """Where models for search by meaning lie ([meaning.md](meaning.md))."""
    ml_host: Text = "127.0.0.1"
    """The address on which it is asked; it knows no passwords, so others need a network of their own."""
    ml_port: Port = 50051
    """Its port."""
    ml_threads: NotNegative = 0
    """How many threads work for it; 0 is one for each core, or fewer by the limit of a container."""
    ml_batch: NotNegative = 0
    """How many pictures run together at most; 0 is 4, and 32 on a graphics card."""
    ml_waiting: NotNegative = 0
    """How many requests may be there before one more is sent away; 0 is four times what keeps the machine busy."""
    ml_int8: bool = True
    """`false` leaves variants of models with 8 bits alone; a graphics card always does."""
    ml_cache: str = ""
    """Where vectors of labels are kept from one start to the next."""
    ml_request_seconds: Positive = 30.0
    """How long a request may take."""
    health_host: str = "127.0.0.1"
    """The address on which `/live` and `/ready` are answered, beside the work proper."""
    health_port: Port = 0
    """Its port; 0 for none."""
    stop_seconds: Patience = 8.0
    """How long work in hand may take when the process is to stop."""
