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
Percent = Annotated[float, Meta(ge=0, le=90)]
Share = Annotated[float, Meta(gt=0, le=100)]
Patience = Annotated[float, Meta(ge=0, le=YEAR)]


class WrongSetting(SystemExit):
    """A setting is missing or wrong; the message names the variable."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What every service needs to know; times are in seconds."""

    database_url: Text
    nats_url: Text
    nats_monitor_url: str = ""
    health_host: str = "127.0.0.1"
    health_port: Port = 0
    lease_seconds: Positive = 60.0
    poll_seconds: Positive = 15.0
    relay_seconds: Positive = 2.0
    ping_seconds: Positive = 10.0
    stop_seconds: Patience = 8.0


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
