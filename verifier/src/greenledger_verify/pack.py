"""The command ``pack``: a disclosure pack against its manifest, its entry and its evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from greenledger_verify.evidence import VerifiedEvidence
from greenledger_verify.explain import explain_opening
from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import UnusableInput, VerificationError, locate
from greenledger_verify.members import Check, object_of
from greenledger_verify.opened import Opening
from greenledger_verify.opening import parse_opening, verify_opening
from greenledger_verify.pack_file import (
    BROKEN,
    FILE,
    MANIFEST,
    OPENING,
    Manifest,
    Named,
    PackFile,
    read_manifest,
    require_same_files,
)
from greenledger_verify.report import Line, Report
from greenledger_verify.text import say
from greenledger_verify.trust import Trust

PUBLISH: Final = "report.publish"
KIND: Final = "disclosure"
# Of the lines that evidence has, those that speak about one claim and not about its log.
_LINES: Final = (
    "provenance",
    "time_bracket",
    "single_use",
    "share_opened",
    "certificates",
    "credits",
    "status",
)
_PUBLISHED: Final[Check] = object_of(
    {"id": FILE["file"], "sha256": FILE["sha256"], "size": FILE["size"]}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """``opening`` is None where the pack is a draft."""

    manifest: Manifest
    opening: Opening | None


def judge_pack(path: Path, log: Path | None, trust: Trust, report: Report) -> None:
    """Verify a pack and fill the report.

    1. The archive is within bounds: numbers, names, sizes.
    2. It holds exactly the files of its manifest, each with the hash that stands there.
    3. Where it is published: the opening holds, as ``verify_opening`` has it.
    4. Its entry publishes this manifest.
    5. Each evidence file holds, as ``judge_evidence`` has it.
    """
    with PackFile(path) as pack:
        judged = _judge_files(pack, trust, report)
        _explain_files(judged, report)
        for file in judged.manifest.evidence():
            _judge_evidence(pack, judged.manifest, file, log, trust, report)
    if judged.manifest.evidence():
        return
    report.leave_open(
        "That a claim of this organisation rests on readings, and is of energy that nobody else "
        "uses: the pack holds no evidence of any."
    )
    if judged.opening is None:
        report.leave_open("That any log knows this organisation: nothing in the pack shows it.")


def _judge_files(pack: PackFile, trust: Trust, report: Report) -> _Judged:
    with report.step("Number, names and sizes of the files in the archive are within bounds"):
        pack.require_bounded()
    with report.step("The archive holds exactly the files that its manifest names, unchanged"):
        if MANIFEST not in pack.names:
            raise VerificationError("the file {file} is missing", file=MANIFEST)
        manifest = read_manifest(pack.whole(MANIFEST))
        require_same_files(pack, manifest)
    if OPENING not in pack.names:
        return _Judged(manifest=manifest, opening=None)
    opening = verify_opening(parse_opening(pack.whole(OPENING)), trust, report)
    with report.step("The entry publishes these files, and no others"):
        _require_published(opening, manifest)
    explain_opening(opening, trust, report)
    return _Judged(manifest=manifest, opening=opening)


def _require_published(opening: Opening, manifest: Manifest) -> None:
    """The opened body of the entry says what the manifest does.

    1. The entry is a disclosure, by the organisation, of that log.
    2. The body was asked the same, at the same log size.
    3. It names the same files with the same hashes; who vouches for each is the same.
    """
    # 1
    subject = opening.subject
    said = (subject.type, str(subject.statement.get("kind", "")))
    if said != (PUBLISH, KIND):
        raise VerificationError("the entry is {given}, no disclosure", given=" ".join(said).strip())
    _require_same("log", opening.signed.checkpoint.origin, manifest.log)
    _require_same("organisation", subject.author, manifest.organisation)
    content = next((body.content for body in opening.bodies if body.index == opening.index), None)
    if content is None:
        raise VerificationError("what the entry says is not opened")
    # 2
    about = _object(content, "about")
    _require_same("as_of", content.get("as_of"), manifest.as_of)
    asked = {name: value for name, value in about.items() if name != "files"}
    if asked != manifest.about:
        raise VerificationError("the entry says that something else was asked than the manifest")
    # 3
    published = [
        *_published(_object(content, "result").get("files"), by_log=True),
        *_published(about.get("files"), by_log=False),
    ]
    for one in sorted(set(published) ^ set(manifest.files), key=lambda found: found.file):
        raise VerificationError("the file {file} is not the one of the entry", file=one.file)


def _require_same(member: str, given: object, expected: object) -> None:
    if given != expected:
        raise VerificationError(
            "{member} is {given} in the entry, {expected} in the manifest",
            member=member,
            given=given,
            expected=expected,
        )


def _object(content: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    value = content.get(member)
    if not isinstance(value, dict):
        raise VerificationError("member {name} is missing", name=member)
    return value


def _published(files: object, *, by_log: bool) -> Iterable[Named]:
    if not isinstance(files, list):
        raise VerificationError("member {name} is missing", name="files")
    for number, one in enumerate(files):
        with locate("item {number}", number=number):
            _PUBLISHED(one)
        yield Named(file=one["id"], sha256=one["sha256"], size=one["size"], by_log=by_log)


def _judge_evidence(
    pack: PackFile, manifest: Manifest, file: str, log: Path | None, trust: Trust, report: Report
) -> None:
    """Judge one evidence file by itself, and take over what it shows, one line for the claim: of
    the organisation that the pack is about, in the log that it is of."""
    own = Report(language=report.language)
    try:
        with report.step("{file}: the evidence holds", file=file), pack.open(file) as opened:
            try:
                found = judge_evidence(opened, log, None, trust, own)
            except UnusableInput as error:
                # It is a part of what is judged, not what the user brought.
                raise _as_failure(error) from None
            except BROKEN as error:
                raise VerificationError("it can't be unpacked: {why}", why=error) from None
            _require_own(found, manifest)
    finally:
        if own.lines:
            report.lines[file] = _one_line(file, own)
    for mine, others in (
        (report.established, own.established),
        (report.not_established, own.not_established),
    ):
        mine += [one for one in others if one not in mine]


def _require_own(found: VerifiedEvidence, manifest: Manifest) -> None:
    shown = found.evidence.signed.checkpoint.origin, found.evidence.manifest["consumer"]
    if shown != (manifest.log, manifest.organisation):
        raise VerificationError(
            "it shows a claim of {consumer} in the log {log}, the pack is about {organisation} in "
            "the log {expected}",
            consumer=shown[1],
            log=shown[0],
            organisation=manifest.organisation,
            expected=manifest.log,
        )


def _as_failure(error: UnusableInput) -> VerificationError:
    failure = VerificationError(error.reason.template, **error.reason.values)
    failure.where = error.where
    return failure


def _one_line(file: str, own: Report) -> Line:
    found = {name: own.lines[name] for name in _LINES if name in own.lines}
    return Line(
        name=say("{file}", file=file),
        texts=tuple(
            say("{line}: {said}", line=line.name, said=line.texts) for line in found.values()
        ),
        values={name: line.values for name, line in found.items()},
    )


def _explain_files(judged: _Judged, report: Report) -> None:
    manifest = judged.manifest
    report.establish(
        "The pack holds {count} files about {organisation}, {year}, as of {size} entries of the "
        "log {origin}; each is as its manifest says, and no other one is there.",
        count=len(manifest.files),
        organisation=manifest.organisation,
        year=manifest.about["year"],
        size=f"{manifest.as_of:,}",
        origin=manifest.log,
    )
    if judged.opening is None:
        report.leave_open(
            "That the figures are what the log holds, and that {organisation} stands by them: the "
            "pack is a draft, published by no entry.",
            organisation=manifest.organisation,
        )
        return
    by_log = [one for one in manifest.files if one.by_log]
    report.establish(
        "The entry names these files and their hashes: the author can't show others other ones."
    )
    report.leave_open(
        "That the log recomputed the {count} files of figures before it took the entry: who keeps "
        "its readings can do it again (greenledger audit, greenledger disclose check).",
        count=len(by_log),
    )
    report.leave_open(
        "What the other {count} files say (report, workbook, documents): the author's word, that "
        "can't be changed afterwards.",
        count=len(manifest.files) - len(by_log) - len(manifest.evidence()),
    )
    report.leave_open("That no later version replaces this pack: the log shows it.")
