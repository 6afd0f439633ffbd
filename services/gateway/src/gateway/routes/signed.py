"""Addresses of media that need no sign-in: who asks for them, and who follows them."""

from datetime import UTC, datetime
from uuid import UUID

from litestar import post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.types import ASGIApp
from msgspec import ValidationError, convert

from common.db import Pool, glance
from gateway import signing, variants
from gateway.addresses import Signer
from gateway.declared import may
from gateway.errors import Forbidden, NotFound
from gateway.media import Public
from gateway.policies import PUBLIC, READ
from gateway.queries import signed as queries
from gateway.queries.users import User
from gateway.routes.media import FILES, GET
from gateway.schemas import Envelope
from gateway.serving import Request
from gateway.signed_schemas import UrlList, UrlRequest
from gateway.variants import Variant


@post("/assets/urls", status_code=200, opt=READ)
async def sign_urls(
    data: JSONBody[UrlRequest],
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    signer: NamedDependency[Signer],
) -> Envelope[UrlList]:
    """Addresses of up to 1,000 assets that work without a sign-in, for an hour at most; unseen assets are left out.

    Within a quarter of an hour they are the same ones, so that pictures stay in a browser's cache.
    """
    until = await signer.expiry()
    async with glance(pool) as conn:
        found = await queries.list_signable(conn, data.asset_ids, user=user.user_id)
    urls = signer.urls(found, data.variants, who=signing.user(user.user_id), until=until)
    return Envelope(data=UrlList(urls=urls, expires_at=datetime.fromtimestamp(until, UTC)))


@route("/media/{asset_id:uuid}/{variant:str}", http_method=GET, status_code=200, opt=PUBLIC | FILES | may(Forbidden))
async def follow_url(
    request: Request,
    pool: NamedDependency[Pool],
    signer: NamedDependency[Signer],
    asset_id: FromPath[UUID],
    variant: FromPath[str],
) -> ASGIApp:
    """What a signed address is about; the address itself is all that a client needs."""
    wanted, now = _variant(variant), await signer.bearings.ask()
    grant = signing.read(signer.keys, signing.address(request.scope), now)
    answer = await variants.answer(request, pool, asset_id, wanted, owner=grant.owner)
    return Public(answer, seconds=grant.until - now)


def _variant(name: str) -> Variant:
    try:
        known: Variant = convert(name, Variant)
    except ValidationError:
        raise NotFound(f"there is no `{name}` of an asset") from None
    return known


HANDLERS = [sign_urls]
