"""greenledger claim evidence: the file that shows a claim to others."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Annotated

import typer

from ledger import db
from ledger.claims import evidence as ev
from ledger.claims import shortfall
from ledger.cli.claims import ClaimId, find, state_of
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, step
from ledger.errors import InvalidInput
from ledger.files import new_private


def add_to(group: typer.Typer) -> None:
    group.command("evidence")(evidence)


def evidence(
    claim_id: ClaimId,
    out_file: Annotated[Path, typer.Option("--out", help="File to write: NAME.evidence.json.")],
    level: Annotated[str, typer.Option(help="One of " + ", ".join(ev.LEVELS) + ".")] = "full",
    seed: Annotated[
        str, typer.Option(help="For sampled: 64 hex digits that the verifier chose.")
    ] = "",
    samples: Annotated[
        int | None, typer.Option(help=f"For sampled: how many (default: {ev.SAMPLES}).")
    ] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Write the evidence file of a claim: total (the sums), sampled, or full.

    Signs a checkpoint first. Whoever gets the file reads what it opens: the values of the claimed
    quarter-hours (full), of some of them (sampled), or of none (total).
    """
    house = open_house(directory)
    if level not in ev.LEVELS:
        raise InvalidInput(f"--level {level!r}: it is one of {', '.join(ev.LEVELS)}")
    sample = _sample(level, seed, samples)
    out = Output(as_json=as_json)
    house.checkpoint()
    with db.reading(house.engine) as conn:
        row = find(conn, house, claim_id)
        state = state_of(row, shortfall.short_claims(conn, house.log))
    with out.progress() as bar, new_private(out_file) as file:
        advance = step(bar, f"{out_file.name}")
        for number, line in enumerate(ev.lines(house.desk, row.claim, level, sample)):
            file.write(line)
            advance(number, 0)
    size = out_file.stat().st_size
    if state != "in force":
        out.warn(f"the claim is {state}: a verifier who has the log will say so")
    out.say(f"{out_file}: evidence of claim {row.claim.hex()[:12]}, {level}, {size:,} bytes.")
    if sample and not seed:
        out.warn("the seed was drawn here; a verifier relies on one that it named: --seed HEX")
    out.say(
        "Publish the log, not older than the file (greenledger export tiles TILES). Verify with:"
    )
    out.say(
        f"  greenledger-verify evidence {out_file} --log TILES"
        f" --vkey '{house.verification_key.vkey}'"
    )
    out.result(
        {
            "claim": row.claim.hex(),
            "file": str(out_file),
            "level": level,
            "bytes": size,
            "seed": sample.seed.hex() if sample else "",
            "samples": sample.count if sample else 0,
        }
    )


def _sample(level: str, seed: str, samples: int | None) -> ev.Sample | None:
    if level != "sampled":
        for name, given in (("--seed", bool(seed)), ("--samples", samples is not None)):
            if given:
                raise InvalidInput(f"{name} belongs to --level sampled")
        return None
    count = ev.SAMPLES if samples is None else samples
    if not seed:
        return ev.Sample(seed=secrets.token_bytes(ev.SEED_BYTES), count=count)
    digits = 2 * ev.SEED_BYTES
    if not re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", seed):
        raise InvalidInput(f"--seed is {digits} hex digits; {seed!r} has {len(seed)} characters")
    return ev.Sample(seed=bytes.fromhex(seed), count=count)
