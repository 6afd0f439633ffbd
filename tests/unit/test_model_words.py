"""Words, labels and folders of models: what is read, and what is told of it when it makes no sense."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml_server import folders, kept, labels, models, words
from ml_server.folders import Folder, Unusable
from ml_server.labels import List
from ml_server.towers import BadVector
from tests.support.towers import COLOURS, CONTEXT, DIMENSION, SIDE, write_model


def only(path: Path, *, small: bool = True) -> Folder:
    """The one model below a folder."""
    (folder,) = folders.find(path, small=small)
    return folder


def test_models_are_found_in_every_usual_place(tmp_path: Path) -> None:
    """Alone, below a task, with a revision; whatever else lies there is no model."""
    write_model(tmp_path / "alone")
    write_model(tmp_path / "clip" / "below")
    write_model(tmp_path / "clip" / "revised" / "0123abc")
    (tmp_path / "faces" / "detection").mkdir(parents=True)
    (tmp_path / "faces" / "detection" / "model.onnx").touch()
    (tmp_path / "empty" / "visual").mkdir(parents=True)

    assert [folder.name for folder in folders.find(tmp_path, small=True)] == ["alone", "below", "revised"]
    assert folders.find(tmp_path / "nowhere", small=True) == []


def test_another_content_is_another_model(tmp_path: Path) -> None:
    """What the vectors depend on changes the identity: weights, words, settings, the variant; nothing else does."""
    model = write_model(tmp_path / "one")
    seen = {folders.identity(only(tmp_path))}
    (model / "labels.txt").write_text("red")
    (model / "visual" / "other.onnx").touch()
    assert folders.identity(only(tmp_path)) in seen

    for path, change in (
        ("visual/preprocess_cfg.json", '{"size": 8}'),
        ("textual/tokenizer_config.json", '{"pad_token": {"content": "[PAD]"}}'),
        ("config.json", '{"text_cfg": {"context_length": 16}}'),
        ("visual/model.onnx.data", "weights beside"),
        ("visual/model_int8.onnx", "a small variant"),
    ):
        (model / path).write_text(change)
        seen.add(folders.identity(only(tmp_path)))

    assert len(seen) == 6
    assert all(name.startswith("one@") for name in seen)


def test_the_small_variant_is_taken_where_it_is_wanted(tmp_path: Path) -> None:
    """Processors are faster with 8 bits, graphics cards without."""
    visual = write_model(tmp_path / "one") / "visual"
    for name in ("model_quantized.onnx", "model.int8.onnx"):
        (visual / name).touch()

    assert only(tmp_path, small=True).visual == visual / "model.int8.onnx"
    assert only(tmp_path, small=False).visual == visual / "model.onnx"


def spoil(model: Path, path: str, content: str | None) -> None:
    if content is None:
        (model / path).unlink()
    else:
        (model / path).write_text(content)


WRONG = [
    ("visual/model.onnx", "half a mod", "cannot be run"),
    ("textual/tokenizer.json", None, "is missing: it belongs to textual/model.onnx"),
    ("textual/tokenizer.json", "{}", "makes no sense"),
    ("textual/tokenizer_config.json", '{"pad_token": "<none>"}', "has no token for padding"),
    ("visual/preprocess_cfg.json", '{"std": [0, 0, 0]}', "`std` divides, and must not be 0"),
    ("visual/preprocess_cfg.json", "half a set", "makes no sense"),
    ("visual/preprocess_cfg.json", '{"size": 9}', "says a size of (9, 9), and the model takes (8, 8)"),
    ("config.json", '{"text_cfg": {"context_length": 0}}', "a context_length of 0"),
    ("config.json", '{"text_cfg": {"context_length": 5}}', "does not run"),
]


def test_what_is_wrong_with_a_model_is_told_in_words(tmp_path: Path) -> None:
    """Each file that makes no sense is named, with what to look at."""
    for number, (path, content, told) in enumerate(WRONG):
        home = tmp_path / str(number)
        spoil(write_model(home / "one"), path, content)
        with pytest.raises(Unusable) as refused:
            models.load(only(home), threads=1)
        assert told in str(refused.value)

    mixed = write_model(tmp_path / "mixed" / "one")
    other = write_model(tmp_path / "other" / "one", dimension=DIMENSION + 1)
    (mixed / "visual" / "model.onnx").write_bytes((other / "visual" / "model.onnx").read_bytes())
    with pytest.raises(Unusable, match="visual gives vectors of 17 numbers, textual of 16"):
        models.load(only(tmp_path / "mixed"), threads=1)


def test_a_model_that_takes_one_at_a_time_gets_one_at_a_time(tmp_path: Path) -> None:
    """Many are written so; what they are asked together they are given one by one, with the same answers."""
    one, many = (
        models.load(only(write_model(tmp_path / name / name, batch=batch).parent), threads=1)
        for name, batch in (("one", 1), ("many", None))
    )
    assert one.eyes is not None
    assert many.eyes is not None
    shown = [np.full((3, SIDE, SIDE), value, dtype=np.float32) for value in (0.1, 0.5, 0.9)]

    for alone, together in zip(one.eyes.tower.embed(shown), many.eyes.tower.embed(shown), strict=True):
        assert np.allclose(np.asarray(alone), np.asarray(together))


def test_a_model_is_told_which_tokens_count_if_it_asks(tmp_path: Path) -> None:
    """And of its outputs the one is taken that has a vector for each text."""
    plain, masked = (
        models.load(only(write_model(tmp_path / name / name, masked=name == "masked").parent), threads=1)
        for name in ("plain", "masked")
    )
    assert plain.reader is not None
    assert masked.reader is not None
    for text in ("blue", "a red car", "green"):
        (wanted,), (told,) = (reader.tower.embed([reader.prepare(text)]) for reader in (plain.reader, masked.reader))
        assert np.allclose(np.asarray(wanted), np.asarray(told), atol=1e-6)


def test_a_vector_without_direction_is_no_vector(tmp_path: Path) -> None:
    """What is not a number or nothing at all is told as such, one by one."""
    for number in (float("nan"), float("inf"), 0.0):
        home = tmp_path / str(number)
        model = models.load(only(write_model(home / "one", spoiled=number).parent), threads=1)
        assert model.eyes is not None
        (vector,) = model.eyes.tower.embed([np.ones((3, SIDE, SIDE), dtype=np.float32)])
        assert isinstance(vector, BadVector)


def test_texts_are_cut_filled_and_cleaned_as_their_model_wants(tmp_path: Path) -> None:
    """All have the model's length; some models know no capitals and no punctuation."""
    model = write_model(tmp_path / "one")
    plain = words.load(only(tmp_path))
    (model / "config.json").write_text(
        '{"text_cfg": {"context_length": 16, "tokenizer_kwargs": {"clean": "canonicalize"}}}'
    )
    canonical = words.load(only(tmp_path))

    assert plain.prepare("red " * 50).shape == (2, CONTEXT)
    assert plain.prepare("red  \n green")[1].sum() == 2
    assert plain.prepare("red, green!")[1].sum() == 4
    assert canonical.prepare("Red, GREEN!_blue")[1].sum() == 3


