"""Tables of an export: their columns with types that every format has, their keys, and which column leads where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class ExportFormat(StrEnum):
    """What an export is written as: a folder with a file for each table, or one file of SQLite."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    SQLITE = "sqlite"


class ValueType(StrEnum):
    """The type of a column: whole numbers have 64 bits, times a zone (UTC), and JSON is its text."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    DAY = "day"
    JSON = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedTable:
    """A table of an export; `references` are tables by the column that has their key, `indexed` further columns."""

    name: str
    columns: Mapping[str, ValueType]
    key: tuple[str, ...]
    references: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    indexed: tuple[str, ...] = ()


# What endings of a path choose; another ending, or none, is a folder of CSV.
ENDINGS: Mapping[str, ExportFormat] = {
    **{f".{each}": each for each in ExportFormat},
    ".db": ExportFormat.SQLITE,
    ".sqlite3": ExportFormat.SQLITE,
}
_GONE = "gone_at:time gone_reason"


def _table(
    name: str, columns: str, *, key: str = "id", references: str = "repository_id:repositories", indexed: str = ""
) -> ExportedTable:
    """Read `name:type` and `column:table` from text; a column without a type is text."""
    typed = (each.partition(":") for each in columns.split())
    return ExportedTable(
        name=name,
        columns={column: ValueType(kind or "text") for column, _, kind in typed},
        key=tuple(key.split()),
        references=dict(each.split(":") for each in references.split()),
        indexed=tuple(indexed.split()),
    )


# In the order in which they are written.
_TABLES = (
    _table(
        "repositories",
        "id github_id:integer full_name owner name description homepage language license default_branch topics:json "
        "stargazers_count:integer forks_count:integer size:integer is_private:boolean is_fork:boolean "
        "is_archived:boolean is_disabled:boolean is_template:boolean has_issues:boolean has_projects:boolean "
        "has_wiki:boolean has_discussions:boolean github_pull_requests:integer github_created_at:time "
        "github_updated_at:time github_pushed_at:time",
        references="",
        indexed="full_name",
    ),
    _table(
        "contributors",
        "id github_id:integer username display_name is_bot:boolean avatar_url profile_url company location bio blog "
        "public_repos:integer public_gists:integer followers:integer following:integer github_created_at:time",
        references="",
        indexed="username",
    ),
    _table(
        "pull_requests",
        "id github_id:integer repository_id number:integer title body state draft:boolean merged:boolean author_id "
        "author_login merged_by_id base_branch head_branch additions:integer deletions:integer changed_files:integer "
        "commits:integer labels:json assignees:json requested_reviewers:json milestone:json html_url created_at:time "
        "updated_at:time merged_at:time closed_at:time github_reviews:integer github_review_comments:integer "
        f"github_comments:integer github_review_threads:integer capture_gap {_GONE}",
        references="repository_id:repositories author_id:contributors merged_by_id:contributors",
        indexed="created_at",
    ),
    _table(
        "reviews",
        f"id github_id:integer repository_id pull_request_id author_id state body commit_id submitted_at:time {_GONE}",
        references="repository_id:repositories pull_request_id:pull_requests author_id:contributors",
        indexed="submitted_at",
    ),
    _table(
        "comments",
        "id github_id:integer comment_type repository_id pull_request_id issue_id commenter_id body in_reply_to_id "
        "review_github_id:integer path position:integer original_position:integer diff_hunk commit_id "
        f"original_commit_id created_at:time updated_at:time {_GONE}",
        references="repository_id:repositories pull_request_id:pull_requests issue_id:issues "
        "commenter_id:contributors in_reply_to_id:comments",
        indexed="created_at",
    ),
    _table(
        "issues",
        "id github_id:integer repository_id number:integer title body state state_reason author_id closed_by_id "
        "labels:json assignees:json milestone:json comments_count:integer is_pull_request:boolean html_url "
        f"created_at:time updated_at:time closed_at:time capture_gap {_GONE}",
        references="repository_id:repositories author_id:contributors closed_by_id:contributors",
        indexed="created_at",
    ),
    _table(
        "discussions",
        "id github_id:integer repository_id number:integer title body state state_reason category_name author_id "
        "author_login is_answered:boolean answer_id answer_chosen_at:time answer_chosen_by upvote_count:integer "
        "comment_count:integer locked:boolean url created_at:time updated_at:time closed_at:time capture_gap "
        f"{_GONE}",
        references="repository_id:repositories author_id:contributors",
        indexed="created_at",
    ),
    _table(
        "discussion_comments",
        "id github_id:integer repository_id discussion_id parent_comment_id author_id author_login body "
        "is_answer:boolean upvote_count:integer reply_count:integer url created_at:time updated_at:time "
        f"deleted_at:time {_GONE}",
        references="repository_id:repositories discussion_id:discussions parent_comment_id:discussion_comments "
        "author_id:contributors",
    ),
    _table(
        "pull_request_files",
        "repository_id pull_request_id number:integer position:integer path change_type additions:integer "
        "deletions:integer",
        key="pull_request_id position",
        references="repository_id:repositories pull_request_id:pull_requests",
    ),
    _table(
        "pull_request_commits",
        "repository_id pull_request_id number:integer position:integer oid message authored_at:time "
        "committed_at:time author_name author_github_id:integer author_login",
        key="pull_request_id position",
        references="repository_id:repositories pull_request_id:pull_requests",
        indexed="oid",
    ),
    _table(
        "events",
        "id repository_id event_type event_id actor_login actor_github_id:integer created_at:time source payload:json",
        indexed="event_type created_at",
    ),
    _table(
        "star_days", "repository_id day:day stars:integer provisional:boolean read_at:time", key="repository_id day"
    ),
    _table("count_snapshots", "repository_id taken_at:time stars:integer forks:integer", key="repository_id taken_at"),
)
_EMBEDDINGS = _table("embeddings", "item_type item_id repository_id embedding:json", key="item_type item_id")
NAMES = frozenset(each.name for each in (*_TABLES, _EMBEDDINGS))


def tables(*, embeddings: bool = False) -> tuple[ExportedTable, ...]:
    """Return the tables in the order in which they are written, vectors only where they are wanted."""
    return (*_TABLES, _EMBEDDINGS) if embeddings else _TABLES


def format_of(ending: str, given: str) -> ExportFormat | None:
    """Return the format that is given, or that the ending of a path says; None where the two contradict each other.

    Raises ValueError for a word that is no format.
    """
    by_ending = ENDINGS.get(ending.lower())
    wanted = ExportFormat(given.lower()) if given else by_ending or ExportFormat.CSV
    return None if by_ending is not None and by_ending != wanted else wanted


def words(names: Iterable[str]) -> str:
    """Return names as a person lists them: `a, b or c`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
