"""The pure parts of `lumilio upload`."""

import os
from pathlib import Path
from threading import Event

import httpx
import pytest

from lumilio.upload import patience
from lumilio.upload.ledger import SHOWN, Ledger
from lumilio.upload.line import Line
from lumilio.upload.patience import LONGEST_WISH, STRIKES, Away, Gone, Patience, Refused
from lumilio.upload.progress import Speed, duration, printable
from lumilio.upload.session import passed, words
from lumilio.upload.walk import Found, Interrupted, Skipped, Unreadable, find


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience that repeats at once."""
    monkeypatch.setattr(patience, "PAUSES", ())
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0)


def test_a_walk_finds_everything_once(tmp_path: Path) -> None:
    """Files with their sizes, at any depth, under names that need not be text; the rest with its reason."""
    root = bytes(tmp_path)
    os.makedirs(root + b"/a/b/c")
    for name in (b"/1.jpg", b"/a/b/c/caf\xe9", b"/.hidden"):
        Path(os.fsdecode(root + name)).write_bytes(b"12345")
    os.symlink(b"a", root + b"/linked")

    found = sorted(find([root]))

    assert found == sorted(
        [
            Found(root + b"/1.jpg", 5),
            Found(root + b"/a/b/c/caf\xe9", 5),
            Skipped(root + b"/.hidden", "hidden"),
            Skipped(root + b"/linked", "a link"),
        ]
    )


def test_a_walk_takes_files_and_links_that_are_named(tmp_path: Path) -> None:
    """What a person names is meant, even where it is a file or a link."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "1.jpg").write_bytes(b"1")
    (tmp_path / "linked").symlink_to("folder")
    (tmp_path / "linked.jpg").symlink_to("folder/1.jpg")

    found = list(find([bytes(tmp_path / "linked"), bytes(tmp_path / "linked.jpg")]))

    assert found == [
        Found(bytes(tmp_path / "linked" / "1.jpg"), 1),
        Found(bytes(tmp_path / "folder" / "1.jpg"), 1),
    ]


def test_a_folder_that_vanished_is_told(tmp_path: Path) -> None:
    """A walk goes on where it can."""
    gone = bytes(tmp_path / "gone")

    assert list(find([gone])) == [Unreadable(gone, "no such file or directory")]


@pytest.mark.usefixtures("hasty")
def test_an_outage_ends_with_its_reason() -> None:
    """A server that answers nobody for too long is given up; that it is waited for is told once."""
    told: list[str] = []
    impatient = Patience(Event(), seconds=0.05, tell=told.append)

    def request() -> None:
        raise Away("connection refused")

    with pytest.raises(Gone, match="connection refused"):
        impatient.ask(request)
    assert told == [impatient.trouble] == ["connection refused"]


@pytest.mark.usefixtures("hasty")
def test_a_request_that_fails_alone_is_refused_alone() -> None:
    """While others are answered, one that never is costs itself only."""
    shared, asked = Patience(Event()), 0

    def request() -> None:
        nonlocal asked
        asked += 1
        shared.ask(lambda: "another is answered")
        raise Away("it broke")

    with pytest.raises(Refused, match="it broke"):
        shared.ask(request)
    assert asked == STRIKES + 1


@pytest.mark.usefixtures("hasty")
def test_an_outage_is_no_fault_of_a_request() -> None:
    """However often it was repeated meanwhile, it is answered when the server is back."""
    outage = iter([Away("gone")] * 5 * STRIKES)
    shared = Patience(Event())

    def request() -> str:
        for trouble in outage:
            raise trouble
        return "an answer"

    assert shared.ask(request) == "an answer"
    assert shared.trouble is None


