"""Times are read out of what people type, in English and German; the other words stay."""

from datetime import date

import pytest

from gateway.date_phrases import read

TODAY = date(2026, 6, 15)  # a Monday
READ = {
    # the time that is named
    "2021-05-03": ("2021-05-03..2021-05-04", ""),
    "2021/5": ("", "2021/5"),
    "2021-05": ("2021-05-01..2021-06-01", ""),
    "05/2021": ("2021-05-01..2021-06-01", ""),
    "on 3 May 2021": ("2021-05-03..2021-05-04", ""),
    "the 3rd of may 2021": ("2021-05-03..2021-05-04", ""),
    "May 3, 2021": ("2021-05-03..2021-05-04", ""),
    "am 24. Dezember 2020": ("2020-12-24..2020-12-25", ""),
    "24.12.2020": ("2020-12-24..2020-12-25", ""),
    "3/5/2021": ("2021-03-05..2021-03-06 2021-05-03..2021-05-04", ""),
    "13/5/2021": ("2021-05-13..2021-05-14", ""),
    "okt. 2019": ("2019-10-01..2019-11-01", ""),
    "2019 Oktober": ("2019-10-01..2019-11-01", ""),
    "sunset June 2021 Zürich": ("2021-06-01..2021-07-01", "sunset Zürich"),
    "dog at the beach in summer 2023": ("2023-06-01..2023-09-01", "dog at the beach"),
    "im Sommer 2023 in Italien": ("2023-06-01..2023-09-01", "in Italien"),
    "summer '23": ("2023-06-01..2023-09-01", ""),
    "winter 2022": ("2021-12-01..2022-03-01 2022-12-01..2023-03-01", ""),
    "winter 2022/23": ("2022-12-01..2023-03-01", ""),
    "Frühling 2020": ("2020-03-01..2020-06-01", ""),
    "christmas 2022": ("2022-12-24..2022-12-27", ""),
    "christmas with grandma 2022": ("2022-12-24..2022-12-27", "with grandma"),
    "Weihnachten 2022 bei Oma": ("2022-12-24..2022-12-27", "bei Oma"),
    "new year's eve 2020": ("2020-12-31..2021-01-02", ""),
    "Silvester 2020": ("2020-12-31..2021-01-02", ""),
    "easter 2024": ("2024-03-29..2024-04-02", ""),
    "Ostern 1999": ("1999-04-02..1999-04-06", ""),
    "thanksgiving 2023": ("2023-11-23..2023-11-24", ""),
    "year 2018 cats": ("2018-01-01..2019-01-01", "cats"),
    "im Jahr 2018": ("2018-01-01..2019-01-01", ""),
    "the 90s": ("1990-01-01..2000-01-01", ""),
    "1960s": ("1960-01-01..1970-01-01", ""),
    "in den neunziger Jahren": ("1990-01-01..2000-01-01", ""),
    "80er Jahre": ("1980-01-01..1990-01-01", ""),
    "plage en été 2019": ("2019-06-01..2019-09-01", "plage"),
    "3 de mayo de 2021": ("2021-05-03..2021-05-04", ""),
    "Natale 2022": ("2022-12-24..2022-12-27", ""),
    # the time that is meant from today on
    "today": ("2026-06-15..2026-06-16", ""),
    "cats yesterday": ("2026-06-14..2026-06-15", "cats"),
    "vorgestern": ("2026-06-13..2026-06-14", ""),
    "last week": ("2026-06-08..2026-06-15", ""),
    "letzte Woche": ("2026-06-08..2026-06-15", ""),
    "last weekend": ("2026-06-13..2026-06-15", ""),
    "last monday": ("2026-06-08..2026-06-09", ""),
    "last month": ("2026-05-01..2026-06-01", ""),
    "this year": ("2026-01-01..2027-01-01", ""),
    "last summer": ("2025-06-01..2025-09-01", ""),
    "letzten Winter": ("2025-12-01..2026-03-01", ""),
    "christmas last year": ("2025-12-24..2025-12-27", ""),
    "last 3 days": ("2026-06-13..2026-06-16", ""),
    "3 years ago": ("2023-01-01..2024-01-01", ""),
    "18 months ago": ("2024-12-01..2025-01-01", ""),
    "vor zwei Wochen": ("2026-06-01..2026-06-08", ""),
    # from one time to another, and without an end
    "from 2019 to 2021": ("2019-01-01..2022-01-01", ""),
    "2019-2021": ("2019-01-01..2022-01-01", ""),
    "zwischen 2019 und 2021": ("2019-01-01..2022-01-01", ""),
    "between june and august 2021": ("2021-06-01..2021-09-01", ""),
    "von Januar bis März 2022": ("2022-01-01..2022-04-01", ""),
    "since 2020": ("2020-01-01..", ""),
    "vor 2015": ("..2015-01-01", ""),
    "until may 2015": ("..2015-06-01", ""),
    "nach 2020": ("2021-01-01..", ""),
    "2018 and 2020": ("2018-01-01..2019-01-01 2020-01-01..2021-01-01", "and"),
    # every year
    "christmas": ("2024-12-24..2024-12-27 2025-12-24..2025-12-27", ""),
    "5. Mai": ("2024-05-05..2024-05-06 2025-05-05..2025-05-06 2026-05-05..2026-05-06", ""),
    "in march": ("2024-03-01..2024-04-01 2025-03-01..2025-04-01 2026-03-01..2026-04-01", ""),
    "march": ("2024-03-01..2024-04-01 2025-03-01..2025-04-01 2026-03-01..2026-04-01", ""),
    "june to august": ("2024-06-01..2024-09-01 2025-06-01..2025-09-01", ""),
    # no time at all
    "may flower": ("", "may flower"),
    "the march": ("", "the march"),
    "real estate": ("", "real estate"),
    "a mars bar": ("", "a mars bar"),
    "IMG_20210503.jpg": ("", "IMG_20210503.jpg"),
    "photo-2019.jpg": ("", "photo-2019.jpg"),
    "30.02.2021": ("", "30.02.2021"),
    "9999 1080p f/2.8 50mm": ("", "9999 1080p f/2.8 50mm"),
    "İİİ 😀 2020 \u202eabc": ("2020-01-01..2021-01-01", "İİİ 😀 \u202eabc"),
    "": ("", ""),
}


def test_times_are_understood() -> None:
    """What they mean on a day, and what is left to be looked for."""
    found = {}
    for text in READ:
        reading = read(text, TODAY, since=2024)
        spans = [f"{start or ''}..{end or ''}" for start, end in reading.spans]
        found[text] = (" ".join(spans), reading.rest)

    assert found == READ


@pytest.mark.parametrize(
    "piece", ["1999 ", "may 3 ", "\x00\ud7ff", "since before until ", "3.", "1/2/", "'", "the in of "]
)
def test_whatever_is_typed_is_read(piece: str) -> None:
    """Two hundred letters of anything have a meaning or none, on the first day of all and on any other."""
    for today in (date(1, 1, 1), date(2026, 2, 28), date(9998, 12, 31)):
        reading = read((piece * 200)[:200], today)

        assert len(reading.spans) <= 200
