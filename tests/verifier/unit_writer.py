"""Writes logs of schemes, units and reductions, of which nobody opens anything."""

from typing import Any

from greenledger_verify.unitforms import ACTS
from tests.verifier.forge import FARM, GRID, OPERATOR, reference
from tests.verifier.forge_lots import MEDIA, Value
from tests.verifier.test_lot_rules import Writer

H = [f"{number:032x}" for number in range(20)]
R, S = "e" * 32, "f" * 32


class Units(Writer):
    """A log with two schemes, a project, and the holdings 0 to 4 of the batch ``gec/w/0``."""

    def __init__(self) -> None:
        super().__init__()
        self.registered: dict[tuple[str, ...], str] = {}
        self.scheme("gec")
        self.scheme("ccus")
        self.project("ccus", "P-1")
        self.issue(["w/0"], H[:5])

    def register(self, kind: str, name: tuple[str, ...], signer: Any, more: Value) -> int:
        given: Value = {"replaces": self.registered.get(name, "")} | more
        given = given | {"body": reference(bytes(40), kind.partition(".")[0] + "+json")}
        index = self.write(kind, signer, **given)
        self.registered[name] = self.log.id_of(index)
        return index

    def scheme(self, scheme: str, signer: Any = OPERATOR, **more: Any) -> int:
        return self.register("scheme.register", (scheme,), signer, {"scheme": scheme} | more)

    def project(self, scheme: str, project: str, signer: Any = OPERATOR, **more: Any) -> int:
        members = {"scheme": scheme, "project": project} | more
        return self.register("project.register", (scheme, project), signer, members)

    def issue(self, batches: list[str], begins: list[str], **more: Any) -> int:
        size = len(batches) + len(begins) + 1
        members = {
            "scheme": "gec",
            "state": "active",
            "batches": batches,
            "spends": [],
            "wraps": [],
            "begins": begins,
            "body": {"root": "11" * 32, "size": size, "media": MEDIA + "units"},
        }
        return self.write("unit.issue", more.pop("signer", OPERATOR), **members | more)

    def move(self, act: str, ends: list[str], begins: list[str], **more: Any) -> int:
        operators = ACTS[act].operator
        signer = more.pop("signer", OPERATOR if operators else FARM)
        members = {
            "act": act,
            "retirement": "",
            "ends": ends,
            "begins": begins,
            "body": {"root": "11" * 32, "size": len(begins) + 1, "media": MEDIA + "units"},
        }
        return self.write("unit.move", signer, **members | more)

    def retire(self, retirement: str, ends: list[str], begins: list[str], **more: Any) -> int:
        return self.move("retire", ends, begins, retirement=retirement, **more)

    def disclose(self, retirement: str, **more: Any) -> int:
        members: Value = {
            "retirement": retirement,
            "scheme": "gec",
            "units": 5,
            "beneficiary": "farm",
            "purpose": "voluntary",
            "from": "2026-01-01T00:00:00Z",
            "to": "2026-02-01T00:00:00Z",
            "serials": ["w/0:0-3", "w/0:7-9"],
        }
        return self.write("unit.disclose", more.pop("signer", FARM), **members | more)

    def record(self, record: str, signer: Any = FARM, project: str = "P-1") -> int:
        body = reference(bytes(40), "reduction+json")
        members = {"record": record, "scheme": "ccus", "project": project, "body": body}
        return self.write("reduction.record", signer, **members)

    def verify(self, record: str, signer: Any = GRID) -> int:
        body = reference(bytes(40), "verification+json")
        return self.write("reduction.verify", signer, record=record, body=body)

    def reverse(self, project: str = "P-1", signer: Any = OPERATOR) -> int:
        body = reference(bytes(40), "reversal+json")
        return self.write("reduction.reverse", signer, scheme="ccus", project=project, body=body)

    def statement(self, kind: str = "gec", signer: Any = OPERATOR) -> int:
        body = reference(bytes(40), "statement+json")
        return self.write("statement.import", signer, kind=kind, body=body)

    def certified(self, claim: str, retires: list[str], **more: Any) -> int:
        return self.claim(claim, more.pop("spends", []), retires=retires, **more)
