"""Lists of files and commits as GitHub answers them: one that is cut short is never taken for the whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import requests
import responses

from gh_backfill.clients.diffs import MOST_LISTED, DiffReader
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.diffs import DiffList, DiffTold, DiffWanted
from gh_backfill.models.github import NodeId, Unknown
from gh_backfill.models.work import COMMITS, FILES

URL = "https://api.github.example/graphql"
LISTS = (FILES, COMMITS)
ROWS: Mapping[str, dict[str, Any]] = {
    FILES: {"path": "a.py", "changeType": "ADDED", "additions": 1, "deletions": 0},
    COMMITS: {
        "commit": {
            "oid": "f" * 40,
            "messageHeadline": "one",
            "authoredDate": "2026-01-01T00:00:00Z",
            "committedDate": "2026-01-01T00:00:00Z",
            "author": None,
        }
    },
}


def told(of: str, rows: int, *, listed: int, counted: int) -> Sequence[DiffTold]:
    """Return what is made of an answer with so many rows and no more, whose list and whose count tell so many."""
    listing = {
        "totalCount": listed,
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "nodes": [ROWS[of]] * rows,
    }
    node = {"id": "PR_1", "updatedAt": "2026-01-02T00:00:00Z", "count": {"totalCount": counted}, "list": listing}

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        return 200, {"Date": "Fri, 02 Jan 2026 00:00:00 GMT"}, json.dumps({"data": {of: [node]}})

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.POST, URL, callback=answer, content_type="application/json")
        reader = DiffReader(graphql=GraphQL(URL, "tok", sleep=lambda seconds: None), of=[of])
        wanted = DiffWanted(node_id=NodeId("PR_1"), of=of, pull_request_id="1")
        return [each for answer in reader.read([wanted]) for _, each in answer.told]


@pytest.mark.parametrize("of", LISTS)
def test_a_list_that_has_fewer_rows_than_it_counts_is_unknown(of: str) -> None:
    (whole,) = told(of, 8, listed=8, counted=8)
    assert isinstance(whole, DiffList)
    assert (len(whole.rows), whole.gap) == (8, None)
    (cut,) = told(of, 5, listed=8, counted=8)
    assert isinstance(cut, Unknown)
    assert "GitHub lists 5 of 8" in cut.reason


@pytest.mark.parametrize("of", LISTS)
def test_a_list_that_is_cut_with_its_own_count_is_unknown_however_long_it_is(of: str) -> None:
    most = MOST_LISTED[of]
    (told_whole,) = told(of, most, listed=most + 200, counted=most + 200)
    assert isinstance(told_whole, DiffList)
    assert told_whole.gap == f"GitHub lists {most:,} of {most + 200:,}"
    (cut,) = told(of, most + 50, listed=most + 50, counted=most + 200)
    assert isinstance(cut, Unknown)
    assert "the list is cut short" in cut.reason
