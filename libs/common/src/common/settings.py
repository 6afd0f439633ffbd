"""Settings come from the environment, once, in `main`; a wrong or missing one stops the process and names itself."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

PREFIX = "LUMILIO_"

# Numbers that make sense: a year is as good as never, and `inf` is refused by it.
YEAR = 366 * 24 * 60 * 60
Positive = Annotated[float, Meta(gt=0, le=YEAR)]
NotNegative = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Text = Annotated[str, Meta(min_length=1)]
Replicas = Annotated[int, Meta(ge=1, le=5)]
Percent = Annotated[float, Meta(ge=0, le=90)]
Share = Annotated[float, Meta(gt=0, le=100)]
Patience = Annotated[float, Meta(ge=0, le=YEAR)]


class WrongSetting(SystemExit):
    """A setting is missing or wrong; the message names the variable."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service needs to know; times are in seconds."""

    database_url: Text
    """Where the database is, `postgresql://USER:PASSWORD@HOST:PORT/NAME`."""
    nats_url: Text
    """Where the NATS server is, with its password, `nats://USER:PASSWORD@HOST:PORT`."""
    nats_monitor_url: str = ""
    """Where the NATS server tells how it is set up, `http://HOST:8222`; else nobody sees whether it is durable."""
    health_host: str = "127.0.0.1"
    """The address on which `/live`, `/ready` and `/metrics` are answered, beside the work proper."""
    health_port: Port = 0
    """Its port; 0 for none."""
    lease_seconds: Positive = 60.0
    """How long the work of a process that died stays its own, before another takes it."""
    poll_seconds: Positive = 15.0
    """How often work is looked for that nobody rang for."""
    relay_seconds: Positive = 2.0
    """How often events are looked for that nobody has published."""
    ping_seconds: Positive = 10.0
    """How often the NATS server is asked whether it is there."""
    stream_replicas: Replicas = 1
    """On how many nodes of a NATS cluster every message is kept; `lumilio migrate`, told the same, changes it later."""
    stop_seconds: Patience = 8.0
    """How long work in hand may take when the process is to stop."""


StructT = TypeVar("StructT", bound=Struct)


def load(kind: type[StructT], environ: Mapping[str, str]) -> StructT:
    """The settings of a service or a command; `nats_url` is read from `LUMILIO_NATS_URL`."""
    given = {
        field: environ[variable] for field in kind.__struct_fields__ if (variable := PREFIX + field.upper()) in environ
    }
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise WrongSetting(_explain(kind, given, error)) from None


def _explain(kind: type[Struct], given: Mapping[str, str], error: msgspec.ValidationError) -> str:
    required = [field.name for field in msgspec.structs.fields(kind) if field.required]
    missing = [PREFIX + name.upper() for name in required if name not in given]
    if missing:
        return f"missing settings: {', '.join(missing)}"
    problem, _, place = str(error).partition(" - at `$.")
    return f"wrong setting {PREFIX}{place.rstrip('`').upper()}: {problem}" if place else f"wrong settings: {problem}"
