"""Work that can wait leaves time to what people wait for."""

import pytest

from ml_dispatcher import turns


@pytest.mark.parametrize(
    ("done", "is_full", "seconds", "pause"),
    [
        (200, True, 1.0, 3.0),
        (200, True, 60.0, 15.0),
        (1, True, 0.01, 0.03),
        (1, False, 0.01, 1.0),
        (1, False, 1.0, 3.0),
        (0, False, 0.001, 15.0),
        (0, False, 60.0, 15.0),
    ],
)
def test_a_backlog_takes_a_quarter_of_the_time(done: int, is_full: bool, seconds: float, pause: float) -> None:
    """It rests three times as long as it worked, after few until there are more, and never longer than when idle."""
    assert turns.pause(done, is_full=is_full, seconds=seconds, idle_seconds=15.0) == pytest.approx(pause)
