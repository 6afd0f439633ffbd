"""How loud a recording is over its time: gathered while it is decoded, told as JSON, drawn as a PNG."""

from typing import Any

import msgspec
import numpy as np
import pyvips
from msgspec import Struct
from numpy.typing import NDArray

FINEST = 16
"""Samples of a peak, at first; always a power of two, as are the two below, so that nothing is ever left over."""
BLOCK = 1 << 15
MOST = 2048
"""Peaks; where there would be more, two become one."""
FULL_SCALE = 1 << 15
WIDTH, HEIGHT = 1200, 200
COLOUR = (0x3B, 0x82, 0xF6)
LOUDER = 4.0
"""How many times a quiet recording's peaks are drawn higher than they are, at most."""
THINNEST = 1.0
"""Of the line that stands for silence, in pixels."""

Samples = NDArray[Any]
"""A row of samples for every channel, whole numbers or fractions of the full scale."""
Levels = NDArray[np.int16]


class Waveform(Struct, frozen=True, kw_only=True):
    """How loud a recording is over its time: as JSON for players, as a PNG for everybody else."""

    json: bytes
    png: bytes


class Told(Struct, frozen=True, kw_only=True):
    """The JSON that audiowaveform writes and peaks.js reads, with the duration in seconds."""

    version: int = 2
    channels: int = 1
    sample_rate: int
    samples_per_pixel: int
    bits: int = 16
    length: int
    duration: float
    data: list[int]


class Peaks:
    """The least and the greatest sample of every so many, of all channels; its memory does not grow with the time."""

    def __init__(self) -> None:
        self.samples = 0
        self.samples_per_peak = FINEST
        self._peaks: Levels = np.empty((2, 0), np.int16)
        self._open: Levels = np.empty((2, 0), np.int16)
        """Of the blocks that do not fill a peak yet."""
        self._block: Samples = np.empty((0, 0), np.int16)
        self._filled = 0

    def add(self, samples: Samples) -> None:
        """Hear more of the recording, of any length and in any form."""
        self.samples += samples.shape[1]
        while samples.shape[1]:
            fitting = self._fitting(samples[:, : BLOCK - self._filled])
            self._block[:, self._filled : self._filled + fitting.shape[1]] = fitting
            self._filled += fitting.shape[1]
            samples = samples[:, fitting.shape[1] :]
            if self._filled == BLOCK:
                self._take_in(self._block)
                self._filled = 0

    def finished(self) -> Levels:
        """A row of the least and one of the greatest samples; the last peak may stand for fewer samples."""
        self._take_in(self._block[:, : self._filled])
        self._filled = 0
        return np.hstack([self._peaks, _united(self._open)])

    def _fitting(self, samples: Samples) -> Samples:
        """The samples in the form of the block; where the form changes in the middle, levels go on."""
        form = (samples.dtype, len(samples))
        if self._filled and form != (self._block.dtype, len(self._block)):
            kept = levels(self._block[:, : self._filled], 1)
            self._block = np.empty((2, BLOCK), np.int16)
            self._block[:, : self._filled] = kept
            return levels(samples, 1)
        if form != (self._block.dtype, len(self._block)):
            self._block = np.empty((len(samples), BLOCK), samples.dtype)
        return samples

    def _take_in(self, block: Samples) -> None:
        if not block.size:
            return
        new = levels(block, min(self.samples_per_peak, BLOCK))
        if self.samples_per_peak > BLOCK:
            self._open = np.hstack([self._open, new])
            if self._open.shape[1] * BLOCK < self.samples_per_peak:
                return
            new, self._open = _united(self._open), self._open[:, :0]
        self._peaks = np.hstack([self._peaks, new])
        while self._peaks.shape[1] >= MOST:
            self._peaks = halved(self._peaks)
            self.samples_per_peak *= 2


def levels(samples: Samples, every: int) -> Levels:
    """The least and the greatest of every so many samples over all channels, on the scale of 16 bits."""
    whole = samples.shape[1] // every * every
    pieces = [samples[:, :whole].reshape(len(samples), -1, every)]
    if whole < samples.shape[1]:
        pieces.append(samples[:, None, whole:])
    found = [np.stack([piece.min(axis=(0, 2)), piece.max(axis=(0, 2))]) for piece in pieces if piece.size]
    return scaled(np.hstack(found))


def scaled(values: Samples) -> Levels:
    """Samples of any kind on the scale of 16 bits; what is no number is silence."""
    if values.dtype.kind == "f":
        return (np.nan_to_num(values, nan=0, posinf=1, neginf=-1).clip(-1, 1) * (FULL_SCALE - 1)).astype(np.int16)
    if values.dtype == np.uint8:
        return (values.astype(np.int16) - 128) << 8
    return (values >> 8 * (values.dtype.itemsize - 2)).astype(np.int16)


def halved(peaks: Levels) -> Levels:
    """Two peaks as one."""
    pairs = peaks.reshape(2, -1, 2)
    return np.stack([pairs[0].min(axis=1), pairs[1].max(axis=1)])


def _united(peaks: Levels) -> Levels:
    """All of them as one; none of none."""
    return np.array([[peaks[0].min()], [peaks[1].max()]], np.int16) if peaks.size else peaks


def waveform(peaks: Peaks, *, sample_rate: int, duration: float) -> Waveform:
    """What was heard, told and drawn."""
    found = peaks.finished()
    told = Told(
        sample_rate=sample_rate,
        samples_per_pixel=peaks.samples_per_peak,
        length=found.shape[1],
        duration=duration,
        data=found.T.ravel().tolist(),
    )
    return Waveform(json=msgspec.json.encode(told), png=drawn(found, peaks.samples / peaks.samples_per_peak))


def drawn(peaks: Levels, length: float) -> bytes:
    """A picture of so many peaks, the last of which may be a part of one, on a transparent ground."""
    loudest = max(int(np.abs(peaks.astype(int)).max()), 1)
    scale = min(FULL_SCALE / loudest, LOUDER) / FULL_SCALE * HEIGHT / 2
    low, high = columns(peaks, length).astype(float) * scale
    middle, half = (high + low) / 2, np.maximum((high - low) / 2, THINNEST / 2)
    top, bottom = HEIGHT / 2 - middle - half, HEIGHT / 2 - middle + half
    row = np.arange(HEIGHT)[:, None]
    covered = (np.minimum(bottom, row + 1) - np.maximum(top, row)).clip(0, 1)
    pixels = np.empty((HEIGHT, WIDTH, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = COLOUR, (covered * 255).round()
    image = pyvips.Image.new_from_array(pixels, interpretation="srgb")
    return bytes(image.pngsave_buffer(compression=6, keep="none"))


def columns(peaks: Levels, length: float) -> Levels:
    """The peaks of every column of the picture: those that lie in it, at least the one that it lies in."""
    edges = np.linspace(0, length, WIDTH + 1)
    first = np.floor(edges[:-1]).astype(int).clip(0, peaks.shape[1] - 1)
    last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
    found = [(peaks[0, start:end].min(), peaks[1, start:end].max()) for start, end in zip(first, last, strict=True)]
    return np.array(found, np.int16).T
