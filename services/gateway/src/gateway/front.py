"""What every request passes before the API sees it, from the outside in."""

from dataclasses import dataclass

from litestar.types import ASGIApp

from common.db import Pool
from gateway import access, cookies, harmless, hosts, linger, proxies, traced
from gateway.addresses import Signer
from gateway.proxies import Networks
from gateway.thumbnail_door import Door
from gateway.thumbnail_holders import Holders
from gateway.tokens import Tokens


@dataclass(frozen=True)
class Names:
    """By which names the server may be called, and which proxies are believed about who calls."""

    allowed: frozenset[str] = frozenset()
    at_home: bool = True
    trusted: Networks = ()


def of(api: ASGIApp, pool: Pool, *, signer: Signer, tokens: Tokens, names: Names) -> ASGIApp:
    """The whole server, as it is put behind a socket."""
    door = Door(api, signer, Holders(pool, tokens))
    called = hosts.called(cookies.carried(door), names.allowed, at_home=names.at_home)
    return linger.lingering(traced.traced(access.logged(harmless.harmless(proxies.behind(called, names.trusted)))))
