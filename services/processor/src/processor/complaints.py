"""What ffmpeg complains of, in words for people."""

import re

WHO = re.compile(r"^(\[[^\]]*\] ?)+")
ADDRESS = re.compile(r"\b0x[0-9a-f]+\b|\bfd:\d*")
SAYS_NOTHING = ("Conversion failed", "Error opening input file", "Error opening output file", "Terminating thread")
LONGEST = 200
NO_INDEX = "moov atom not found"
MEANINGS = {
    NO_INDEX: "the file is damaged: its index is missing",
    "Invalid data found": "the file is damaged: what is in it makes no sense",
    "Error number": "the file is damaged: what is in it makes no sense",
    "End of file": "the file is damaged: it ends too early",
    "does not contain any stream": "there is nothing in it to play",
    "matches no streams": "there is nothing in it to play",
    "mpty output": "the file is damaged: nothing in it can be decoded",
    "Output file is empty": "the file is damaged: nothing in it can be decoded",
    "Invalid argument": "ffmpeg refuses it: something in it is out of bounds",
}
FULL = "No space left on device"
QUOTA = "Disk quota exceeded"
BROKEN = "Input/output error"
FORBIDDEN = "Operation not permitted"
NO_MEMORY = "Cannot allocate memory"
SCARCE = ("Resource temporarily unavailable", "Too many open files")
NO_ENCODER = ("Error while opening encoder", "Generic error in an external library")
"""What an encoder says that gets no threads; it is given nothing but what suits it."""


def is_of_machine(said: str) -> bool:
    """Whether it had too little of what all programs share, which says nothing of the file."""
    return any(words in said for words in SCARCE) or all(words in said for words in NO_ENCODER)


def explained(said: str) -> str:
    """A sentence: what is known to mean something, or else the last line that says anything."""
    for words, meaning in MEANINGS.items():
        if words in said:
            return meaning
    lines = [ADDRESS.sub("", WHO.sub("", line)).strip() for line in said.splitlines()]
    telling = [line for line in lines if line and not line.startswith(SAYS_NOTHING)]
    return f"ffmpeg could not read it: {telling[-1][:LONGEST]}" if telling else "ffmpeg could not read it"
