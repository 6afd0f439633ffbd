"""What ffmpeg says of its progress, as people are told it."""

import pytest

from common.queries import Progress
from processor.reports import progress


@pytest.mark.parametrize(
    ("said", "duration", "told"),
    [
        ({"out_time_us": "5000000", "speed": "2.0x"}, 20.0, Progress(percent=25.0, speed=2.0, seconds_left=8)),
        ({"out_time_us": "N/A", "speed": "N/A"}, 20.0, Progress(percent=0.0)),
        ({"out_time_us": "5000000", "speed": "0x"}, 20.0, Progress(percent=25.0)),
        ({"out_time_us": "5000000", "speed": " 2x"}, None, Progress(percent=0.0, speed=2.0)),
        ({"out_time_us": "5000000", "speed": "2x"}, 0.0, Progress(percent=0.0, speed=2.0)),
        ({"out_time_us": "21000000", "speed": "2x"}, 20.0, Progress(percent=100.0, speed=2.0, seconds_left=0)),
        ({"out_time_us": "-66667", "speed": "1x"}, 20.0, Progress(percent=0.0, speed=1.0, seconds_left=20)),
        ({"out_time_us": "nan", "speed": "inf"}, 20.0, Progress(percent=0.0)),
        ({}, 20.0, Progress(percent=0.0)),
    ],
)
def test_progress_is_between_nothing_and_everything(
    said: dict[str, str], duration: float | None, told: Progress
) -> None:
    """Whatever is said or not said, percent, speed and seconds left are numbers that make sense, or nothing."""
    assert progress(said, duration) == told
