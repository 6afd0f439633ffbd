"""Asks a server everything that its contract allows, and some of what it does not, and compares the answers with it."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
# Nobody guesses at those who guess: they would be kept out.
OTHERS = {"user_id", "session_id"}
PLACES = {"after", "offset"}
NOBODY = "nobody"
UNAUTHORIZED, BROKEN = 401, 500
HEADERS = {"authorization", "host", "connection", "content-length", "transfer-encoding"}
Headers = dict[str, str]


def token(url: str, name: str, password: str) -> Headers:
    """What a signed-in person sends along; nothing, where guesses at passwords keep them out for the moment."""
    answer = requests.post(f"{url}/api/v1/auth/login", json={"username": name, "password": password}, timeout=20)
    return {"Authorization": f"Bearer {answer.json()['data']['token']}"} if answer.ok else {}


@dataclass
class Guesser:
    """Several people who ask at random; `known` are words that mean something to the server, by parameter."""

    url: str
    sign_in: Callable[[str], Headers]
    people: list[str]
    known: dict[str, list[str]]
    examples: int
    start: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)
    signed: dict[str, Headers] = field(default_factory=dict)

    def guess(self) -> None:
        """Ask for every operation so many times; what does not hold is noted once for each of its kinds."""
        schema = schemathesis.openapi.from_dict(
            requests.get(f"{self.url}/api/openapi.json", timeout=20).json(), config=SchemathesisConfig(seed=self.start)
        )
        schema.config.update(base_url=self.url)
        found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
        for number, operation in enumerate(found):
            is_plain = not operation.body and not list(operation.iter_parameters())
            for mode in MODES[:1] if is_plain else MODES:
                self._operation(operation, mode, number)

    def _operation(self, operation: Any, mode: GenerationMode, number: int) -> None:
        dice = random.Random(self.start * 1000 + number)

        @seed(self.start)
        @settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case[Any]) -> None:
            who = dice.choice([*self.people, *self.people, NOBODY])
            self._case(case, who, dice)

        try:
            ask()
        except Unsatisfiable:
            return  # there is no wrong way to ask

    def _case(self, case: Case[Any], who: str, dice: random.Random) -> None:
        for name in case.path_parameters or {}:
            if name in self.known and (name in OTHERS or dice.random() < 0.7):
                case.path_parameters[name] = dice.choice(self.known[name])
        for name in [one for one in case.query or {} if one in PLACES and dice.random() < 0.8]:
            del case.query[name]  # a page that was never given is refused, and what lies behind is not asked
        for name in [one for one in case.headers or {} if one.lower() in HEADERS]:
            del case.headers[name]
        response = case.call(headers=self._signed(who), timeout=20)
        is_open = not case.operation.definition.raw["security"]
        if response.status_code == UNAUTHORIZED and not is_open:
            self.signed.pop(who, None)  # who ended it may have been us
        label = case.operation.label
        self.asked[f"{response.status_code // 100}xx"] += 1
        if who == NOBODY and response.status_code < 300 and not is_open:
            self.found[f"{label}: open to everybody"] = f"{response.status_code} without a sign-in"
        if response.status_code >= BROKEN and not label.endswith("/health/ready"):
            self.found[f"{label}: answers {response.status_code}"] = case.as_curl_command()[:600]
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            self._note(label, who, case, [one for one in group.exceptions if isinstance(one, Failure)])
        except Failure as failure:
            self._note(label, who, case, [failure])

    def _signed(self, who: str) -> Headers:
        if who == NOBODY:
            return {}
        if who not in self.signed:
            self.signed[who] = self.sign_in(who)
        return self.signed[who]

    def _note(self, label: str, who: str, case: Case[Any], failures: list[Any]) -> None:
        for failure in failures:
            name = f"{label}: {failure.title}"
            self.found.setdefault(name, f"{failure.message[:400]}\n(as {who}) {case.as_curl_command()[:600]}")

    def told(self) -> Iterator[str]:
        """Each thing that did not hold, with a way to see it."""
        return (f"{name}\n{what}" for name, what in sorted(self.found.items()))
