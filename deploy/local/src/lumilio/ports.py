"""Ports on this machine that nobody listens on."""

import random
import socket

from lumilio.refusal import CannotStart

# Below what the kernel gives to outgoing connections: a client that retries a dead server's port in that range
# may one day be given the very port as its own, and keep the server from coming back.
CHOICE = range(15_000, 32_000)
NEXT = 100


def choose(preferred: int, *, host: str = "127.0.0.1") -> int:
    """The preferred port, the next one that is free, or any when there is no preference (0)."""
    candidates = range(preferred, min(preferred + NEXT, 65_536)) if preferred else random.sample(CHOICE, NEXT)
    for port in candidates:
        if _is_free(host, port):
            return port
    raise CannotStart(f"no free port from {candidates[0]} on: name another one")


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CannotStart(f"there is no address {host} ({error.strerror}): name another --host") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            raise CannotStart(f"port {port} is for root only: name one above 1023") from None
        except OSError as error:
            return _is_busy(error, host)
        return True


def _is_busy(error: OSError, host: str) -> bool:
    """False, unless the address itself is none of this machine's."""
    import errno

    if error.errno == errno.EADDRNOTAVAIL:
        raise CannotStart(f"this machine has no address {host}: name another --host")
    return False
