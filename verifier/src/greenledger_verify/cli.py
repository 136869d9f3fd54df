"""``greenledger-verify``: exit 0 verified, 1 does not hold, 2 unusable input."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from greenledger_verify import hashes
from greenledger_verify.evidence_file import require_seed
from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.explain_log import explain_log
from greenledger_verify.failure import UnusableInput, VerificationError, locate
from greenledger_verify.files import read_input
from greenledger_verify.logdir import verify_log
from greenledger_verify.pack import judge_pack
from greenledger_verify.pins import with_pins
from greenledger_verify.proof import Subject, verify_proof_file
from greenledger_verify.report import Report
from greenledger_verify.text import Language, say
from greenledger_verify.trust import Trust, trust_of

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Whatever the input, the answer is words and an exit code, never a
    traceback.
    """
    _never_fail_to_print()
    try:
        return _run(_parser().parse_args(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer has gone; keep the interpreter from failing again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(options: argparse.Namespace) -> int:
    if options.command in ("inclusion", "consistency") and options.batch is not None:
        return _batch(options)
    report = Report(language=options.lang)
    failure: VerificationError | None = None
    try:
        _COMMANDS[options.command](options, report)
    except VerificationError as error:
        failure = error
    write = _write_json if options.json else _write_words
    write(report, failure)
    sys.stdout.flush()
    return 0 if failure is None else failure.exit_code


# Commands


def _inclusion(options: argparse.Namespace, report: Report) -> None:
    _check_hashes(options, hashes.INCLUSION, report)
    report.establish(
        "A leaf with this hash stands at index {index} of the tree with this root and {size} "
        "leaves.",
        index=options.index,
        size=options.size,
    )
    report.leave_open("What the leaf says, and who vouches for the root: only hashes were given.")


def _consistency(options: argparse.Namespace, report: Report) -> None:
    _check_hashes(options, hashes.CONSISTENCY, report)
    report.establish(
        "The tree of {size1} leaves is the beginning of the tree of {size2} leaves: nothing was "
        "changed or removed.",
        size1=options.size1,
        size2=options.size2,
    )
    report.leave_open("What the leaves say, and who vouches for the roots: only hashes were given.")


def _check_hashes(options: argparse.Namespace, shape: dict[str, str], report: Report) -> None:
    members: dict[str, object] = {name: getattr(options, name) for name in shape}
    for name, value in members.items():
        if value is None:
            raise UnusableInput("--{name} is missing", name=name.replace("_", "-"))
    members["path"] = hashes.split_path(options.path)
    with report.step("The path leads from the one to the other"):
        hashes.check_proof(members, shape)


def _proof(options: argparse.Namespace, report: Report) -> None:
    trust = _trust(options)
    with locate("--leaf-hash"):
        leaf = None if options.leaf_hash is None else hashes.hex_bytes(options.leaf_hash)
    entry = None if options.entry is None else read_input(options.entry)
    verify_proof_file(read_input(options.file), Subject(entry=entry, leaf_hash=leaf), trust, report)


def _log(options: argparse.Namespace, report: Report) -> None:
    trust = _trust(options)
    explain_log(verify_log(Path(options.directory), trust, report), trust, report)


def _evidence(options: argparse.Namespace, report: Report) -> None:
    trust = _trust(options)
    seed = None if options.seed is None else require_seed(options.seed)
    log = None if options.log is None else Path(options.log)
    with _open_file(options.file) as file:
        judge_evidence(file, log, seed, trust, report)


def _pack(options: argparse.Namespace, report: Report) -> None:
    trust = _trust(options)
    log = None if options.log is None else Path(options.log)
    judge_pack(Path(options.file), log, trust, report)


def _trust(options: argparse.Namespace) -> Trust:
    trust = trust_of(options.vkey, None if options.trust is None else read_input(options.trust))
    return with_pins(trust, ((name, read_input(name)) for name in options.pin))


_COMMANDS = {
    "inclusion": _inclusion,
    "consistency": _consistency,
    "proof": _proof,
    "log": _log,
    "evidence": _evidence,
    "pack": _pack,
}


def _batch(options: argparse.Namespace) -> int:
    shape = hashes.INCLUSION if options.command == "inclusion" else hashes.CONSISTENCY
    worst = 0
    try:
        with _open_file(options.batch) as lines:
            for answer, exit_code in hashes.check_batch(lines, shape, options.lang):
                sys.stdout.write(answer + "\n")
                worst = max(worst, exit_code)
    except UnusableInput as error:
        sys.stderr.write(error.render(options.lang) + "\n")
        worst = error.exit_code
    sys.stdout.flush()
    return worst


def _open_file(name: str) -> AbstractContextManager[BinaryIO]:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except (OSError, ValueError) as error:
        raise UnusableInput("can't read {name}: {why}", name=name, why=error) from None


# Output


def _write_words(report: Report, failure: VerificationError | None) -> None:
    """Numbered steps; then what was established and what was not, or why it does not hold."""
    language = report.language
    out = []
    for number, step in enumerate(report.steps, 1):
        out.append(f"{number}. {'✓' if step.ok else '✗'} {step.text.render(language)}")
        if step.why:
            out.append(f"     {step.why}")
    for line in report.lines.values():
        said = ("；" if language == "zh" else "; ").join(
            text.render(language) for text in line.texts
        )
        out += [] if line is not next(iter(report.lines.values())) else [""]
        colon = "：" if language == "zh" else ": "
        out.append(f"{line.name.render(language)}{colon}{said}")
    if failure is None:
        out += ["", say("Established").render(language)]
        out += [f"  + {text.render(language)}" for text in report.established]
        out += ["", say("NOT established").render(language)]
        out += [f"  - {text.render(language)}" for text in report.not_established]
    elif report.lines:
        out += ["", say("Does NOT hold any more: {why}", why=failure.reason).render(language)]
    elif isinstance(failure, UnusableInput):
        out += [say("Unusable input: {why}", why=failure.render(language)).render(language)]
    else:
        out += ["", say("Does NOT hold. Nothing is established.").render(language)]
        if failure.step is None:
            out += [f"     {failure.render(language)}"]
    sys.stdout.write("\n".join(out) + "\n")


def _result_lines(report: Report) -> list[str]:
    """An empty line, then each line of the result with its name; nothing where there are none."""
    separator, colon = ("；", "：") if report.language == "zh" else ("; ", ": ")
    lines = [
        line.name.render(report.language)
        + colon
        + separator.join(text.render(report.language) for text in line.texts)
        for line in report.lines.values()
    ]
    return ["", *lines] if lines else []


def _write_json(report: Report, failure: VerificationError | None) -> None:
    language = report.language
    answer: dict[str, object] = {
        "ok": failure is None,
        "steps": [
            {"number": number, "text": step.text.render(language), "ok": step.ok, "why": step.why}
            for number, step in enumerate(report.steps, 1)
        ],
        "established": [text.render(language) for text in report.established]
        if failure is None
        else [],
        "not_established": [text.render(language) for text in report.not_established],
        "why": "" if failure is None else failure.render(language),
        "usable": not isinstance(failure, UnusableInput),
    }
    if report.lines:
        answer["lines"] = {
            name: {**line.values, "text": [text.render(language) for text in line.texts]}
            for name, line in report.lines.items()
        }
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")


def _never_fail_to_print() -> None:
    """A terminal that lacks a character shows its code instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


# Arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greenledger-verify",
        description="Verify proofs and logs of greenledger, offline. Exit: 0 verified, 1 does not "
        "hold, 2 unusable input.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_hash_command(
        commands.add_parser("inclusion", help="a leaf hash is in a tree"),
        ("leaf-hash", "index", "size", "root"),
    )
    _add_hash_command(
        commands.add_parser("consistency", help="a tree extends a smaller one"),
        ("size1", "size2", "root1", "root2"),
    )
    proof = commands.add_parser("proof", help="a tlog-proof or an opening file")
    proof.add_argument("file", metavar="FILE", help="the proof; - is standard input")
    proof.add_argument("--entry", metavar="FILE", help="the entry that a tlog-proof is about")
    proof.add_argument(
        "--leaf-hash", metavar="HEX", help="its leaf hash, where the entry is not at hand"
    )
    log = commands.add_parser(
        "log", help="a C2SP tile directory: tree and rules, from the genesis on"
    )
    log.add_argument("directory", metavar="DIR")
    evidence = commands.add_parser("evidence", help="a claim, followed back to the readings")
    evidence.add_argument("file", metavar="FILE", help="the evidence; - is standard input")
    evidence.add_argument(
        "--log", metavar="DIR", help="the public log as a tile directory: single use, status"
    )
    evidence.add_argument(
        "--seed", metavar="HEX", help="the seed that you named for a file of level sampled"
    )
    pack = commands.add_parser("pack", help="a disclosure pack: its files, its entry, its evidence")
    pack.add_argument("file", metavar="FILE", help="the archive")
    pack.add_argument(
        "--log", metavar="DIR", help="the public log as a tile directory: single use, status"
    )
    for command in (proof, log, evidence, pack):
        command.add_argument(
            "--vkey",
            metavar="VKEY",
            action="append",
            default=[],
            help="trusted log key (named as its origin) or witness key; may be repeated",
        )
        command.add_argument(
            "--trust",
            metavar="TOML",
            help="file of trust roots: [[log]], [[endorser]], [[witness]] and [[authority]] "
            "tables, and a [policy]",
        )
        command.add_argument(
            "--pin",
            metavar="FILE",
            action="append",
            default=[],
            help="a signed checkpoint that you saw before; may be repeated",
        )
        _add_output_options(command)
    return parser


def _add_hash_command(command: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    for name in names:
        command.add_argument(
            f"--{name}", metavar="N" if name.startswith(("index", "size")) else "HEX"
        )
    command.add_argument(
        "--path", metavar="HEX,HEX…", default="", help="hashes of the proof, from the leaf upward"
    )
    command.add_argument(
        "--batch",
        metavar="FILE",
        help="JSON lines with these members, path an array; - is standard input",
    )
    _add_output_options(command)


def _add_output_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.add_argument(
        "--lang", choices=("en", "zh"), default=_default_language(), help="language of the answer"
    )


def _default_language() -> Language:
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    first = next((os.environ[name] for name in variables if os.environ.get(name)), "")
    return "zh" if first.lower().startswith("zh") else "en"


if __name__ == "__main__":
    sys.exit(main())
