"""Sentences that can be said in English and in Chinese.

A sentence is its English template and the values that belong into it; the template is the key into
the table of ``zh``.
Values come from files that nobody has checked yet, so they are shown escaped and cut: no control
characters, no endless lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from greenledger_verify.zh import CHINESE

Language = Literal["en", "zh"]

_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One sentence: ``template`` in English, and the ``values`` for its ``{names}``."""

    template: str
    values: Mapping[str, object]

    def render(self, language: Language = "en") -> str:
        template = CHINESE.get(self.template, self.template) if language == "zh" else self.template
        return template.format_map({name: shown(v, language) for name, v in self.values.items()})

    def __str__(self) -> str:
        return self.render()


def say(template: str, /, **values: object) -> Text:
    """A sentence from its English template; every template has a Chinese one (a test keeps it
    so).
    """
    return Text(template=template, values=values)


def shown(value: object, language: Language = "en") -> str:
    """A value as it may stand in a terminal: escaped where unprintable, cut where endless."""
    if isinstance(value, Text):
        return value.render(language)
    if isinstance(value, list | tuple):
        separator = "、" if language == "zh" else ", "
        return separator.join(shown(item, language) for item in value)
    raw = value.hex() if isinstance(value, bytes) else str(value)
    cut = raw if len(raw) <= _SHOWN_MAX else raw[:_SHOWN_MAX] + "…"
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
