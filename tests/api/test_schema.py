"""Schemathesis: whatever the OpenAPI document allows or forbids, asked by everybody.

No answer is a 5xx, and each is as the document says.
"""

from __future__ import annotations

from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.people import ANYBODY, GATEWAY, PEOPLE, Town

CALLERS = [ANYBODY, *PEOPLE, GATEWAY]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
# Ends the session that others are asked with.
LEFT_OUT = {"logout"}
GROUPS = 4


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_answer_is_as_documented(town: Town, group: int) -> None:
    schema = schemathesis.openapi.from_url(f"{town.url}/openapi.json")
    operations = [cast(Any, found).ok() for found in schema.get_all_operations()]
    chosen = [one for one in operations if one.definition.raw["operationId"] not in LEFT_OUT]
    assert len(chosen) > 80
    for operation in chosen[group::GROUPS]:
        good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=good | bad, caller=st.sampled_from(CALLERS))
        def ask(case: Any, caller: str) -> None:
            token = town.tokens.get(caller)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            case.call_and_validate(headers=headers, checks=CHECKS)

        ask()
