"""Every event of the system, declared once: facts in the past tense, with ids and no bytes or absolute paths."""

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

Kind = Literal["photo", "video", "audio"]


class Malformed(ValueError):
    """A message is not an event of this system; the text says what is wrong with it."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about one owner's things. Delivered at least once, in no promised order."""

    subject: ClassVar[str]

    owner_id: int

    def subject_of(self) -> str:
        """Where this event is published."""
        return self.subject


class UploadStaged(Event, frozen=True, kw_only=True):
    """An upload's bytes are durable in staging and have a row."""

    subject = "lumilio.upload.staged"

    upload_id: int
    asset_id: UUID
    repository_id: UUID


class AssetStored(Event, frozen=True, kw_only=True):
    """An original has its place on disk and its row."""

    subject = "lumilio.asset.stored"

    asset_id: UUID
    repository_id: UUID
    kind: Kind

    def subject_of(self) -> str:
        """One subject per kind, so that a reader can take only photos."""
        return f"{self.subject}.{self.kind}"


class AssetProcessed(Event, frozen=True, kw_only=True):
    """Metadata and thumbnails are ready: a client may show the asset."""

    subject = "lumilio.asset.processed"

    asset_id: UUID


class AssetProbed(Event, frozen=True, kw_only=True):
    """What a video or a recording holds is known, so a version for browsers can be made where it needs one."""

    subject = "lumilio.asset.probed"

    asset_id: UUID
    kind: Kind

    def subject_of(self) -> str:
        """One subject per kind, so that a reader can take only videos."""
        return f"{self.subject}.{self.kind}"


class TranscodeRequested(Event, frozen=True, kw_only=True):
    """Somebody said whether an asset is to have a version for browsers; what is at work on it looks again."""

    subject = "lumilio.transcode.requested"

    asset_id: UUID


class AssetTranscoded(Event, frozen=True, kw_only=True):
    """What browsers play of a video or a recording is settled: a version of its own, or the original."""

    subject = "lumilio.asset.transcoded"

    asset_id: UUID


class AssetTrashed(Event, frozen=True, kw_only=True):
    """Somebody, or an upload that takes its name, put an asset into the trash: hidden, and recoverable."""

    subject = "lumilio.asset.trashed"

    asset_id: UUID


class AssetRestored(Event, frozen=True, kw_only=True):
    """An asset came back from the trash."""

    subject = "lumilio.asset.restored"

    asset_id: UUID


class AssetReopened(Event, frozen=True, kw_only=True):
    """Somebody asked for an asset to be read and rendered again, and waits for it."""

    subject = "lumilio.asset.reopened"

    asset_id: UUID


class AssetUpdated(Event, frozen=True, kw_only=True):
    """Somebody said something else about an asset than was known before."""

    subject = "lumilio.asset.updated"

    asset_id: UUID


class StageFailed(Event, frozen=True, kw_only=True):
    """A stage gave up on an asset; the reason is for people."""

    subject = "lumilio.stage.failed"

    asset_id: UUID
    stage: str
    reason: str


EVENTS: tuple[type[Event], ...] = (
    UploadStaged,
    AssetStored,
    AssetProcessed,
    AssetProbed,
    TranscodeRequested,
    AssetTranscoded,
    AssetTrashed,
    AssetRestored,
    AssetReopened,
    AssetUpdated,
    StageFailed,
)


def decode(subject: str, body: bytes) -> Event:
    """The event in a message; raises Malformed when it is none of ours."""
    for kind in EVENTS:
        if subject == kind.subject or subject.startswith(kind.subject + "."):
            try:
                return msgspec.json.decode(body, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise Malformed(f"not a {kind.__name__}: {error}") from None
    raise Malformed("no event has this subject")
