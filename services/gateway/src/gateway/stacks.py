"""Which of the assets that belong together are a stack, and which of them stands for it."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from gateway.asset_schemas import MemberDTO, StackDTO
from gateway.queries.stacks import Member

NEEDED = {"live": {"still", "motion"}, "raw": {"raw", "developed"}, "burst": {"frame"}, "manual": {"member"}}
"""The roles that make a stack of those that share a key; one asset alone is none."""


def of(members: Sequence[Member]) -> Iterator[StackDTO]:
    """The stacks among these, which come as the database orders them: the cover first."""
    for (kind, _), found in groupby(members, key=lambda member: (member.kind, member.key)):
        stack = list(found)
        if len(stack) > 1 and {member.role for member in stack} >= NEEDED[kind]:
            yield StackDTO(
                kind=kind,
                cover_asset_id=stack[0].asset_id,
                members=[MemberDTO(asset_id=member.asset_id, role=member.role) for member in stack],
            )
