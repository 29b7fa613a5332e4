"""What is lost of issues against what is on record as lost: each thing by its issue, and the counts of gaps exactly."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from gh_backfill.store.db import Row, Transaction
from tests.comparison import Difference, compare_issues
from tests.expected import Repository

# What the quarantine calls what is lost, as columns and gaps have it.
_NAMES = {"issue": "issue", "label": "labels", "assignee": "assignees", "issue_comment": "comments"}
_GAP = re.compile(r"(\d+) (\w+) counted, (\d+) listed")


def unrecorded(tx: Transaction, repository: Repository, *, invented: int = 0) -> list[str]:
    """Name what is not as GitHub has it and on no record, and every record that is not true.

    GitHub counts `invented` issues more than it has.
    """
    lost, recorded = _lost(tx, repository), _recorded(tx)
    missing = {number for number, what in lost.items() if "missing" in what}
    wrong = [] if _open(tx) else list(_unlike(missing - recorded.keys(), _unnamed(tx) - invented))
    for number, what in lost.items():
        if number not in missing and (silent := what - recorded[number]):
            wrong.append(f"#{number}: nothing tells that {sorted(silent)} are not whole")
    return wrong + [
        f"#{row['number']}: {row[gap[1]]} {gap[1]} are stored: {row['capture_gap']}"
        for row in tx.rows(_GAPS)
        for gap in _GAP.findall(row["capture_gap"])
        if row[gap[1]] < int(gap[2])  # an earlier reading may have listed more
    ]


def recorded(tx: Transaction) -> list[Row]:
    """Return what is open in the quarantine."""
    return tx.rows("select number, kind, identity, reason from backfill_quarantine where resolved_at is null")


def _lost(tx: Transaction, repository: Repository) -> dict[int, set[str]]:
    """Return what of each issue is not as it should be, by the names of its lists; an issue may be `missing`."""
    issue_of = {comment.github_id: comment.issue for comment in repository.issue_comments}
    found: dict[int, set[str]] = defaultdict(set)
    for each in compare_issues(tx, [repository]).found:
        identity = each.row.split()[-1]
        if " issue comment " in each.row:
            found[issue_of[int(identity)]].add("comments")
        elif " issue " in each.row:
            found[int(identity)].add(_of_issue(each))
    return found


def _of_issue(difference: Difference) -> str:
    if difference.kind == "missing":
        return "missing"
    name = difference.field.partition("[")[0]
    return name if name in ("labels", "assignees") else "issue"


def _recorded(tx: Transaction) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for row in recorded(tx):
        if row["number"] is not None:
            found[row["number"]].add(_NAMES[row["kind"]])
    for row in tx.rows(_GAPS):
        found[row["number"]] |= {what for _, what, _ in _GAP.findall(row["capture_gap"])}
    return found


def _unlike(missing: set[int], unnamed: int) -> Iterator[str]:
    if len(missing) != unnamed:
        yield f"{sorted(missing)} are missing, and {unnamed} issues on record that nobody can name"


def _unnamed(tx: Transaction) -> int:
    """Count the issues that are known to be missing by their places, or by GitHub's count alone."""
    places = [row for row in recorded(tx) if row["number"] is None and row["identity"].startswith("after ")]
    (row,) = tx.rows("select gaps from backfills where kind = 'issues'")
    return len(places) + int(row["gaps"])


def _open(tx: Transaction) -> bool:
    return bool(tx.rows("select from backfills where kind = 'issues' and status <> 'completed'"))


_GAPS = """
    select i.number, i.capture_gap, jsonb_array_length(i.labels) as labels,
           jsonb_array_length(i.assignees) as assignees,
           (select count(*) from comments c where c.issue_id = i.id) as comments
    from issues i
    where i.capture_gap is not null"""
