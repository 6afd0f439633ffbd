"""From a folder of models to services that answer; what cannot be used is told in words, and keeps no other from it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from common import cores, log
from ml_server import folders, kept, labels, models, towers
from ml_server.folders import Folder, Unusable
from ml_server.inference import Inference
from ml_server.listening import Told
from ml_server.models import Model
from ml_server.service import Limits, Service
from ml_server.settings import MlServerSettings

USUAL_BATCH, BATCH_OF_CARDS = 4, 32


async def work(config: MlServerSettings, inference: Inference, told: Told) -> None:
    """Load what there is, tell that it can be asked, learn the labels, and answer until cancelled."""
    threads = config.ml_threads or cores.count()
    batch = config.ml_batch or (BATCH_OF_CARDS if towers.has_card() else USUAL_BATCH)
    runs = 1 if towers.has_card() else threads
    busy = 2 * runs * batch + threads  # all runs at work, the next ones whole, and a picture in every thread
    most = config.ml_waiting or 4 * busy
    limits = Limits(batch, runs, concurrency=min(busy, most), waiting=most)
    with ThreadPoolExecutor(threads) as pool:
        loaded = [model async for model in _load_all(config, inference, threads)]
        services = [Service(model, limits, pool) for model in loaded]
        async with asyncio.TaskGroup() as tasks:
            for service in services:
                tasks.create_task(service.work())
            if services:
                inference.open(services)
                await told()
            for service in services:
                await _learn(config, inference, service)


async def _load_all(config: MlServerSettings, inference: Inference, threads: int) -> AsyncIterator[Model]:
    small = config.ml_int8 and not towers.has_card()
    found = await asyncio.to_thread(folders.find, Path(config.models), small=small)
    if not found:
        _complain(inference, "no model found", f"{config.models} holds no NAME/visual/model.onnx")
    for folder in _once_each(inference, found):
        began = perf_counter()
        try:
            model = await asyncio.to_thread(models.load, folder, threads=threads)
        except Unusable as error:
            _complain(inference, "model not served", str(error))
        else:
            log.get().info(
                "model loaded", model=model.model_id, runtime=model.runtime, seconds=round(perf_counter() - began, 2)
            )
            yield model


def _once_each(inference: Inference, found: list[Folder]) -> Iterator[Folder]:
    """A name is what a model is asked by, so it belongs to the first that has it."""
    taken: dict[str, Folder] = {}
    for folder in found:
        if taken.setdefault(folder.name, folder) is folder:
            yield folder
        else:
            reason = f"{folder.path} has the name of {taken[folder.name].path}: rename one of them"
            _complain(inference, "model not served", reason)


async def _learn(config: MlServerSettings, inference: Inference, service: Service) -> None:
    """Labels take a while the first time; everything else is answered meanwhile."""
    model = service.model
    if not (model.eyes and model.reader):
        return
    try:
        listed = await asyncio.to_thread(labels.read, model.folder, Path(config.models))
        vectors = await asyncio.to_thread(kept.find, config.ml_cache, model, listed)
        if vectors is None:
            vectors = await service.learn(listed)
            await asyncio.to_thread(kept.keep, config.ml_cache, model, listed, vectors)
    except Exception as error:  # noqa: BLE001  # a tokenizer with more words than its model knows fails only here
        _complain(inference, "labels not served", f"{model.folder.path}: {error}")
    else:
        service.classify(listed, vectors)
        inference.tell()
        log.get().info("labels learnt", model=model.model_id, labels=len(listed.labels))


def _complain(inference: Inference, event: str, reason: str) -> None:
    log.get().error(event, reason=reason)
    inference.problems.append(f"{event}: {reason}")