def test_the_nearest_lists_count(tmp_path: Path) -> None:
    """A model's own lists win over those of all models, and those over ours; a list without sense is told."""
    write_model(tmp_path / "one")
    folder = only(tmp_path)
    ours = labels.read(folder, tmp_path)
    assert len(ours.labels) > 100
    assert "dog" in ours.labels

    (tmp_path / "labels.txt").write_text("# mine\n\nred\n  green \nred\n")
    assert labels.read(folder, tmp_path) == List(labels=("red", "green"), prompts=ours.prompts)
    (folder.path / "labels.txt").write_text("blue")
    (folder.path / "prompts.txt").write_text("a {} thing\n{}\n")
    assert labels.read(folder, tmp_path).sentences() == ["a blue thing", "blue"]

    for name, wrong in (("prompts.txt", "no place"), ("labels.txt", "# nothing"), ("labels.txt", "x" * 201)):
        (folder.path / name).write_text(wrong)
        with pytest.raises(Unusable):
            labels.read(folder, tmp_path)
        (folder.path / name).unlink()


def test_the_label_that_fits_best_comes_first() -> None:
    """Scores are shares, and what hardly fits is not told at all."""
    listed = List(labels=tuple(COLOURS), prompts=("{}",))
    vectors = np.eye(len(COLOURS), dtype=np.float32)

    (best,) = labels.best(listed, vectors, vectors[2], top=5)
    two = labels.best(listed, vectors, (vectors[1] + vectors[0]) / np.float32(2**0.5), top=1)

    assert best.label == "blue"
    assert best.score == pytest.approx(1)
    assert [(label.label, round(label.score, 3)) for label in two] == [("red", 0.5)]


def test_vectors_of_labels_are_kept_for_exactly_their_model_and_list(tmp_path: Path) -> None:
    """Another list, another model, damage or no place to keep them: they are made again."""
    model = models.load(only(write_model(tmp_path / "models" / "one").parent), threads=1)
    listed, place = List(labels=("red", "blue"), prompts=("{}",)), str(tmp_path / "kept")
    vectors = np.eye(2, DIMENSION, dtype=np.float32)
    kept.keep(place, model, listed, vectors)

    found = kept.find(place, model, listed)
    assert found is not None
    assert (found == vectors).all()
    assert kept.find(place, model, List(labels=("red", "green"), prompts=("{}",))) is None
    assert kept.find(place, replace(model, model_id="one@other"), listed) is None
    file = tmp_path / "kept" / "one.npz"
    for damaged in (file.read_bytes()[:-30], file.read_bytes().replace(b"\x80\x3f", b"\x80\x40", 1), b"", b"nonsense"):
        file.write_bytes(damaged)
        assert kept.find(place, model, listed) is None
    kept.keep("", model, listed, vectors)
    assert kept.find("", model, listed) is None
