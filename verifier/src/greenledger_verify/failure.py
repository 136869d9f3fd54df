"""The one exception that comes out of this package, and its kind for input that can't be judged at
all.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from greenledger_verify.text import Language, Text, say


class VerificationError(Exception):
    """Something does not hold. ``where`` leads to the place, outermost first; ``step`` is the step
    that failed.
    """

    exit_code = 1

    def __init__(self, template: str, /, **values: object) -> None:
        super().__init__()
        self.reason: Text = say(template, **values)
        self.where: tuple[Text, ...] = ()
        self.step: Text | None = None

    def render(self, language: Language = "en") -> str:
        return ": ".join(text.render(language) for text in (*self.where, self.reason))

    def __str__(self) -> str:
        return self.render()


class NotCounted(VerificationError):
    """A time-stamp that is not judged: it is neither called false, nor does it count."""


class UnusableInput(VerificationError):
    """The input is not what the command takes (no such file, no JSON, no key): nothing was
    judged.
    """

    exit_code = 2


@contextmanager
def locate(template: str, /, **values: object) -> Iterator[None]:
    """Say of whatever fails inside where it was: ``entry 7: …``."""
    try:
        yield
    except VerificationError as error:
        error.where = (say(template, **values), *error.where)
        raise


@contextmanager
def unusable(template: str, /, **values: object) -> Iterator[None]:
    """Turn a failure inside into *unusable input*: what was given by hand is wrong, not what is to
    be judged.
    """
    try:
        yield
    except UnusableInput:
        raise
    except VerificationError as error:
        reason = UnusableInput("{what}: {why}", what=say(template, **values), why=error.reason)
        reason.where = error.where
        raise reason from error
