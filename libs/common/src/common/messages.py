"""Every event of the system, declared once: facts in the past tense, with ids and no bytes or absolute paths."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Kind = Literal["photo", "video", "audio"]

# What is said of the fields is for people, in `docs/events.md`.
OwnerId = Annotated[int, Meta(description="the user whose things it is about; 0 where they are nobody's")]
AssetId = Annotated[UUID, Meta(description="the asset, as the API names it")]
RepositoryId = Annotated[UUID, Meta(description="the repository, as the API names it")]
KindOfAsset = Annotated[Kind, Meta(description="what the asset is")]
FilePath = Annotated[str, Meta(description="the file, as seen from the root of its repository, percent-encoded")]
Reason = Annotated[str, Meta(description="why, in words for people")]


class Malformed(ValueError):
    """A message is not an event of this system; the text says what is wrong with it."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about one owner's things. Delivered at least once, in no promised order."""

    subject: ClassVar[str]

    owner_id: OwnerId

    def subject_of(self) -> str:
        """Where this event is published."""
        return self.subject


class UploadStaged(Event, frozen=True, kw_only=True):
    """An upload's bytes are durable in staging and have a row."""

    subject = "lumilio.upload.staged"

    upload_id: Annotated[int, Meta(description="the upload, as the API names it")]
    asset_id: AssetId
    repository_id: RepositoryId


class AssetStored(Event, frozen=True, kw_only=True):
    """An original has its place on disk and its row."""

    subject = "lumilio.asset.stored"

    asset_id: AssetId
    repository_id: RepositoryId
    kind: KindOfAsset

    def subject_of(self) -> str:
        """One subject per kind, so that a reader can take only photos."""
        return f"{self.subject}.{self.kind}"


class AssetProcessed(Event, frozen=True, kw_only=True):
    """Metadata and thumbnails are ready: a client may show the asset."""

    subject = "lumilio.asset.processed"

    asset_id: AssetId


class AssetProbed(Event, frozen=True, kw_only=True):
    """What a video or a recording holds is known, so a version for browsers can be made where it needs one."""

    subject = "lumilio.asset.probed"

    asset_id: AssetId
    kind: KindOfAsset

    def subject_of(self) -> str:
        """One subject per kind, so that a reader can take only videos."""
        return f"{self.subject}.{self.kind}"


class TranscodeRequested(Event, frozen=True, kw_only=True):
    """Somebody said whether an asset is to have a version for browsers; what is at work on it looks again."""

    subject = "lumilio.transcode.requested"

    asset_id: AssetId


class AssetTranscoded(Event, frozen=True, kw_only=True):
    """What browsers play of a video or a recording is settled: a version of its own, or the original."""

    subject = "lumilio.asset.transcoded"

    asset_id: AssetId


class AssetEmbedded(Event, frozen=True, kw_only=True):
    """A picture's vectors are there: it is found by what it shows."""

    subject = "lumilio.asset.embedded"

    asset_id: AssetId


class AssetClassified(Event, frozen=True, kw_only=True):
    """What a model sees in a picture is there as labels."""

    subject = "lumilio.asset.classified"

    asset_id: AssetId


class LabelTaught(Event, frozen=True, kw_only=True):
    """Somebody showed by a few pictures what a label of theirs means: it is to be learnt, and said of all others."""

    subject = "lumilio.label.taught"

    label_id: Annotated[int, Meta(description="the label, as the API names it")]


class AssetTrashed(Event, frozen=True, kw_only=True):
    """Somebody, or an upload that takes its name, put an asset into the trash: hidden, and recoverable."""

    subject = "lumilio.asset.trashed"

    asset_id: AssetId


class AssetRestored(Event, frozen=True, kw_only=True):
    """An asset came back from the trash."""

    subject = "lumilio.asset.restored"

    asset_id: AssetId


class PurgeRequested(Event, frozen=True, kw_only=True):
    """So many assets in the owner's trash are to go for good, because somebody asked or their time is over."""

    subject = "lumilio.purge.requested"

    assets: Annotated[int, Meta(description="how many")]


class AssetPurged(Event, frozen=True, kw_only=True):
    """An asset is gone for good, with its files."""

    subject = "lumilio.asset.purged"

    asset_id: AssetId


class AssetReopened(Event, frozen=True, kw_only=True):
    """Somebody asked for an asset to be read and rendered again, and waits for it."""

    subject = "lumilio.asset.reopened"

    asset_id: AssetId


class AssetUpdated(Event, frozen=True, kw_only=True):
    """Somebody said something else about an asset than was known before."""

    subject = "lumilio.asset.updated"

    asset_id: AssetId


class AssetsUpdated(Event, frozen=True, kw_only=True):
    """The same of several assets at once, a few hundred at most."""

    subject = "lumilio.assets.updated"

    asset_ids: Annotated[list[UUID], Meta(description="the assets, as the API names them")]


class ScanRequested(Event, frozen=True, kw_only=True):
    """Somebody wants a repository scanned, or one folder of it; other systems may say so as well."""

    subject = "lumilio.scan.requested"

    owner_id: OwnerId = 0
    repository_id: RepositoryId
    folder: Annotated[str, Meta(description="as seen from the root, percent-encoded; empty for all of it")] = ""
    operation_id: Annotated[int | None, Meta(description="the scan, where the API knows it; others leave it out")] = (
        None
    )


class FileEvent(Event, frozen=True, kw_only=True):
    """Something about one file in a repository."""

    repository_id: RepositoryId
    path: FilePath
    asset_id: Annotated[UUID | None, Meta(description="the asset whose file it is, where that is known")] = None


class FileDiscovered(FileEvent, frozen=True, kw_only=True):
    """A file that was not known lies in a repository and was read; it becomes an asset, or one more file of one."""

    subject = "lumilio.file.discovered"


class FileChanged(FileEvent, frozen=True, kw_only=True):
    """A file holds other bytes than its asset had."""

    subject = "lumilio.file.changed"


class FileMoved(FileEvent, frozen=True, kw_only=True):
    """A file has another path than before, and is the same."""

    subject = "lumilio.file.moved"

    moved_from: Annotated[str, Meta(description="its path before, percent-encoded as well")]


class FileVanished(FileEvent, frozen=True, kw_only=True):
    """A file is no longer where it was; its asset is kept."""

    subject = "lumilio.file.vanished"


class FileCorrupted(FileEvent, frozen=True, kw_only=True):
    """The bytes of a file are no longer those of its asset, though nobody wrote it."""

    subject = "lumilio.file.corrupted"


class RepositoryWentOffline(Event, frozen=True, kw_only=True):
    """A repository is not there, or what is there is not it; nothing of it is called missing."""

    subject = "lumilio.repository.went_offline"

    repository_id: RepositoryId
    reason: Reason


class RepositoryCameOnline(Event, frozen=True, kw_only=True):
    """A repository that was not there is back."""

    subject = "lumilio.repository.came_online"

    repository_id: RepositoryId


class StageFailed(Event, frozen=True, kw_only=True):
    """A stage gave up on an asset; the reason is for people."""

    subject = "lumilio.stage.failed"

    asset_id: AssetId
    stage: Annotated[str, Meta(description="what could not be done, as `lumilio stages` names it")]
    reason: Reason


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
