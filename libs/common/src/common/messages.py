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


class AssetEmbedded(Event, frozen=True, kw_only=True):
    """A picture's vectors are there: it is found by what it shows."""

    subject = "lumilio.asset.embedded"

    asset_id: UUID


class AssetClassified(Event, frozen=True, kw_only=True):
    """What a model sees in a picture is there as labels."""

    subject = "lumilio.asset.classified"

    asset_id: UUID


class LabelTaught(Event, frozen=True, kw_only=True):
    """Somebody showed by a few pictures what a label of theirs means: it is to be learnt, and said of all others."""

    subject = "lumilio.label.taught"

    label_id: int


class AssetTrashed(Event, frozen=True, kw_only=True):
    """Somebody, or an upload that takes its name, put an asset into the trash: hidden, and recoverable."""

    subject = "lumilio.asset.trashed"

    asset_id: UUID


class AssetRestored(Event, frozen=True, kw_only=True):
    """An asset came back from the trash."""

    subject = "lumilio.asset.restored"

    asset_id: UUID


class PurgeRequested(Event, frozen=True, kw_only=True):
    """So many assets in the owner's trash are to go for good, because somebody asked or their time is over."""

    subject = "lumilio.purge.requested"

    assets: int


class AssetPurged(Event, frozen=True, kw_only=True):
    """An asset is gone for good, with its files."""

    subject = "lumilio.asset.purged"

    asset_id: UUID


class AssetReopened(Event, frozen=True, kw_only=True):
    """Somebody asked for an asset to be read and rendered again, and waits for it."""

    subject = "lumilio.asset.reopened"

    asset_id: UUID


class AssetUpdated(Event, frozen=True, kw_only=True):
    """Somebody said something else about an asset than was known before."""

    subject = "lumilio.asset.updated"

    asset_id: UUID


class AssetsUpdated(Event, frozen=True, kw_only=True):
    """The same of several assets at once, a few hundred at most."""

    subject = "lumilio.assets.updated"

    asset_ids: list[UUID]


class ScanRequested(Event, frozen=True, kw_only=True):
    """Somebody wants a repository scanned, or one folder of it; other systems may say so as well.

    `folder` is percent-encoded; `operation_id` is of the row that a request through the API has already.
    """

    subject = "lumilio.scan.requested"

    owner_id: int = 0
    repository_id: UUID
    folder: str = ""
    operation_id: int | None = None


class FileEvent(Event, frozen=True, kw_only=True):
    """Something about one file in a repository; `path` is relative to its root and percent-encoded."""

    repository_id: UUID
    path: str
    asset_id: UUID | None = None


class FileDiscovered(FileEvent, frozen=True, kw_only=True):
    """A file that was not known lies in a repository and was read; it becomes an asset, or one more file of one."""

    subject = "lumilio.file.discovered"


class FileChanged(FileEvent, frozen=True, kw_only=True):
    """A file holds other bytes than its asset had."""

    subject = "lumilio.file.changed"


class FileMoved(FileEvent, frozen=True, kw_only=True):
    """A file has another path than before, and is the same."""

    subject = "lumilio.file.moved"

    moved_from: str


class FileVanished(FileEvent, frozen=True, kw_only=True):
    """A file is no longer where it was; its asset is kept."""

    subject = "lumilio.file.vanished"


class FileCorrupted(FileEvent, frozen=True, kw_only=True):
    """The bytes of a file are no longer those of its asset, though nobody wrote it."""

    subject = "lumilio.file.corrupted"


class RepositoryWentOffline(Event, frozen=True, kw_only=True):
    """A repository is not there, or what is there is not it; nothing of it is called missing."""

    subject = "lumilio.repository.went_offline"

    repository_id: UUID
    reason: str


class RepositoryCameOnline(Event, frozen=True, kw_only=True):
    """A repository that was not there is back."""

    subject = "lumilio.repository.came_online"

    repository_id: UUID


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
    AssetEmbedded,
    AssetClassified,
    LabelTaught,
    AssetTrashed,
    AssetRestored,
    PurgeRequested,
    AssetPurged,
    AssetReopened,
    AssetUpdated,
    AssetsUpdated,
    ScanRequested,
    FileDiscovered,
    FileChanged,
    FileMoved,
    FileVanished,
    FileCorrupted,
    RepositoryWentOffline,
    RepositoryCameOnline,
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
