"""What things are called on the screen, and numbers as people read them."""

MINUTE, HOUR, DAY = 60, 3600, 86400
UNITS = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))

# What stands still without a service.
SERVICES = {
    "gateway": "people and apps",
    "ingest": "new uploads",
    "processor": "thumbnails and videos",
    "syncer": "changes in people's folders",
    "ml-dispatcher": "search by meaning, faces and labels",
    "ml-server": "models of this machine",
}
_WORK = {
    "place": "Uploads to store",
    "purge": "Purging",
    "render": "Thumbnails and metadata",
    "transcode": "Versions of videos",
    "sidecar": "Sidecars",
    "embed": "Search by meaning",
    "classify": "Labels",
    "faces": "Faces",
    "texts": "Text in pictures",
}
_SERVICES_OF = {
    "place": "ingest",
    "purge": "ingest",
    "render": "processor",
    "transcode": "processor",
    "sidecar": "processor",
}


def work(stage: str) -> str:
    """What the work of a stage is called, with the stage as other commands name it."""
    name = _WORK.get(stage.partition(":")[0])
    return f"{name} ({stage})" if name else stage


def service_of(stage: str) -> str:
    """Whose work a stage is."""
    return _SERVICES_OF.get(stage, "ml-dispatcher")


def count(number: int, thing: str) -> str:
    """So many of a thing."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def since(seconds: float) -> str:
    """A time by its largest unit."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= 2 * unit or (unit == DAY and seconds >= DAY):
            return count(int(seconds // unit), name)
    return count(int(seconds), "second")


def size(number: int) -> str:
    """A size by its largest unit."""
    for unit, name in UNITS:
        if number >= unit:
            return f"{number / unit:.{0 if number >= 100 * unit else 1}f} {name}"
    return count(number, "byte")


def sentence(text: str) -> str:
    """Words as a sentence."""
    end = "" if text.endswith((".", "?")) else "."
    return f"{text[:1].upper()}{text[1:]}{end}" if text else ""
