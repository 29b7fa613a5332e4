"""Other tools from PyPI on the same simulated repository: what they ask, take and leave out, and we beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.doorway import doorway
from tests.benchmarks.github import GitHub, github
from tests.benchmarks.peer_tools import PEERS, Peer
from tests.benchmarks.points import capture
from tests.benchmarks.rig import Rig, measured
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Shape, Source, corpus, shapes

MADE_UP = "bench/peers:300"
PATIENCE = 600.0

Row = tuple[str, str, str, int, int, int, int, float, float, float, str]


def peers(rig: Rig, cache: Path, *, only: str | None = None) -> list[Table]:
    """Install each tool into `cache` and run it on a made-up repository, and on a real one where the corpus is."""
    rows: list[Row] = []
    notes = [
        "dlt (its GitHub source is fetched from GitHub by `dlt init` and not on PyPI): not run",
        "the simulated GitHub answers at once; time and memory are of the whole process",
        "ours writes into PostgreSQL, the others write files",
    ]
    for source in (Source(recipes=(MADE_UP,)), corpus("bitcoin-core__secp256k1")):
        for shape in shapes(source):
            with github(source) as server:
                cost = capture(rig, server, shape, still=False)
                usage = (cost.usage.wall, cost.usage.cpu, cost.usage.memory)
                tally = cost.tally
                rows.append(
                    (shape.name, "gh_backfill", "this", tally.rest, tally.requests, tally.points, 0, *usage, "")
                )
                chosen = [peer for peer in PEERS if only in (None, peer.package)]
                rows += [_run(rig, cache, peer, server, shape) for peer in chosen]
    notes += [f"{peer.package}: {peer.note}" for peer in PEERS]
    return [
        Table(
            section="peers",
            title="other tools on the same repository",
            columns=(
                "repository",
                "tool",
                "version",
                "REST requests",
                "all requests",
                "points",
                "rows missing",
                "time (s)",
                "CPU (s)",
                "memory (MB)",
                "what is missing",
            ),
            rows=tuple(rows),
            notes=tuple(notes),
        )
    ]


def _run(rig: Rig, cache: Path, peer: Peer, server: GitHub, shape: Shape) -> Row:
    programs = _installed(cache, peer)
    folder = rig.folder / f"{peer.package}-{shape.name.replace('/', '-')}"
    folder.mkdir()
    server.forget()
    cpu = wall = memory = 0.0
    failed = ""
    with doorway(server, folder, secure=peer.secure) as door:
        for number, command in enumerate(peer.commands(programs, door.url, shape.name, folder)):
            code, usage = measured(
                command,
                environment=_environment(programs, folder, door.certificate),
                folder=folder,
                log=folder / f"log-{number}.txt",
                output=folder / f"output-{number}.jsonl",
                limit=PATIENCE,
            )
            cpu, wall, memory = cpu + usage.cpu, wall + usage.wall, max(memory, usage.memory)
            failed = failed or ("" if code == 0 else f"ended with {code}; ")
        rest = door.rest
    missing = _missing(shape.ids, peer.collect(folder))
    tally = server.tally()
    short = failed + ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in missing.items() if count)
    total = sum(missing.values())
    return (shape.name, peer.package, peer.version, rest, tally.requests, tally.points, total, wall, cpu, memory, short)


def _missing(there: Mapping[str, set[int]], got: Mapping[str, set[int]]) -> dict[str, int]:
    return {kind: len(ids - got.get(kind, set())) for kind, ids in there.items()}


def _installed(cache: Path, peer: Peer) -> Path:
    """Return the programs of a tool, installed into an environment of its own at first use."""
    home = cache.expanduser().absolute() / f"{peer.package}-{peer.version}"
    if not (home / "installed").exists():
        venv.create(home, with_pip=True, clear=True)
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, f"{peer.package}=={peer.version}"], check=True, stdout=sys.stderr)
        (home / "installed").touch()
    return home / "bin"


def _environment(programs: Path, folder: Path, certificate: Path | None) -> dict[str, str]:
    """Return an environment without secrets of ours, in which nothing but this machine is reached."""
    environment = {
        "PATH": f"{programs}:{os.environ.get('PATH', '')}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    if certificate is not None:
        environment |= {"SSL_CERT_FILE": str(certificate), "REQUESTS_CA_BUNDLE": str(certificate)}
    return environment
