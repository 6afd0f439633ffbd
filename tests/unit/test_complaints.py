"""What ffmpeg complains of is told in words, without addresses and descriptors."""

import pytest

from processor import complaints


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "[mov,mp4,m4a @ 0x55d1] moov atom not found\n[in#0 @ 0x55d2] Error opening input: Invalid data found\n",
            "the file is damaged: its index is missing",
        ),
        ("[in#0 @ 0x1] Error opening input: Invalid data found", "the file is damaged: what is in it makes no sense"),
        ("[out#0/mp4 @ 0x1] Output file is empty, nothing", "the file is damaged: nothing in it can be decoded"),
        (
            "[a @ 0x1] [b @ 0x2] No such thing at 0xdead in fd:7\nConversion failed!",
            "ffmpeg could not read it: No such thing at  in",
        ),
        ("Conversion failed!", "ffmpeg could not read it"),
        ("", "ffmpeg could not read it"),
    ],
)
def test_a_complaint_becomes_a_sentence(said: str, told: str) -> None:
    """The first known meaning counts, else the last line that says anything."""
    assert complaints.explained(said) == told


@pytest.mark.parametrize(
    ("said", "is_of_machine"),
    [
        ("[vost#0:0 @ 0x1] pthread_create() failed: Resource temporarily unavailable", True),
        ("Error opening input: Too many open files in system", True),
        ("Error while opening encoder\nTask finished: Generic error in an external library", True),
        ("Error submitting packet to decoder: Generic error in an external library", False),
        ("Error while opening encoder: Invalid argument", False),
        ("", False),
    ],
)
def test_a_lack_of_the_machine_is_none_of_the_film(said: str, *, is_of_machine: bool) -> None:
    """Only what all programs share counts, and an encoder that gets no threads though it is given what suits it."""
    assert complaints.is_of_machine(said) == is_of_machine
