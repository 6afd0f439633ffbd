"""From a picture's bytes to what a model takes: shape, frame, colours, and what is refused."""

from io import BytesIO
from unittest.mock import ANY

import msgspec
import numpy as np
import pytest
from PIL import Image

from ml_server import pictures
from ml_server.pictures import Preprocess, Unreadable
from tests.support import photos
from tests.support.ml_servers import encoded

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "interpolation": "nearest"}


def stripes() -> Image.Image:
    """Red, green and blue side by side, 30 by 10."""
    image = Image.new("RGB", (30, 10), (255, 0, 0))
    image.paste((0, 255, 0), (10, 0, 20, 10))
    image.paste((0, 0, 255), (20, 0, 30, 10))
    return image


def colours(payload: bytes, **wanted: object) -> list[list[int]]:
    """The middle row of the prepared picture, at its begin, middle and end."""
    prepared = pictures.prepare(payload, msgspec.convert({**PLAIN, **wanted}, Preprocess))
    height, width = prepared.shape[1:]
    row = prepared[:, height // 2, [0, width // 2, width - 1]]
    return [[round(float(part) * 255) for part in pixel] for pixel in row.T]


def test_a_picture_is_framed_as_its_model_was_trained() -> None:
    """The middle of it, all of it with a border, or all of it squeezed; height and width in the model's order."""
    red, green, blue, grey = [255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]
    payload = encoded(stripes(), "PNG")

    assert colours(payload, size=12) == [green, green, green]
    assert colours(payload, size=12, resize_mode="squash") == [red, green, blue]
    assert colours(payload, size=[4, 12], resize_mode="longest", fill_color=9) == [red, green, blue]
    tall = encoded(stripes().rotate(90, expand=True), "PNG")
    assert colours(tall, size=12, resize_mode="longest", fill_color=9) == [grey, green, grey]


def test_numbers_are_what_the_settings_say() -> None:
    """Each channel minus its mean, by its spread, in the order channel, row, column."""
    wanted = Preprocess(size=(2, 4), mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))

    prepared = pictures.prepare(encoded(Image.new("RGB", (8, 8), (255, 0, 51)), "PNG"), wanted)

    assert prepared.shape == (3, 2, 4)
    assert prepared.dtype == np.float32
    assert prepared[:, 0, 0] == pytest.approx([1, -1, 0.2])


def test_pictures_of_every_kind_are_seen_upright_and_in_colour() -> None:
    """Palettes, transparency, grey, and cameras that were held on their side."""
    file = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    stripes().rotate(90, expand=True).save(file, "JPEG", exif=exif, quality=95)
    (begin, _, end) = colours(file.getvalue(), size=12, resize_mode="squash")
    assert begin[0] > 200
    assert end[2] > 200

    palette = encoded(stripes().convert("P"), "PNG")
    assert colours(palette, size=12, resize_mode="squash") == colours(
        encoded(stripes(), "PNG"), size=12, resize_mode="squash"
    )
    assert colours(encoded(Image.new("L", (9, 9), 7), "PNG")) == [[7, 7, 7]] * 3
    assert colours(encoded(Image.new("RGBA", (9, 9), (1, 2, 3, 0)))) == [[ANY, ANY, ANY]] * 3


def test_a_large_jpeg_is_close_to_what_slow_ways_make_of_it() -> None:
    """The short cut of the decoder changes no picture so that a model would see another one."""
    photo = photos.jpeg(1600, 1200, grain=1)
    slow = encoded(Image.open(BytesIO(photo)), "PNG")

    difference = np.abs(pictures.prepare(photo, Preprocess()) - pictures.prepare(slow, Preprocess()))

    assert difference.mean() < 0.02


def hostile() -> dict[str, bytes]:
    """What strangers may send."""
    photo, picture = photos.jpeg(64, 64), encoded(stripes())
    bomb = bytearray(encoded(Image.new("1", (9000, 9000)), "PNG"))
    huge = bytearray(bomb)
    huge[16:24] = (200_000).to_bytes(4, "big") * 2
    return {
        "nothing": b"",
        "noise": bytes(range(256)) * 8,
        "half a JPEG": photo[: len(photo) // 2],
        "half a WebP": picture[: len(picture) // 2],
        "many pixels": bytes(bomb),
        "more than anybody has": bytes(huge),
        "a decoder we do not need": encoded(stripes(), "TIFF"),
        "another one": encoded(stripes(), "GIF"),
    }


def test_what_is_no_picture_is_refused_in_words() -> None:
    """Damaged, enormous, or of a format that nobody sends: one error, with its reason, and no other."""
    for name, payload in hostile().items():
        with pytest.raises(Unreadable) as refused:
            pictures.prepare(payload, Preprocess())
        assert len(str(refused.value)) > 10, name


def test_settings_that_would_divide_by_nothing_are_refused() -> None:
    """So are sizes of nothing, and ways to resize that nobody knows."""
    for wrong in ({"std": [0, 1, 1]}, {"size": 0}, {"size": [8, 100_000]}, {"resize_mode": "fold"}, {"mean": [1]}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(msgspec.json.encode(wrong), type=Preprocess)
