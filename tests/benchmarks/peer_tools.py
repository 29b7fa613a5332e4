"""How each of the other tools is told where GitHub is, and where the ids of what it read stand in its output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Ids = dict[str, set[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """A tool: its package, the commands that make it read one repository, and how its output is read."""

    package: str
    version: str
    commands: Callable[[Path, str, str, Path], list[list[str]]]
    collect: Callable[[Path], Ids]
    note: str
    secure: bool = False


def _perceval(programs: Path, url: str, name: str, folder: Path) -> list[list[str]]:
    owner, repository = name.split("/")
    common = [str(programs / "perceval"), "github", owner, repository, "-t", "bench", "--enterprise-url", url]
    common += ["--no-archive", "--json-line"]
    return [[*common, "--category", category] for category in ("pull_request", "issue")]


def _read_perceval(folder: Path) -> Ids:
    got = _nothing()
    for item in _lines(folder):
        data = item.get("data", {})
        if item.get("category") == "pull_request":
            got["pull_requests"].add(data["id"])
            got["reviews"].update(each["id"] for each in data.get("reviews_data") or ())
            got["review_comments"].update(each["id"] for each in data.get("review_comments_data") or ())
        else:
            got["comments"].update(each["id"] for each in data.get("comments_data") or ())
    return got


def _github_backup(programs: Path, url: str, name: str, folder: Path) -> list[list[str]]:
    owner, repository = name.split("/")
    command = [str(programs / "github-backup"), owner, "--repository", repository, "--token", "bench"]
    command += ["--github-host", url.removeprefix("https://"), "--output-directory", str(folder / "backup")]
    command += ["--pulls", "--pull-comments", "--pull-reviews", "--issues", "--issue-comments"]
    return [command]


def _read_github_backup(folder: Path) -> Ids:
    got = _nothing()
    for path in sorted((folder / "backup").rglob("*.json")):
        item = json.loads(path.read_text(encoding="utf-8"))
        if path.parent.name == "pulls":
            got["pull_requests"].add(item["id"])
            got["review_comments"].update(each["id"] for each in item.get("comment_data") or ())
            got["comments"].update(each["id"] for each in item.get("comment_regular_data") or ())
            got["reviews"].update(each["id"] for each in item.get("review_data") or ())
        elif path.parent.name == "issues":
            got["comments"].update(each["id"] for each in item.get("comment_data") or ())
    return got


_SINGER = {
    "pull_requests": "pull_requests",
    "reviews": "reviews",
    "review_comments": "review_comments",
    "issue_comments": "comments",
}


def _tap_github(programs: Path, url: str, name: str, folder: Path) -> list[list[str]]:
    config = {"repositories": [name], "api_url_base": url, "start_date": "2000-01-01T00:00:00Z"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    program = str(programs / "tap-github")
    choose = (
        "import json,subprocess,sys;"
        "c=json.loads(subprocess.run(sys.argv[1:]+['--discover'],stdout=subprocess.PIPE,check=True).stdout);"
        f"w={sorted([*_SINGER, 'repositories', 'issues'])!r};"
        "[m['metadata'].update(selected=s['tap_stream_id'] in w) for s in c['streams'] for m in s['metadata'] "
        "if m['breadcrumb']==[]];"
        "json.dump(c,open('catalog.json','w'))"
    )
    config_arguments = ["--config", "config.json"]
    return [
        [str(programs / "python"), "-c", choose, program, *config_arguments],
        [program, *config_arguments, "--catalog", "catalog.json"],
    ]


def _read_singer(folder: Path) -> Ids:
    got = _nothing()
    for item in _lines(folder):
        if item.get("type") == "RECORD" and item["stream"] in _SINGER:
            got[_SINGER[item["stream"]]].add(int(item["record"]["id"]))
    return got


_AIRBYTE = {
    "pull_requests": "pull_requests",
    "reviews": "reviews",
    "review_comments": "review_comments",
    "comments": "comments",
}


def _airbyte(programs: Path, url: str, name: str, folder: Path) -> list[list[str]]:
    config = {
        "credentials": {"option_title": "PAT Credentials", "personal_access_token": "bench"},
        "repositories": [name],
        "api_url": url,
        "start_date": "2000-01-01T00:00:00Z",
    }
    streams = [
        {
            "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "overwrite",
        }
        for stream in _AIRBYTE
    ]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "catalog.json").write_text(json.dumps({"streams": streams}), encoding="utf-8")
    return [[str(programs / "source-github"), "read", "--config", "config.json", "--catalog", "catalog.json"]]


def _read_airbyte(folder: Path) -> Ids:
    got = _nothing()
    for item in _lines(folder):
        if item.get("type") == "RECORD" and item["record"]["stream"] in _AIRBYTE:
            row: Mapping[str, Any] = item["record"]["data"]
            got[_AIRBYTE[item["record"]["stream"]]].add(int(row["id"]))
    return got


def _nothing() -> Ids:
    return {"pull_requests": set(), "reviews": set(), "review_comments": set(), "comments": set()}


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("output-*.jsonl")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.startswith("{"):
                    yield json.loads(line)


PEERS: Sequence[Peer] = (
    Peer(
        package="perceval",
        version="1.6.1",
        commands=_perceval,
        collect=_read_perceval,
        note="conversation comments come with its category `issue`, so both categories are run; it also reads the "
        "profile and the organisations of everybody who occurs",
    ),
    Peer(
        package="github-backup",
        version="0.65.1",
        commands=_github_backup,
        collect=_read_github_backup,
        note="one JSON file for each pull request and issue; issues come along",
        secure=True,
    ),
    Peer(
        package="meltanolabs-tap-github",
        version="1.30.1",
        commands=_tap_github,
        collect=_read_singer,
        note="its token check always asks api.github.com, so it runs without one and the doorway adds it",
    ),
    Peer(
        package="airbyte-source-github",
        version="2.7.1",
        commands=_airbyte,
        collect=_read_airbyte,
        note="streams pull_requests, reviews, review_comments and comments, full refresh",
    ),
)
