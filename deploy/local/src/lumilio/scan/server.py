"""What the server is asked: which repositories there are, to scan one, and how far that is."""

from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from lumilio.following import Asking
from lumilio.upload.patience import Gone
from lumilio_client import api
from lumilio_client.api import RepositoryDTO, ScanDTO, ScanProgress, ScanRequest


def is_over(found: ScanProgress) -> bool:
    """Whether a run has ended, or waits for a person."""
    return found.state not in {"queued", "running"}


def to_do(found: ScanProgress) -> int:
    """How many files somebody is still to read or to register."""
    return found.left.unread + found.left.waiting


@dataclass(frozen=True)
class Server:
    """Whom to ask about one repository."""

    asking: Asking
    repository: RepositoryDTO

    def scan(self, folder: bytes, *, is_quick: bool) -> ScanDTO:
        """Have a folder scanned."""
        path = quote_from_bytes(folder)
        return self._request(ScanRequest(path_encoded=path, mode="quick" if is_quick else "full"))

    def accept(self, asked: int) -> ScanDTO:
        """Have the same done again that asked, and let it call so many files missing."""
        return self._request(ScanRequest(accept_missing=asked))

    def look(self, operation_id: int) -> ScanProgress:
        """How far a run is."""
        return self.asking.ask(api.get_scan(self.repository.id, operation_id))

    def trouble(self) -> str | None:
        """Why the repository is offline, if it is."""
        return self.asking.ask(api.get_repository(self.repository.id)).reason or None

    def alarms(self) -> list[str]:
        """What should not be so in the repository for long."""
        return self.asking.ask(api.get_sync(self.repository.id)).alarms

    def _request(self, wish: ScanRequest) -> ScanDTO:
        return self.asking.ask(api.request_scan(self.repository.id, wish))


def find(asking: Asking, wanted: str | None, folder: bytes) -> tuple[Server, bytes]:
    """The repository that is meant, by name or id, else by an absolute folder; and the folder as seen from its root."""
    known = asking.ask(api.list_repositories()).repositories
    if wanted is not None:
        meant = [one for one in known if wanted in {str(one.id), one.name}]
    elif folder.startswith(b"/"):
        meant = [one for one in known if _below(one, folder) is not None]
    else:
        meant = [one for one in known if one.is_default]
    if len(meant) != 1:
        names = ", ".join(f"{one.name} ({one.id})" for one in known)
        if wanted is None and folder.startswith(b"/") and not meant:
            roots = ", ".join(one.path or "" for one in known)
            raise Gone(f"that folder lies in no repository: there is {roots or 'none'}")
        raise Gone(f"which repository is meant? --repository takes one of {names or 'none: there is none'}")
    below = _below(meant[0], folder) if folder.startswith(b"/") else folder
    if below is None:
        raise Gone(f"that folder does not lie in {meant[0].name}, which is {meant[0].path}")
    return Server(asking, meant[0]), below


def _below(repository: RepositoryDTO, folder: bytes) -> bytes | None:
    """A folder as seen from a repository's root, if it is in it."""
    root, path = (repository.path or "").encode().rstrip(b"/") + b"/", folder.rstrip(b"/") + b"/"
    return path.removeprefix(root).rstrip(b"/") if path.startswith(root) else None
