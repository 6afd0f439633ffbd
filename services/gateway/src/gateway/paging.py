"""How lists are asked for page by page: more at once than a page may have is refused, never silently cut."""

from typing import Annotated, TypeAlias

from litestar.params import QueryParameter

Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=100)]
FileLimit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=1000)]
