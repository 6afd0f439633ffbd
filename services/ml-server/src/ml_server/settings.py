"""What an operator can say about the server."""

import msgspec

from common.settings import NotNegative, Patience, Port, Positive, Text


class MlServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """0 threads means one per core; 0 elsewhere means what suits the machine. Times are in seconds.

    Vectors of labels are kept in `ml_cache`, if there is one; `ml_int8` prefers small variants of models without a
    graphics card.
    """

    models: Text
    ml_host: Text = "127.0.0.1"
    ml_port: Port = 50051
    ml_threads: NotNegative = 0
    ml_batch: NotNegative = 0
    ml_waiting: NotNegative = 0
    ml_int8: bool = True
    ml_cache: str = ""
    ml_request_seconds: Positive = 30.0
    health_host: str = "127.0.0.1"
    health_port: Port = 0
    stop_seconds: Patience = 8.0
