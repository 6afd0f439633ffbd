"""Which inference servers are asked, how they are reached, and what they are taken to call things."""

import re
from collections.abc import Mapping

from common.settings import Settings, WrongSetting
from ml_dispatcher import dialling, tasks
from ml_dispatcher.dialling import Dial
from ml_dispatcher.tasks import Names

NO = {"false", "0", "no"}
ADDRESS = re.compile(r"unix:.+|(\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):(\d{1,5})")


class DispatcherSettings(Settings, frozen=True, kw_only=True):
    """What the dispatcher needs to know."""

    inference_servers: str = ""
    """The inference servers to ask, `HOST:PORT` with commas between them, or `unix:/path`; `ML_SERVICE_ADDR` means the
    same, and `CLIP_ENABLED=false` none at all ([meaning.md](meaning.md)).
    """
    inference_tls: bool = False
    """`true` asks them encrypted only."""
    inference_ca: str = ""
    """A file with the certificate of their authority, and they are asked encrypted; else those count that all trust."""
    inference_mdns: bool = False
    """`true` also asks servers that announce themselves in the network; for one of which you know every machine."""
    inference_tasks: str = ""
    """What servers call tasks that go by other names with them, as JSON: `{"classify": ["my_classify"]}`."""


def is_off(environ: Mapping[str, str]) -> bool:
    """Whether no server is wanted, by the name that is documented elsewhere."""
    return environ.get("CLIP_ENABLED", "").lower() in NO


def addresses(config: DispatcherSettings, environ: Mapping[str, str]) -> list[str]:
    """As they are set, else by the name that is documented elsewhere; WrongSetting for what is none."""
    if is_off(environ):
        return []
    named = config.inference_servers or environ.get("ML_SERVICE_ADDR", "")
    found = [address.strip() for address in named.split(",") if address.strip()]
    for address in found:
        given = ADDRESS.fullmatch(address)
        if given is None or int(given[2] or 1) not in range(1, 65_536):
            raise WrongSetting(f"wrong setting LUMILIO_INFERENCE_SERVERS: {address!r} is no host:port")
    return found


def dial(config: DispatcherSettings) -> Dial:
    """In the open, unless encryption is wanted or an authority is named for it."""
    if not (config.inference_tls or config.inference_ca):
        return dialling.plain
    return dialling.encrypted(_ca(config.inference_ca) if config.inference_ca else None)


def names(config: DispatcherSettings) -> Names:
    """What servers may call tasks."""
    try:
        return tasks.names(config.inference_tasks)
    except tasks.Unclear as error:
        raise WrongSetting(f"wrong setting LUMILIO_INFERENCE_TASKS: {error}") from None


def _ca(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise WrongSetting(f"wrong setting LUMILIO_INFERENCE_CA: {path} cannot be read: {error.strerror}") from None
