"""What a verification did: numbered steps, what they established, and what they did not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from greenledger_verify.failure import VerificationError
from greenledger_verify.text import Language, Text, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step and whether it held; ``why`` says what did not."""

    text: Text
    ok: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a result that stands by itself: its name, sentences, and values for a program."""

    name: Text
    texts: tuple[Text, ...]
    values: dict[str, object]


@dataclass(slots=True, kw_only=True)
class Report:
    """Filled while verifying. ``established`` counts only when every step held; ``lines`` stand
    each by itself, and only evidence has them.
    """

    language: Language = "en"
    steps: list[Step] = field(default_factory=list)
    established: list[Text] = field(default_factory=list)
    not_established: list[Text] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)

    @contextmanager
    def step(self, template: str, /, **values: object) -> Iterator[None]:
        """Do one numbered step; a failure inside is recorded with it and goes on outward."""
        text = say(template, **values)
        try:
            yield
        except VerificationError as error:
            error.step = error.step or text
            self.steps.append(Step(text=text, ok=False, why=error.render(self.language)))
            raise
        self.steps.append(Step(text=text, ok=True))

    def establish(self, template: str, /, **values: object) -> None:
        self.established.append(say(template, **values))

    def leave_open(self, template: str, /, **values: object) -> None:
        self.not_established.append(say(template, **values))
