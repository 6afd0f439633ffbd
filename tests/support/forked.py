"""Services as forked processes: their modules were loaded once for all of them, so that a start costs a tenth."""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from multiprocessing.process import BaseProcess

from gateway import main as gateway
from ingest import main as ingest
from ml_dispatcher import main as ml_dispatcher
from processor import main as processor
from syncer import main as syncer

KINDS = tuple(main.__package__ or "" for main in (gateway, ingest, processor, syncer, ml_dispatcher))

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload([__name__])


def start(name: str, environment: Mapping[str, str], log: str) -> BaseProcess:
    """A service that runs until it ends or is ended; what it says is appended to a file."""
    process = forks.Process(target=_run, args=(name, environment, log))
    process.start()
    return process


def redirect(log: str) -> None:
    """From here on, append what this process says to a file."""
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _run(name: str, environment: Mapping[str, str], log: str) -> None:
    """Run the service's own main; of another release, which lies in PYTHONPATH, only a new interpreter can.

    So it is for syncer, which itself starts processes by multiprocessing.
    """
    redirect(log)
    os.environ.update(environment)
    if "PYTHONPATH" in environment or name == syncer.__package__:
        os.execv(sys.executable, [sys.executable, "-m", name])
    import_module(f"{name}.main").main()
