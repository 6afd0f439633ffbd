"""The one stream and every durable reader of it, declared once; whoever finds them missing creates them."""

from typing import NamedTuple, get_args

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from common.messages import (
    AssetProbed,
    AssetProcessed,
    AssetReopened,
    AssetRestored,
    AssetStored,
    AssetsUpdated,
    AssetTrashed,
    AssetUpdated,
    FileChanged,
    FileDiscovered,
    Kind,
    LabelTaught,
    PurgeRequested,
    ScanRequested,
    TranscodeRequested,
    UploadStaged,
)

DAY = 24 * 60 * 60


class Durable(NamedTuple):
    """A named reader of the stream: which messages ring whose doorbell."""

    name: str
    subjects: tuple[str, ...]


NAME = "LUMILIO"
STREAM = StreamConfig(
    name=NAME,
    description="Events of Lumilio Photos; rows are the record, this may be lost.",
    subjects=["lumilio.>"],
    retention=RetentionPolicy.LIMITS,
    storage=StorageType.FILE,
    discard=DiscardPolicy.OLD,
    max_age=7 * DAY,
    max_bytes=512 * 1024 * 1024,
    max_msg_size=256 * 1024,
    duplicate_window=120,
)
PLACE = Durable("ingest-place", (UploadStaged.subject, AssetTrashed.subject, AssetRestored.subject))
PURGE = Durable("ingest-purge", (PurgeRequested.subject,))
RENDER = Durable(
    "processor-render", (*(f"{AssetStored.subject}.{kind}" for kind in get_args(Kind)), AssetReopened.subject)
)
TRANSCODE = Durable("processor-transcode", (f"{AssetProbed.subject}.*", TranscodeRequested.subject))
SIDECAR = Durable("processor-sidecar", (AssetUpdated.subject, AssetsUpdated.subject))
REGISTER = Durable("ingest-register", (FileDiscovered.subject, FileChanged.subject))
EMBED = Durable("ml-embed", (AssetProcessed.subject,))
FILL = Durable("ml-fill", (AssetProcessed.subject,))
CLASSIFY = Durable("ml-classify", (AssetProcessed.subject,))
FACES = Durable("ml-faces", (AssetProcessed.subject,))
TEXTS = Durable("ml-texts", (AssetProcessed.subject,))
LEARN = Durable("ml-learn", (LabelTaught.subject,))
SCAN = Durable("syncer-scan", (ScanRequested.subject,))
DURABLES = (PLACE, PURGE, RENDER, TRANSCODE, SIDECAR, REGISTER, SCAN, EMBED, FILL, CLASSIFY, FACES, TEXTS, LEARN)


async def ensure_stream(js: JetStreamContext, *, replicas: int = 1) -> None:
    """Create the stream on so many nodes if it is missing; an existing one is left as it is."""
    try:
        await js.stream_info(NAME)
    except NotFoundError:
        await js.add_stream(STREAM.evolve(num_replicas=replicas))


async def ensure_durable(js: JetStreamContext, durable: Durable, *, replicas: int = 1) -> None:
    """Create a durable if it is missing, and its stream; a service never changes one that exists."""
    await ensure_stream(js, replicas=replicas)
    try:
        await js.consumer_info(NAME, durable.name)
    except NotFoundError:
        await js.add_consumer(NAME, _consumer(durable))


async def migrate(js: JetStreamContext, *, replicas: int = 1) -> None:
    """Bring stream and durables to what is declared here; only `lumilio migrate` calls this."""
    await ensure_stream(js, replicas=replicas)
    await js.update_stream(STREAM.evolve(num_replicas=replicas))
    for durable in DURABLES:
        await js.add_consumer(NAME, _consumer(durable))


def _consumer(durable: Durable) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=durable.name,
        filter_subjects=list(durable.subjects),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=30,
    )