@pytest.mark.parametrize(
    ("answer", "reason", "after"),
    [
        (httpx.Response(503, json={"error": "the database does not answer"}), "the database does not answer", 0),
        (httpx.Response(502, text="<html>Bad Gateway"), "it answered 502 Bad Gateway", 0),
        (httpx.Response(404, text="404 page not found"), "it answered 404 Not Found", 0),
        (httpx.Response(429, headers={"Retry-After": "7"}), "it answered 429 Too Many Requests", 7),
        (httpx.Response(507, headers={"Retry-After": "86400"}), "it answered 507 Insufficient Storage", LONGEST_WISH),
        (httpx.Response(500, content=b'{"error": "\xff"}'), "it answered 500 Internal Server Error", 0),
    ],
)
def test_an_answer_that_passes_is_an_outage(answer: httpx.Response, reason: str, after: float) -> None:
    """What a proxy or a server says while it is in trouble is no verdict about a file."""
    with pytest.raises(Away, match=reason) as away:
        passed(lambda: answer)

    assert away.value.after == after


@pytest.mark.parametrize("status", [200, 401, 404, 413, 415, 422])
def test_a_verdict_is_taken_as_it_is(status: int) -> None:
    """The server's own words about a file are the same a minute later."""
    answer = httpx.Response(status, json={"error": "no"})

    assert passed(lambda: answer) is answer
    assert words(answer) == "no"


def test_a_server_that_has_moved_is_told() -> None:
    """A body is not sent to another address unasked."""
    assert "use --server with https://photos/" in words(httpx.Response(301, headers={"Location": "https://photos/"}))


def test_nobody_waits_for_a_server_once_it_is_over() -> None:
    """A wish for minutes does not keep Ctrl-C waiting."""
    stop = Event()

    def request() -> None:
        stop.set()
        raise Away("later", after=100)

    with pytest.raises(Interrupted):
        Patience(stop).ask(request)


def test_a_line_ends_when_all_its_makers_have_closed_it() -> None:
    """Every reader gets the end, and nothing that was put is lost."""
    line: Line[int] = Line(Event(), room=10, makers=2)
    for number in range(5):
        line.put(number)
    line.close()
    assert line.take(3) == [0, 1, 2]
    line.close()

    assert line.take(10) == [3, 4]
    assert line.take(10) == []
    assert list(line) == []


def test_a_line_lets_go_of_everybody_when_it_is_over() -> None:
    """Neither a full nor an empty line keeps a thread."""
    stop = Event()
    line: Line[int] = Line(stop, room=1)
    line.put(1)
    stop.set()

    with pytest.raises(Interrupted):
        line.put(2)
    with pytest.raises(Interrupted):
        line.take(1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain [red].jpg", "plain [red].jpg"),
        ("grüße 📷.jpg".encode(), "grüße 📷.jpg"),
        (b"\x1b]0;title\x07\r\n", r"\x1b]0;title\x07\r\n"),
        ("\u202egpj.exe".encode(), r"\u202egpj.exe"),
        (b"caf\xe9", r"caf\xe9"),
        ("\u009b31m\u2028".encode(), r"\x9b31m\u2028"),
    ],
)
def test_a_name_cannot_act_on_a_terminal(name: bytes, shown: str) -> None:
    """What moves the cursor, turns the line or hides is shown as what it is."""
    assert printable(name) == shown


def test_a_million_failures_fit_into_memory(tmp_path: Path) -> None:
    """The first ones are kept to be shown, all of them are counted, and a report has every one."""
    with (tmp_path / "report").open("w") as report:
        ledger = Ledger(report)
        for number in range(3 * SHOWN):
            ledger.note("failed", b"%d\xff" % number, 1, "no")

    assert len(ledger.shown("failed")) == SHOWN
    assert ledger.counts["failed"] == 3 * SHOWN
    lines = (tmp_path / "report").read_text().splitlines()
    assert len(lines) == 3 * SHOWN
    assert lines[0] == r'{"path": "0\udcff", "fate": "failed", "reason": "no"}'


def test_the_speed_is_that_of_the_last_while() -> None:
    """A long pause at the start does not slow it down for ever."""
    speed = Speed()

    speeds = [speed.note(total, now=now) for now, total in ((0.0, 0), (1.0, 100), (101.0, 100), (102.0, 300))]

    assert speeds == [0, 100, 0, 200]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.31, "0.3 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (90_000, "25 h 0 min")],
)
def test_times_are_told_by_their_two_largest_units(seconds: float, shown: str) -> None:
    """Nobody wants the seconds of hours."""
    assert duration(seconds) == shown
