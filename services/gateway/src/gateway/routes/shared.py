"""What a link to an album opens, for people without an account."""

from typing import Annotated
from uuid import UUID

from litestar import get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ASGIApp

from common.db import Connection, Pool
from gateway import shared, shared_downloads
from gateway.addresses import Signer
from gateway.declared import Header, gives, may, takes
from gateway.downloads import Downloads
from gateway.errors import Crowded, Expired, Forbidden, NotFound, NotSignedIn, TooLarge, TooManyTries
from gateway.origins import Origin
from gateway.policies import SHARED
from gateway.queries.shares import Opened
from gateway.routes.media import GET
from gateway.schemas import Envelope
from gateway.serving import Request
from gateway.share_schemas import OpenShare, SharedAlbum, SharedAsset, SharedAssetList, Visit
from gateway.share_visits import Visits, said_by

MOST = 100
VISITOR = takes(
    None, Header("Authorization", "`Share` and the visitor that opening gave, where the link has a password.")
)
VISITING = SHARED | VISITOR | may(NotFound, Expired, NotSignedIn)


@post("/{token:str}/open", status_code=200, opt=SHARED | may(NotFound, Expired, NotSignedIn, TooManyTries, Crowded))
async def open_share(
    visits: NamedDependency[Visits],
    origin: NamedDependency[Origin],
    token: FromPath[str],
    data: JSONBody[OpenShare | None] = None,
) -> Envelope[Visit]:
    """Follow a link, with its password where it has one; the answer opens its album for an hour.

    After ten wrong passwords from one place within a quarter of an hour the answer is 429.
    """
    return Envelope(data=await visits.open(token, data.password if data else None, origin.address))


@get("/{token:str}", opt=VISITING)
async def get_shared(
    request: Request, conn: NamedDependency[Connection], visits: NamedDependency[Visits], token: FromPath[str]
) -> Envelope[SharedAlbum]:
    """The album that a link leads to."""
    opened = await _enter(request, visits, token)
    return Envelope(data=await shared.head(conn, opened))


@get("/{token:str}/assets", opt=VISITING)
async def list_shared(
    request: Request,
    conn: NamedDependency[Connection],
    visits: NamedDependency[Visits],
    signer: NamedDependency[Signer],
    token: FromPath[str],
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = MOST,
    after: FromQuery[str | None] = None,
) -> Envelope[SharedAssetList]:
    """What the album shows, in its own order, with addresses that a page can put into its pictures."""
    opened = await _enter(request, visits, token)
    return Envelope(data=await shared.page(conn, signer, opened, after=after, limit=limit))


@get("/{token:str}/assets/{asset_id:uuid}", opt=VISITING)
async def get_shared_asset(
    request: Request,
    conn: NamedDependency[Connection],
    visits: NamedDependency[Visits],
    signer: NamedDependency[Signer],
    token: FromPath[str],
    asset_id: FromPath[UUID],
) -> Envelope[SharedAsset]:
    """One asset of the album, with new addresses."""
    opened = await _enter(request, visits, token)
    return Envelope(data=await shared.one(conn, signer, opened, asset_id))


@route(
    "/{token:str}/download",
    http_method=GET,
    status_code=200,
    opt=SHARED
    | VISITOR
    | may(NotFound, Expired, NotSignedIn, Forbidden, TooLarge)
    | gives("application/zip", by_ranges=False),
)
async def download_shared(
    request: Request,
    pool: NamedDependency[Pool],
    visits: NamedDependency[Visits],
    downloads: NamedDependency[Downloads],
    token: FromPath[str],
) -> ASGIApp:
    """All originals of the album in one archive (ZIP, not compressed), where the link allows downloads."""
    return await shared_downloads.pack(pool, downloads, await _enter(request, visits, token))


async def _enter(request: Request, visits: Visits, token: str) -> Opened:
    return await visits.enter(token, said_by(request.headers.get("authorization", "")))


HANDLERS = [open_share, get_shared, list_shared, get_shared_asset, download_shared]
