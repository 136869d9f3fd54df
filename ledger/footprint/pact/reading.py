"""PACT documents that others send: strict, bounded, errors with the place in the document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from ledger.errors import InvalidInput
from ledger.footprint.pact.model import ProductFootprint
from ledger.footprint.pact.rules import remarks, validity
from ledger.units import format_instant

# One document, with whatever extensions it has.
DOCUMENT_BYTES_MAX: Final = 1024 * 1024
_ERRORS_SHOWN: Final = 5
_OURS: Final = "Value error, "  # how pydantic begins what our own checks say
Found = TypeVar("Found", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierFootprint:
    """Somebody's footprint of something bought. `sha256` is of the bytes as they came; `remarks`:
    what the specification demands in words, and the document lacks."""

    footprint: ProductFootprint
    sha256: str
    size: int
    remarks: Sequence[str]

    def figures(self) -> dict[str, str]:
        """What a calculation needs of it, decimals as texts: kgCO2e for each declared unit."""
        pcf, (start, end) = self.footprint.pcf, validity(self.footprint)
        found = {
            "id": self.footprint.id.lower(),
            "company": self.footprint.company_name,
            "product": self.footprint.product_name_company,
            "product_ids": " ".join(self.footprint.product_ids),
            "status": self.footprint.status,
            "unit": pcf.declared_unit_of_measurement,
            "amount": pcf.declared_unit_amount,
            "mass_kg": pcf.product_mass_per_declared_unit,
            "pcf_excluding_biogenic_uptake": pcf.pcf_excluding_biogenic_uptake,
            "pcf_including_biogenic_uptake": pcf.pcf_including_biogenic_uptake,
            "fossil_ghg_emissions": pcf.fossil_ghg_emissions,
            "reference_period_start": pcf.reference_period_start,
            "reference_period_end": pcf.reference_period_end,
            "valid_from": format_instant(int(start.timestamp())),
            "valid_until": format_instant(int(end.timestamp())),
            "geography": pcf.geography_country_subdivision
            or pcf.geography_country
            or pcf.geography_region_or_subregion
            or "Global",
            "gwp": " ".join(pcf.ipcc_characterization_factors),
            "standards": " ".join(pcf.cross_sectoral_standards),
            "exempted_percent": pcf.exempted_emissions_percent,
            "primary_data_share_percent": pcf.primary_data_share or "",
        }
        if pcf.dqi is not None:
            found |= {
                "dqr_technological": pcf.dqi.technological_dqr,
                "dqr_geographical": pcf.dqi.geographical_dqr,
                "dqr_temporal": pcf.dqi.temporal_dqr,
            }
        return found


def read(document: bytes) -> SupplierFootprint:
    """A ProductFootprint, or what GetFootprint answers, which has it as `data`. Raises InvalidInput
    with the place: `$.pcf.declaredUnitAmount`."""
    value = read_json(document)
    if isinstance(value, dict) and set(value) == {"data"}:
        value = value["data"]
    footprint = parse(ProductFootprint, value)
    return SupplierFootprint(
        footprint=footprint,
        sha256=hashlib.sha256(document).hexdigest(),
        size=len(document),
        remarks=remarks(footprint),
    )


def write(footprint: ProductFootprint) -> bytes:
    """One line of JSON, members in the order of the model: read and written again, the same."""
    return write_json(footprint.to_json())


def write_json(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def read_json(data: bytes, bytes_max: int = DOCUMENT_BYTES_MAX) -> Any:
    """Any JSON text in UTF-8 that means one thing: no member twice, no number that is none.

    Raises InvalidInput.
    """
    if len(data) > bytes_max:
        raise InvalidInput(f"a PACT document has at most {bytes_max:,} bytes, not {len(data):,}")
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_finite,
        )
        # An escaped half of a surrogate pair is no character, and can't be written again.
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise InvalidInput("a PACT document is not nested so deep") from None
    except ValueError as error:
        raise InvalidInput(f"a PACT document is a JSON text in UTF-8: {error}") from None
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a member twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    found = float(text)
    if found in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return found


def parse(model: type[Found], value: Any, path: str = "$") -> Found:
    """Raises InvalidInput with places below `path`; never with what stood there."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        listed = error.errors(include_url=False, include_context=False, include_input=False)
        said = [
            f"{_place(path, one['loc'])}: {one['msg'].removeprefix(_OURS)}"
            for one in listed[:_ERRORS_SHOWN]
        ]
        more = len(listed) - len(said)
        raise InvalidInput("; ".join(said) + (f"; and {more} more" if more > 0 else "")) from None


def _place(path: str, loc: Sequence[int | str]) -> str:
    return path + "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in loc)
