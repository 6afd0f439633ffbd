"""A query is taken apart into when, where, which names and the rest; what several ways find is put together."""

from datetime import date, datetime
from typing import Any

from msgspec import structs

from gateway import meaning
from gateway.filter_schemas import AssetFilter, WallTimes, Whereabouts
from gateway.fusing import fuse
from gateway.list_schemas import Understood
from gateway.name_phrases import Name, begins_in, vocabulary
from gateway.vocabulary import Known

PLACES = [
    *(Name("city", "Paris"), Name("country", "France"), Name("city", "New York"), Name("region", "New York")),
    *(Name("city", "Zürich"), Name("city", "Zurich"), Name("city", "Bo"), Name("city", "St. Gallen")),
    *(Name("country", "Georgia"), Name("region", "Georgia"), Name("city", "Frankfurt am Main"), Name("city", "東京")),
]
THINGS = [
    *(
        Name("tag", "Trips/Sailing boats"),
        Name("tag", "Paris"),
        Name("label", "dog"),
        Name("label", "golden_retriever"),
    ),
    *(Name("camera", "iPhone 12 Pro"), Name("camera_make", "Canon"), Name("tag", "😀"), Name("tag", "/")),
]
KNOWN = Known(vocabulary(PLACES), vocabulary(THINGS), 2024)
READ: dict[str, dict[str, Any]] = {
    "dog in Paris": {"words": "dog", "places": ["in Paris"], "located_in": [{"cities": ["Paris"]}], "labels": ["dog"]},
    "Paris, France": {
        "words": "",
        "places": ["Paris", "France"],
        "located_in": [{"cities": ["Paris"]}, {"countries": ["France"]}],
    },
    "paris or zurich": {"words": "", "located_in": [{"cities": ["Paris", "Zürich", "Zurich"]}]},
    "NEW YORK": {"words": "", "located_in": [{"regions": ["New York"], "cities": ["New York"]}]},
    "new": {"words": "new", "located_in": []},
    "st gallen": {"words": "", "located_in": [{"cities": ["St. Gallen"]}]},
    "bei Frankfurt am Main im Winter": {"words": "", "places": ["bei Frankfurt am Main"]},
    "in georgia 2024": {
        "words": "",
        "located_in": [{"countries": ["Georgia"], "regions": ["Georgia"]}],
        "dates": ["2024"],
    },
    "show me all photos from Paris!": {"words": "", "located_in": [{"cities": ["Paris"]}]},
    "photos": {"words": "photos"},
    "Bilder aus Zürich, Hund": {"words": "Bilder Hund"},
    "bo": {"located_in": [{"cities": ["Bo"]}]},
    "my bo": {"words": "my bo", "located_in": []},
    "東京": {"located_in": [{"cities": ["東京"]}]},
    "two golden retrievers and dogs": {
        "labels": ["golden_retriever", "dog"],
        "words": "two golden retrievers and dogs",
    },
    "sailing boat": {"tags": []},
    "trips sailing boats": {"tags": ["Trips/Sailing boats"]},
    "sailing boats iphone canon": {"tags": ["Trips/Sailing boats"], "cameras": ["iPhone 12 Pro", "Canon"]},
    "😀 / ...": {"words": "😀 / ...", "tags": []},
}


def test_names_are_understood_as_libraries_have_them() -> None:
    """The longest first, of any case, with or without accents; several of a kind are any of them, others all."""
    for query, expected in READ.items():
        told = structs.asdict(meaning.read(query, date(2026, 6, 15), KNOWN))
        told["located_in"] = [
            {column: values for column, values in structs.asdict(place).items() if values}
            for place in told["located_in"]
        ]

        assert {name: told[name] for name in expected} == expected, query


def day(month: int, number: int = 1) -> datetime:
    return datetime.fromisoformat(f"2026-{month:02}-{number:02}")


def test_a_filter_is_narrowed_and_never_widened() -> None:
    """What was understood is said in the plainest words, beside whatever the filter wants itself."""
    may, june = (WallTimes(start=day(month), end=day(month + 1)) for month in (5, 6))
    paris, both = Whereabouts(cities=["Paris"]), Whereabouts(cities=["Paris"], countries=["France"])
    told = Understood(taken_in=[may], located_in=[paris])

    assert meaning.narrowed(AssetFilter(), Understood(words="dog")) == AssetFilter()
    assert meaning.narrowed(AssetFilter(liked=True), told) == AssetFilter(liked=True, taken=may, city="Paris")
    assert meaning.narrowed(AssetFilter(taken=june, city="Rome"), told) == AssetFilter(
        taken=june, taken_in=[may], city="Rome", located_in=[paris]
    )
    assert meaning.narrowed(AssetFilter(located_in=[paris]), Understood(located_in=[both])) == AssetFilter(
        located_in=[paris, both]
    )
    half = WallTimes(start=day(5, 15))
    assert meaning.narrowed(AssetFilter(taken=may, taken_in=[half]), told).taken_in == [
        WallTimes(start=day(5, 15), end=day(6))
    ]


def test_what_several_lists_have_comes_first() -> None:
    """Then what stands high in one of them; nothing twice, and equals in the order of the lists."""
    assert fuse([]) == []
    assert fuse([["a", "b", "c"]]) == ["a", "b", "c"]
    assert fuse([["a", "b"], ["c", "d"]]) == ["a", "c", "b", "d"]
    assert fuse([["a", "b", "z"], ["c", "z"], ["z"]]) == ["z", "a", "c", "b"]
    assert fuse([["a", "a", "b"], ["b"]]) == ["b", "a"]
    assert fuse([[1, 2, 3]], behind=[["z"]]) == [1, 2, 3, "z"]
    assert fuse([list(range(100))], behind=[["z", 5]])[0] == 5
    assert fuse([[]], behind=[["z"]]) == ["z"]


def test_a_word_begins_where_no_letter_is_before_it() -> None:
    """A sign that is no letter may be; scripts without blanks have no such place, so any is one."""
    for text in ("cat", "a cat", "my_cats.jpg", "img-cat", "(cat", "vacation cat"):
        assert begins_in(text, "cat"), text
    for text in ("vacation", "location_vacation", "2cat", ""):
        assert not begins_in(text, "cat"), text
    assert begins_in("東京旅行", "旅")
