"""How much a server is asked at once, and how long it is waited for, as it turns out."""

import pytest

from ml_dispatcher.rooms import Pace, Room
from ml_dispatcher.tasks import Task


def room(most: int = 16) -> Room:
    return Room(most, lambda _: None)


def taken(one: Room) -> int:
    """How many questions find room."""
    one.busy = 0
    while one.is_free():
        one.busy += 1
    return one.busy


def test_a_refusal_halves_the_room_once_and_answers_let_it_grow_again() -> None:
    """All questions of one moment are refused for one reason; growing back takes some hundred answers."""
    one = room()
    for _ in range(8):
        one.refuse(since=0.0)
        assert taken(one) == 8

    grown: list[int] = []
    while not grown or grown[-1] < 16:
        one.answer()
        grown.append(taken(one))
        assert len(grown) < 1000
    assert grown == sorted(grown)
    assert len(grown) > 100


def test_whoever_is_away_is_left_alone_and_then_asked_one_thing() -> None:
    """It has no slots until then; after an answer it is soon asked all that went well before."""
    rests: list[float] = []
    one = Room(16, rests.append, first_leave=0.0)
    one.leave(since=0.0)
    assert (taken(one), one.slots, rests) == (1, 16, [0.0])
    for _ in range(15):
        one.answer()
    assert taken(one) == 16

    away = Room(16, rests.append, first_leave=2.0)
    for count in range(9):
        away.leave(since=float("inf"))
        assert 0.7 * min(2 ** (count + 1), 120) <= rests[-1] <= min(2 ** (count + 1), 120)
    assert (taken(away), away.slots) == (0, 0)


def test_another_size_keeps_the_share_that_is_in_use() -> None:
    """A server that says it can do twice as much is asked twice as much."""
    one = room(8)
    one.refuse(since=0.0)
    one.resize(32)
    assert (one.slots, taken(one)) == (32, 16)


@pytest.mark.parametrize(("usual", "least", "most"), [(0.05, 10, 10), (5.0, 20, 60), (90.0, 120, 120)])
def test_an_answer_is_waited_for_several_times_as_long_as_usual(usual: float, least: float, most: float) -> None:
    """Within bounds; as long as nothing is known, and after a miss, longer."""
    pace = Pace(Task.EMBED_IMAGE)
    assert pace.patience(1) == pace.patience(64) == 60
    for _ in range(50):
        pace.note(usual)
    assert least <= pace.patience(1) <= most
    before = pace.patience(1)
    pace.miss()
    assert before <= pace.patience(1) <= pace.patience(64) <= 120
