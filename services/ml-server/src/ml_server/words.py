"""From words to the numbers that a model takes, as its tokenizer has it."""

import string
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ml_server import folders
from ml_server.folders import Folder, Unusable

LARGEST_TOKENIZER = 64 << 20
LONGEST_CONTEXT = 8192
PUNCTUATION = str.maketrans({"_": " "} | dict.fromkeys(string.punctuation.replace("_", "")))
PADDINGS = ("<pad>", "[PAD]", "<|endoftext|>", "</s>")

Tokens = NDArray[np.int64]


class _Cleaning(Struct, frozen=True):
    clean: str = ""


class _TextConfig(Struct, frozen=True):
    context_length: int = 77
    tokenizer_kwargs: _Cleaning = _Cleaning()


class _Config(Struct, frozen=True):
    text_cfg: _TextConfig = _TextConfig()


class _Padding(Struct, frozen=True):
    content: str


class _TokenizerConfig(Struct, frozen=True):
    pad_token: str | _Padding | None = None


@dataclass(frozen=True)
class Words:
    """The tokenizer of a model; `canonical` wants small letters and no punctuation."""

    tokenizer: Tokenizer
    canonical: bool

    def prepare(self, text: str) -> Tokens:
        """The text's tokens and, below them, which of them count: (2, context length)."""
        text = text.translate(PUNCTUATION).lower() if self.canonical else text
        encoding = self.tokenizer.encode(" ".join(text.split()))
        return np.array([encoding.ids, encoding.attention_mask], dtype=np.int64)


def load(folder: Folder) -> Words:
    """The tokenizer of a model folder; Unusable if it has none that makes sense."""
    config = folders.read(folder.path / "config.json", _Config) or _Config()
    tokenizer = _tokenizer(folder)
    length = config.text_cfg.context_length
    if not 1 <= length <= LONGEST_CONTEXT:
        raise Unusable(f"{folder.path / 'config.json'} makes no sense: a context_length of {length}")
    padding = _padding(folder, tokenizer)
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_token=padding, pad_id=tokenizer.token_to_id(padding))
    return Words(tokenizer, config.text_cfg.tokenizer_kwargs.clean == "canonicalize")


def _tokenizer(folder: Folder) -> Tokenizer:
    if not folder.tokenizer.is_file():
        raise Unusable(f"{folder.tokenizer} is missing: it belongs to textual/model.onnx")
    if folder.tokenizer.stat().st_size > LARGEST_TOKENIZER:
        raise Unusable(f"{folder.tokenizer} is too large for a tokenizer")
    try:
        return Tokenizer.from_file(str(folder.tokenizer))
    except Exception as error:  # noqa: BLE001  # the library raises plain Exception
        raise Unusable(f"{folder.tokenizer} makes no sense: {error}") from None


def _padding(folder: Folder, tokenizer: Tokenizer) -> str:
    """What fills up short texts: as the model says, or one of the usual."""
    config = folders.read(folder.path / "textual" / "tokenizer_config.json", _TokenizerConfig) or _TokenizerConfig()
    named = config.pad_token.content if isinstance(config.pad_token, _Padding) else config.pad_token
    known = [token for token in ([named] if named else PADDINGS) if tokenizer.token_to_id(token) is not None]
    if not known:
        raise Unusable(f"{folder.tokenizer} has no token for padding: name it as pad_token in tokenizer_config.json")
    return known[0]
