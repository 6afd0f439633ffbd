"""The clean process whose copies read foreign files: it has imported every decoder and run none."""

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import sys

import msgspec
from msgspec import Struct

from processor import child, confine

STILLBORN = 256
"""Instead of an exit code: the machine had no process or descriptor to spare for the child."""
COURTESY = 10  # how much decoders give way to whoever takes files in and answers people


class Start(Struct, frozen=True, tag=True):
    """Fork a child that answers on the descriptor sent along."""

    number: int
    limits: confine.Limits


class Stop(Struct, frozen=True, tag=True):
    """Kill a child."""

    number: int


class Ready(Struct, frozen=True, tag=True):
    """The zygote can fork."""

    walls: confine.Walls


class Ended(Struct, frozen=True, tag=True):
    """A child is gone, with this exit code, the negative number of a signal if one killed it, or `STILLBORN`."""

    number: int
    code: int


Order = Start | Stop
News = Ready | Ended


class Zygote:
    """Forks, kills and buries children as it is told, until nobody is there to tell."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ)
        self.children: dict[int, tuple[int, int]] = {}
        """Process id and descriptor of every child by its number."""

    def serve(self) -> None:
        """Work until the service closes its end."""
        self.tell(Ready(confine.walls()))
        while True:
            for key, _ in self.selector.select():
                if key.data is not None:
                    self.bury(key.data)
                elif not self.obey():
                    return

    def obey(self) -> bool:
        """Carry out one order; False when there will be no more."""
        message, descriptors, _, _ = socket.recv_fds(self.control, 4096, 1)
        if not message:
            return False
        match msgspec.msgpack.decode(message, type=Order):
            case Start(number, limits):
                self.start(number, limits, descriptors)
            case Stop(number) if number in self.children:
                os.kill(self.children[number][0], signal.SIGKILL)
        return True

    def start(self, number: int, limits: confine.Limits, descriptors: list[int]) -> None:
        """Fork a child, if the machine lets us; in the child this never returns."""
        try:
            (descriptor,) = descriptors  # it is lost on its way where there is no room for it
            process, watch = self.fork(descriptor, limits)
        except (OSError, ValueError):
            self.tell(Ended(number, STILLBORN))
        else:
            self.children[number] = process, watch
            self.selector.register(watch, selectors.EVENT_READ, data=number)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def fork(self, descriptor: int, limits: confine.Limits) -> tuple[int, int]:
        """The process of a new child, and a descriptor that tells of its end."""
        zygote, process = os.getpid(), os.fork()
        if process == 0:
            child.live(descriptor, parent=zygote, limits=limits)
        try:
            return process, os.pidfd_open(process)
        except OSError:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise

    def bury(self, number: int) -> None:
        """Tell how a child ended."""
        process, watch = self.children.pop(number)
        _, status = os.waitpid(process, 0)
        self.selector.unregister(watch)
        os.close(watch)
        self.tell(Ended(number, os.waitstatus_to_exitcode(status)))

    def tell(self, news: News) -> None:
        """Let the service know."""
        self.control.send(msgspec.msgpack.encode(news))

    def end(self) -> None:
        """Leave no child behind."""
        for process, _ in self.children.values():
            os.kill(process, signal.SIGKILL)
        for process, _ in self.children.values():
            os.waitpid(process, 0)


def main() -> None:
    """Serve the service that started us, whose modules, id and end of the line are our arguments."""
    descriptor, parent, *modules = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service decides when its children end
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    confine.die_with(int(parent))
    os.nice(COURTESY)
    confine.go_first()
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # children that collect garbage would copy every page
    zygote = Zygote(socket.socket(fileno=int(descriptor)))
    with contextlib.suppress(ConnectionError):  # the service is gone, with our last news unread
        zygote.serve()
    zygote.end()


if __name__ == "__main__":
    main()
