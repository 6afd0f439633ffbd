"""The book of watches knows which folder a watch is of, whatever moves."""

from syncer.watches import Held, Watches


def book(*folders: bytes) -> Watches:
    watches = Watches()
    for number, folder in enumerate(folders):
        assert watches.put(folder, Held(number, number), seen_in=1) == []
    return watches


def test_a_watch_is_of_a_folder() -> None:
    """Until it is forgotten."""
    watches = book(b"", b"a", b"a/b")

    assert watches.folder(2) == b"a/b"
    assert watches.forget(2) == [Held(2, 2)]
    assert watches.folder(2) is None
    assert watches.forget(2) == []
    assert len(watches) == 2


def test_a_folder_is_dropped_with_all_below_it() -> None:
    """And with nothing whose name only begins alike."""
    watches = book(b"", b"a", b"a/b", b"a/b/c", b"ab", b"a!")

    assert {held.watch for held in watches.drop(b"a")} == {1, 2, 3}
    assert b"a/b" not in watches
    assert [watches.folder(number) for number in (0, 4, 5)] == [b"", b"ab", b"a!"]
    assert watches.drop(b"a") == []


def test_what_lies_below_an_unwatched_folder_is_dropped_too() -> None:
    """Where watches ran out, there are gaps on the way."""
    watches = book(b"a/b/c/d", b"a/b/e")
    watches.forget(1)

    assert watches.drop(b"a") == [Held(0, 0)]
    assert len(watches) == 0


def test_the_kernel_gives_a_moved_folder_its_old_watch() -> None:
    """It is of the new name from then on, and held once."""
    watches = book(b"", b"old")

    assert watches.put(b"new", Held(1, 7), seen_in=2) == [Held(1, 1)]
    assert watches.folder(1) == b"new"
    assert b"old" not in watches
    assert watches.drop(b"old") == []


def test_another_folder_of_the_same_name_takes_its_place() -> None:
    """The watch of the former one is given back."""
    watches = book(b"", b"a", b"a/b")

    assert watches.put(b"a", Held(9, 9), seen_in=2) == [Held(1, 1)]
    assert watches.folder(9) == b"a"
    assert {held.watch for held in watches.drop(b"a")} == {2, 9}


def test_what_a_round_has_not_seen_is_swept() -> None:
    """What vanished unheard is given back to the kernel."""
    watches = book(b"", b"a", b"b")
    watches.put(b"", Held(0, 10), seen_in=2)
    watches.put(b"b", Held(2, 12), seen_in=2)

    assert watches.sweep(2) == [Held(1, 1)]
    assert len(watches) == 2
