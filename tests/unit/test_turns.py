"""Work that can wait leaves time to what people wait for."""

import pytest

from ml_dispatcher import turns


@pytest.mark.parametrize(
    ("done", "seconds", "pause"),
    [(200, 1.0, 3.0), (1, 0.01, 0.03), (200, 60.0, 15.0), (0, 0.001, 15.0), (0, 60.0, 15.0)],
)
def test_a_backlog_takes_a_quarter_of_the_time(done: int, seconds: float, pause: float) -> None:
    """It rests three times as long as it worked, and never longer than when there is nothing to do."""
    assert turns.pause(done, seconds, 15.0) == pytest.approx(pause)
