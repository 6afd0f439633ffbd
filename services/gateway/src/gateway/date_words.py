"""The words by which people name times, as they read without case and accents.

English and German in all that is understood, French, Spanish and Italian in what is on every calendar.
"""

from typing import TypeVar

Meaning = TypeVar("Meaning")


def _by_word(told: dict[Meaning, str]) -> dict[str, Meaning]:
    """What each word means, of the words for each meaning."""
    return {word.strip(): meaning for meaning, words in told.items() for word in words.split(",")}


MONTHS = _by_word(
    {
        1: "january, januar, janner, jaenner, janvier, enero, gennaio",
        2: "february, februar, fevrier, febrero, febbraio",
        3: "march, marz, maerz, mars, marzo",
        4: "april, avril, abril, aprile",
        5: "may, mai, mayo, maggio",
        6: "june, juni, juin, junio, giugno",
        7: "july, juli, juillet, julio, luglio",
        8: "august, aout, agosto",
        9: "september, septembre, septiembre, settembre",
        10: "october, oktober, octobre, octubre, ottobre",
        11: "november, novembre, noviembre",
        12: "december, dezember, decembre, diciembre, dicembre",
    }
)
SHORT_MONTHS = _by_word(
    {
        1: "jan",
        2: "feb",
        3: "mar, mrz",
        4: "apr",
        6: "jun",
        7: "jul",
        8: "aug",
        9: "sep, sept",
        10: "oct, okt",
        11: "nov",
        12: "dec, dez",
    }
)
SEASONS = _by_word(
    {
        3: "spring, fruhling, fruehling, fruhjahr, fruehjahr, printemps, primavera",
        6: "summer, sommer, ete, verano, estate",
        9: "autumn, fall, herbst, automne, otono, autunno",
        12: "winter, hiver, invierno, inverno",
    }
)
"""The month in which each begins."""
FEASTS = _by_word(
    {
        "christmas": "christmas, xmas, weihnachten, weihnacht, noel, navidad, natale",
        "christmas eve": "christmas eve, heiligabend, heiliger abend",
        "new year": "new year, new years, new year's, new year's day, neujahr",
        "new year's eve": "new year's eve, new years eve, silvester",
        "halloween": "halloween",
        "valentine": "valentine's day, valentines day, valentinstag",
        "easter": "easter, ostern, paques, pascua, pasqua",
        "pentecost": "pentecost, whitsun, pfingsten",
        "thanksgiving": "thanksgiving",
    }
)
WEEKDAYS = _by_word(
    {
        0: "monday, montag",
        1: "tuesday, dienstag",
        2: "wednesday, mittwoch",
        3: "thursday, donnerstag",
        4: "friday, freitag",
        5: "saturday, samstag, sonnabend",
        6: "sunday, sonntag",
    }
)
UNITS = _by_word(
    {
        "day": "day, days, tag, tage, tagen",
        "week": "week, weeks, woche, wochen",
        "month": "month, months, monat, monate, monaten",
        "year": "year, years, jahr, jahre, jahren",
        "weekend": "weekend, weekends, wochenende, wochenenden",
    }
)
NUMBERS = _by_word(
    {
        1: "a, an, one, ein, einem, einer, eine",
        2: "two, zwei",
        3: "three, drei",
        4: "four, vier",
        5: "five, funf, fuenf",
        6: "six, sechs",
        7: "seven, sieben",
        8: "eight, acht",
        9: "nine, neun",
        10: "ten, zehn",
        12: "twelve, zwolf, zwoelf",
    }
)
DAYS_AGO = _by_word({0: "today, heute", 1: "yesterday, gestern", 2: "day before yesterday, vorgestern"})
DECADES = _by_word(
    {
        1920: "twenties, zwanziger",
        1930: "thirties, dreissiger",
        1940: "forties, vierziger",
        1950: "fifties, funfziger, fuenfziger",
        1960: "sixties, sechziger",
        1970: "seventies, siebziger",
        1980: "eighties, achtziger",
        1990: "nineties, neunziger",
    }
)
LAST = ("last", "past", "previous", "letzte", "letzter", "letzten", "letztes", "letztem")
LAST_TOO = ("vergangene", "vergangener", "vergangenen", "vergangenes", "vorige", "voriger", "vorigen", "voriges")
THIS = ("this", "diese", "dieser", "diesen", "dieses", "diesem")

LEADING = (
    *("in", "on", "at", "of", "from", "during", "over", "between", "the", "year", "around"),
    *("im", "am", "an", "um", "vom", "von", "aus", "zwischen", "der", "dem", "den", "des", "die", "das"),
    *("en", "de", "du", "le", "la", "el", "il", "nel", "di", "del"),
    *("jahr", "jahre", "zu", "uber", "ueber", "wahrend", "waehrend"),
)
"""What stands before a time and means nothing without it."""
ARTICLES = {"the", "of", "der", "die", "das", "dem", "den", "des", "de", "du", "le", "la", "el", "il", "di", "del"}
SINCE = ("since", "seit", "ab")
BEFORE = ("before", "vor")
UNTIL = ("until", "till", "bis")
AFTER = ("after", "nach")

NAMES_TOO = {
    "may",
    "march",
    "mars",
    "april",
    "avril",
    "june",
    "julio",
    "august",
    "spring",
    "fall",
    "ete",
    "estate",
    "noel",
}
"""These mean a time only where something else says so."""
