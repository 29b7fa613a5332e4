"""Issues: what a capture of each repository's issues costs against the fewest points, and the requests of REST."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.rows import IssueRow
from gh_backfill.simulator.world import World
from tests.benchmarks.github import GitHub, Tally, github
from tests.benchmarks.rig import Recorded, Rig, stored_issues
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import FIRST, UNITS, Source

MEASURED = (
    "measured: points of a capture, catch-up included; at most 1.1 times the floor and 2, or a point a page and 1"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueShape:
    """A repository's issues in the numbers that decide their price.

    `further` are the pages after the first one of comments, labels and assignees; `conversations` are the comments on
    pull requests, which REST has in one list with those on issues.
    """

    name: str
    issues: int
    pull_requests: int
    comments: int
    conversations: int
    with_comments: int
    with_labels: int
    with_assignees: int
    further: int

    @property
    def rows(self) -> int:
        """Return how many rows a complete capture stores, people not counted."""
        return self.issues + self.comments

    @property
    def floor(self) -> float:
        """Return the fewest points where each issue is asked for its comments: all units in full queries of one point.

        149 units cost one point, since 149 / 100 is rounded down; a part of a query is counted as a part of a point.
        """
        return (self.issues + self.with_labels + self.with_assignees + self.further) / UNITS

    @property
    def floor_by_counts(self) -> float:
        """Return the fewest points where counts, which are free, say first which issues have comments at all."""
        pages = ceil(self.issues / FIRST)
        return (pages + self.with_comments + self.with_labels + self.with_assignees + self.further) / UNITS

    @property
    def listed(self) -> int:
        """Return the requests of REST for the list of issues, which pull requests are in too."""
        return ceil((self.issues + self.pull_requests) / FIRST)

    @property
    def listed_comments(self) -> int:
        """Return the requests of REST for the list of all comments, those on pull requests included."""
        return ceil((self.comments + self.conversations) / FIRST)

    @property
    def requests(self) -> int:
        """Return the requests of REST for everything."""
        return self.listed + self.listed_comments


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a capture of the issues of one repository cost by the simulated GitHub's account, and what it did."""

    tally: Tally
    done: Recorded


def issues(rig: Rig, source: Source) -> list[Table]:
    """Capture the issues of every repository of a source, and show what that cost beside the floors."""
    shapes, database = issue_shapes(source), rig.database()
    with github(source) as server:
        rig.track([shape.name for shape in shapes], database, server)
        spent = [measure(rig, server, shape, database).tally for shape in shapes]
    return [points_table(shapes, spent), requests_table(shapes)]


def measure(rig: Rig, server: GitHub, shape: IssueShape, database: str) -> Measured:
    """Capture the issues of a tracked repository; RuntimeError unless every row arrived."""
    before = stored_issues(database)
    server.forget()
    done = rig.record(["capture", shape.name, "--kinds", "issues"], database, server, "--still")
    rows = stored_issues(database) - before
    if rows != shape.rows:
        raise RuntimeError(f"{shape.name}: {shape.rows} rows of issues there are, {rows} were stored")
    return Measured(tally=server.tally(), done=done)


def target(shape: IssueShape) -> float:
    """Return the most points that a capture may cost: near the floor, or one for each page and one for what it lacks.

    Pages of at most 100 come one after the other, and what the last one lacks comes after it.
    """
    return max(1.1 * shape.floor + 2, ceil(shape.issues / FIRST) + 1)


def issue_shapes(source: Source) -> list[IssueShape]:
    """Return the shape of the issues of every repository of a source, in order."""
    world = load(source.folders, source.recipes)
    return [
        issue_shape(world, identity)
        for identity, shelf in world.shelves.items()
        if shelf.issues or len(shelf)  # of forks nothing but the name is known
    ]


def issue_shape(world: World, repository_id: int) -> IssueShape:
    """Count the issues of a repository, and what it takes to read them."""
    shelf = world.shelves[repository_id]
    issues = list(shelf.issues.values())
    pulls = [pull for outline in shelf.outlines() if (pull := shelf.pull(outline.number)) is not None]
    users = {issue.number: _users(world, issue) for issue in issues}
    lists = [count for each in issues for count in (len(each.comments), len(each.labels), users[each.number])]
    return IssueShape(
        name=world.repositories[repository_id].full_name,
        issues=len(issues),
        pull_requests=len(pulls),
        comments=sum(len(issue.comments) for issue in issues),
        conversations=sum(len(pull.comments) for pull in pulls),
        with_comments=sum(bool(issue.comments) for issue in issues),
        with_labels=sum(bool(issue.labels) for issue in issues),
        with_assignees=sum(bool(count) for count in users.values()),
        further=sum(ceil(count / FIRST) - 1 for count in lists if count),
    )


def points_table(shapes: Sequence[IssueShape], spent: Sequence[Tally] = ()) -> Table:
    """Show the floors by GraphQL, what was spent where that was measured, and the sums."""
    measured: list[tuple[int, ...]] = [(tally.points, tally.requests) for tally in spent]
    rows: list[tuple[str | int | float, ...]] = [
        (
            shape.name,
            shape.issues,
            shape.comments,
            shape.with_comments,
            shape.with_labels,
            shape.with_assignees,
            shape.further,
            shape.floor,
            shape.floor_by_counts,
            *cost,
        )
        for shape, cost in zip(shapes, measured or [()] * len(shapes), strict=True)
    ]
    columns = ("issues", "comments", "commented", "labelled", "assigned", "further", "floor", "cheaper")
    more = ("measured", "requests") if measured else ()
    return Table(
        section="issues",
        title="the fewest points of a capture of all issues with their comments, labels and assignees",
        columns=("repository", *columns, *more),
        rows=(*rows, _sums(rows)),
        notes=(
            "floor: each issue, its labels and its assignees where it has some, and further pages, 149 a point",
            "cheaper: pages of 100 tell by counts, which are free, what has comments; only those are asked for",
            *([MEASURED] if measured else []),
        ),
        missed=tuple(
            f"{shape.name}: {tally.points} points, the target is {target(shape):.1f}"
            for shape, tally in zip(shapes, spent, strict=False)
            if tally.points > target(shape)
        ),
    )


def requests_table(shapes: Sequence[IssueShape]) -> Table:
    """Show the requests of REST for the same rows, and their sums."""
    rows = [
        (shape.name, shape.issues, shape.pull_requests, shape.listed, shape.listed_comments, shape.requests)
        for shape in shapes
    ]
    return Table(
        section="issues_by_rest",
        title="the requests of REST for the same rows",
        columns=("repository", "issues", "pull requests", "list", "list of comments", "requests"),
        rows=(*rows, _sums(rows)),
        notes=("both lists hold what belongs to pull requests too; the first has labels and assignees; 100 rows each",),
    )


def _sums(rows: Iterable[Sequence[str | int | float]]) -> tuple[str | int | float, ...]:
    """Add up the rows of a table, whose first cells are names."""
    columns = zip(*(row[1:] for row in rows), strict=True)
    return ("all", *(sum(cell for cell in column if not isinstance(cell, str)) for column in columns))


def _users(world: World, issue: IssueRow) -> int:
    """Count the assignees that GraphQL lists: users who are still there."""
    people = (world.account(person) for person in issue.assignees)
    return sum(person is not None and person.type == "User" for person in people)
