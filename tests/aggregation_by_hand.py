"""Figures of repositories and workspaces from plain rows, by hand: no code is shared with the product, which it checks.

Rows are those of the tables, as they are; times are seconds since 1970.  No table is joined by a database.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAY = 86_400.0
HOUR = 3_600.0
PERIODS = {"7d": 7, "30d": 30, "90d": 90, "all": None}
Row = Mapping[str, Any]


@dataclass
class Pull:
    """A pull request with what can be said of it."""

    repository: str
    author: str | None
    bot: bool
    draft: bool
    state: str
    opened: float
    merged: float | None
    closed: float | None
    first_review: float | None = None

    @property
    def hours_to_merge(self) -> float | None:
        """Hours from the opening to the merge, where both are known and in this order."""
        return (self.merged - self.opened) / HOUR if self.merged is not None and self.merged >= self.opened else None

    @property
    def hours_to_first_review(self) -> float | None:
        """Hours from the opening to the first review."""
        return (self.first_review - self.opened) / HOUR if self.first_review is not None else None


@dataclass
class Act:
    """Somebody did something in a repository."""

    repository: str
    who: str
    what: str
    at: float
    of: str = ""
    state: str = ""
    after: float | None = None


@dataclass
class Talk:
    """A discussion: when it was opened, whether it is answered, and when that was."""

    repository: str
    opened: float
    answered: bool
    answered_at: float | None


@dataclass
class Remark:
    """A comment on a discussion, and its author's id."""

    repository: str
    who: str | None
    at: float
    is_answer: bool


@dataclass
class World:
    """Everything that counts, of the rows that are there."""

    bots: set[str]
    names: dict[str, str]
    pulls: dict[str, Pull] = field(default_factory=dict)
    issues: list[Pull] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def world(tables: Mapping[str, Sequence[Row]]) -> World:
    people = {row["id"]: row for row in tables["contributors"]}
    numbers = {row["github_id"]: row["id"] for row in tables["contributors"]}
    bots = {own for own, row in people.items() if row["is_bot"] or row["username"].endswith("[bot]")}
    made = World(bots=bots, names={own: row["username"] for own, row in people.items()})
    repositories = {row["id"] for row in tables["repositories"]}
    for row in tables["pull_requests"]:
        if row["gone_at"] or row.get("is_spam") or row["repository_id"] not in repositories:
            continue
        author = row["author_id"] or numbers.get(row["author_github_id"])
        login = people[author]["username"] if author else row["author_login"] or ""
        merged = row["state"] == "merged" or row["merged"] or row["merged_at"] is not None
        opened = row["created_at"].timestamp()
        made.pulls[row["id"]] = Pull(
            repository=row["repository_id"],
            author=author,
            bot=author in bots or login.endswith("[bot]"),
            draft=bool(row["draft"]) and row["state"] == "open",
            state="merged" if merged else row["state"],
            opened=opened,
            merged=seconds(row["merged_at"]),
            closed=seconds(row["closed_at"]),
        )
        if author:
            made.acts.append(
                Act(row["repository_id"], author, "pull_request", opened, state="merged" if merged else "")
            )
    _issues(made, tables, people)
    _reviews(made, tables)
    _comments(made, tables)
    _discussions(made, tables, numbers)
    return made


def _discussions(made: World, tables: Mapping[str, Sequence[Row]], numbers: Mapping[int, str]) -> None:
    homes = {row["id"]: row["repository_id"] for row in tables["discussions"] if not row["gone_at"]}
    for row in tables["discussions"]:
        if row["id"] not in homes or row["repository_id"] is None:
            continue
        opened, who = row["created_at"].timestamp(), numbers.get(row["author_id"])
        answered = bool(row["is_answered"])
        made.talks.append(Talk(row["repository_id"], opened, answered, seconds(row["answer_chosen_at"])))
        if who:
            made.acts.append(Act(row["repository_id"], who, "discussion", opened))
    for row in tables["discussion_comments"]:
        home = homes.get(row["discussion_id"])
        if home is None or row["gone_at"] or row["deleted_at"]:
            continue
        at, who = row["created_at"].timestamp(), numbers.get(row["author_github_id"])
        made.remarks.append(Remark(home, who, at, bool(row["is_answer"])))
        if who:
            made.acts.append(Act(home, who, "discussion_comment", at, state="answer" if row["is_answer"] else ""))


def _issues(made: World, tables: Mapping[str, Sequence[Row]], people: Mapping[str, Row]) -> None:
    for row in tables["issues"]:
        if row["gone_at"] or row["is_pull_request"]:
            continue
        state = "closed" if row["state"] == "closed" else "open"
        opened = row["created_at"].timestamp()
        issue = Pull(
            repository=row["repository_id"],
            author=row["author_id"],
            bot=False,
            draft=False,
            state=state,
            opened=opened,
            merged=None,
            closed=seconds(row["closed_at"]),
        )
        made.issues.append(issue)
        if row["author_id"] in people:
            made.acts.append(Act(row["repository_id"], row["author_id"], "issue", opened))


def _reviews(made: World, tables: Mapping[str, Sequence[Row]]) -> None:
    for row in sorted(tables["reviews"], key=lambda row: (row["submitted_at"], row["id"])):
        pull = made.pulls.get(row["pull_request_id"])
        if pull is None or row["gone_at"] or row["state"] == "PENDING":
            continue
        at, who = row["submitted_at"].timestamp(), row["author_id"]
        own = who == pull.author
        after = at - pull.opened if at >= pull.opened else None
        made.acts.append(
            Act(
                pull.repository,
                who,
                "own_review" if own else "review",
                at,
                of=row["pull_request_id"],
                state=row["state"],
                after=after,
            )
        )
        _first(made, pull, who, at)


def _comments(made: World, tables: Mapping[str, Sequence[Row]]) -> None:
    issues = {row["id"]: row for row in tables["issues"] if not row["gone_at"] and not row["is_pull_request"]}
    for row in tables["comments"]:
        if row["gone_at"] or row["commenter_id"] is None:
            continue
        at, who = row["created_at"].timestamp(), row["commenter_id"]
        pull = made.pulls.get(row["pull_request_id"] or "")
        if pull is not None:
            made.acts.append(Act(pull.repository, who, "comment", at))
            if row["comment_type"] == "review_comment" and row["review_github_id"] is None:
                _first(made, pull, who, at)
        elif row["issue_id"] in issues:
            made.acts.append(Act(issues[row["issue_id"]]["repository_id"], who, "comment", at))


def _first(made: World, pull: Pull, who: str, at: float) -> None:
    if who == pull.author or who in made.bots or at < pull.opened:
        return
    pull.first_review = at if pull.first_review is None else min(at, pull.first_review)


def quantile(values: Iterable[float | None], share: float) -> float | None:
    """Linear between the two nearest ranks."""
    found = sorted(value for value in values if value is not None)
    if not found:
        return None
    place = share * (len(found) - 1)
    low = int(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (place - low) * (found[high] - found[low])


def workspace(made: World, repositories: Iterable[str], now: float) -> dict[str, dict[str, Any]]:
    """Figures of each period, by the names of the columns."""
    own = set(repositories)
    pulls = [pull for pull in made.pulls.values() if pull.repository in own]
    issues = [issue for issue in made.issues if issue.repository in own]
    acts = [act for act in made.acts if act.repository in own and act.who not in made.bots]
    talks = [talk for talk in made.talks if talk.repository in own]
    remarks = [remark for remark in made.remarks if remark.repository in own and remark.who not in made.bots]
    found = {}
    for period, days in PERIODS.items():
        if days is None:
            found[period] = _window(made, pulls, issues, acts, None, now) | _talked(talks, remarks, None, now)
            continue
        begins, earlier = now - days * DAY, now - 2 * days * DAY
        current = _window(made, pulls, issues, acts, begins, now) | _talked(talks, remarks, begins, now)
        before = _window(made, pulls, issues, acts, earlier, begins) | _talked(talks, remarks, earlier, begins)
        compared = (
            "contributors",
            "pull_requests_opened",
            "pull_requests_merged",
            "pull_requests_closed",
            "issues_opened",
            "issues_closed",
            "reviews",
            "median_hours_to_merge",
            "median_hours_to_first_review",
            "discussions_opened",
            "discussions_answered",
            "discussion_comments",
        )
        found[period] = current | {f"previous_{name}": before[name] for name in compared}
    return found


def _window(
    made: World, pulls: list[Pull], issues: list[Pull], acts: list[Act], begins: float | None, ends: float
) -> dict[str, Any]:
    def within(at: float | None) -> bool:
        return at is not None and at <= ends and (begins is None or at > begins)

    def dated(state: str, item: Pull, at: float | None) -> bool:
        return item.state == state and (begins is None or within(at))

    acting = [act for act in acts if within(act.at)]
    firsts: dict[str, float] = {}
    for act in acts:
        firsts[act.who] = min(act.at, firsts.get(act.who, act.at))
    load = Counter(act.who for act in acting if act.what == "review")
    busiest = min(load, key=lambda who: (-load[who], made.names[who].lower())) if load else None
    people = {act.who for act in acting}
    return {
        "contributors": len(people),
        "new_contributors": sum(begins is None or firsts[who] > begins for who in people),
        "pull_requests_opened": sum(within(pull.opened) for pull in pulls),
        "pull_requests_merged": sum(dated("merged", pull, pull.merged) for pull in pulls),
        "pull_requests_closed": sum(dated("closed", pull, pull.closed) for pull in pulls),
        "pull_requests_open": sum(pull.state == "open" for pull in pulls),
        "pull_requests_draft": sum(pull.draft for pull in pulls),
        "median_hours_to_merge": quantile(
            (pull.hours_to_merge for pull in pulls if not pull.bot and within(pull.merged)), 0.5
        ),
        "median_hours_to_first_review": quantile(
            (pull.hours_to_first_review for pull in pulls if not pull.bot and within(pull.first_review)), 0.5
        ),
        "issues_opened": sum(within(issue.opened) for issue in issues),
        "issues_closed": sum(dated("closed", issue, issue.closed) for issue in issues),
        "issues_open": sum(issue.state == "open" for issue in issues),
        "reviews": sum(load.values()),
        "reviewers": len(load),
        "busiest_reviewer": None if busiest is None else made.names[busiest],
        "busiest_reviewer_share": None if busiest is None else load[busiest] / sum(load.values()),
    }


def _talked(talks: list[Talk], remarks: list[Remark], begins: float | None, ends: float) -> dict[str, Any]:
    def within(at: float | None) -> bool:
        return at is not None and at <= ends and (begins is None or at > begins)

    return {
        "discussions_opened": sum(within(talk.opened) for talk in talks),
        "discussions_answered": sum(talk.answered and (begins is None or within(talk.answered_at)) for talk in talks),
        "discussion_comments": sum(within(remark.at) for remark in remarks),
    }


def bucket(at: float, grain: str) -> date:
    """The Monday, or the first of the month, of a moment."""
    day = datetime.fromtimestamp(at, UTC).date()
    return day.replace(day=1) if grain == "month" else day - timedelta(days=day.weekday())


def cycle_times(made: World, grain: str) -> dict[tuple[str, date], tuple[Any, ...]]:
    """By repository and bucket: merged and three quantiles of hours, reviewed and three quantiles of hours."""
    merged: dict[tuple[str, date], list[float]] = defaultdict(list)
    reviewed: dict[tuple[str, date], list[float]] = defaultdict(list)
    for pull in made.pulls.values():
        if pull.bot:
            continue
        if pull.hours_to_merge is not None and pull.merged is not None:
            merged[pull.repository, bucket(pull.merged, grain)].append(pull.hours_to_merge)
        if pull.hours_to_first_review is not None and pull.first_review is not None:
            reviewed[pull.repository, bucket(pull.first_review, grain)].append(pull.hours_to_first_review)

    def of(hours: list[float]) -> tuple[Any, ...]:
        return (len(hours), *(quantile(hours, share) for share in (0.5, 0.75, 0.9)))

    return {key: of(merged.get(key, [])) + of(reviewed.get(key, [])) for key in {*merged, *reviewed}}


def reviewer_load(made: World, grain: str) -> dict[tuple[str, date, str], tuple[Any, ...]]:
    """By repository, bucket and reviewer: reviews, pull requests, approvals, changes requested, median hours."""
    found: dict[tuple[str, date, str], list[tuple[Act, bool]]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for act in made.acts:  # in the order of their times
        if act.what == "review":
            found[act.repository, bucket(act.at, grain), act.who].append((act, (act.of, act.who) not in seen))
            seen.add((act.of, act.who))
    return {
        key: (
            len(acts),
            len({act.of for act, _ in acts}),
            sum(act.state == "APPROVED" for act, _ in acts),
            sum(act.state == "CHANGES_REQUESTED" for act, _ in acts),
            quantile((act.after / HOUR for act, first in acts if first and act.after is not None), 0.5),
        )
        for key, acts in found.items()
    }


def contributors(made: World) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By repository and person: pull requests, merged, reviews, comments, issues, first and last."""
    found: dict[tuple[str, str], list[Act]] = defaultdict(list)
    for act in made.acts:
        found[act.repository, act.who].append(act)
    return {
        key: (
            sum(act.what == "pull_request" for act in acts),
            sum(act.state == "merged" for act in acts),
            *(sum(act.what == what for act in acts) for what in ("review", "comment", "issue")),
            min(act.at for act in acts),
            max(act.at for act in acts),
        )
        for key, acts in found.items()
    }


def activity(made: World, grain: str) -> dict[tuple[str, date], tuple[Any, ...]]:
    """By repository and bucket: opened, merged, closed, issues opened and closed, reviews, comments, contributors."""
    sums: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
    people: dict[tuple[str, date], set[str]] = defaultdict(set)

    def add(item: Pull, what: str, at: float | None) -> None:
        if at is not None:
            sums[item.repository, bucket(at, grain)][what] += 1

    for pull in made.pulls.values():
        add(pull, "opened", pull.opened)
        add(pull, "merged", pull.merged if pull.state == "merged" else None)
        add(pull, "closed", pull.closed if pull.state == "closed" else None)
    for issue in made.issues:
        add(issue, "issue opened", issue.opened)
        add(issue, "issue closed", issue.closed if issue.state == "closed" else None)
    for act in made.acts:
        key = act.repository, bucket(act.at, grain)
        sums[key]["acted"] += 1
        if act.who not in made.bots:
            people[key].add(act.who)
            sums[key][act.what] += 1
    names = ("opened", "merged", "closed", "issue opened", "issue closed", "review", "comment")
    return {key: (*(sums[key][name] for name in names), len(people[key])) for key in sums}


def talkers(made: World) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By repository and person: discussions, comments on any, answers, first and last."""
    found: dict[tuple[str, str], list[Act]] = defaultdict(list)
    for act in made.acts:
        if act.what in ("discussion", "discussion_comment"):
            found[act.repository, act.who].append(act)
    return {
        key: (
            sum(act.what == "discussion" for act in acts),
            sum(act.what == "discussion_comment" for act in acts),
            sum(act.state == "answer" for act in acts),
            min(act.at for act in acts),
            max(act.at for act in acts),
        )
        for key, acts in found.items()
    }


def talk(made: World, grain: str) -> dict[tuple[str, date], tuple[Any, ...]]:
    """By repository and bucket: opened, answered, comments, contributors, median hours to the answer."""
    opened: Counter[tuple[str, date]] = Counter((each.repository, bucket(each.opened, grain)) for each in made.talks)
    answered: dict[tuple[str, date], list[float | None]] = defaultdict(list)
    for each in made.talks:
        if each.answered and each.answered_at is not None:
            hours = (each.answered_at - each.opened) / HOUR
            answered[each.repository, bucket(each.answered_at, grain)].append(hours if hours >= 0 else None)
    remarks: dict[tuple[str, date], list[Remark]] = defaultdict(list)
    for remark in made.remarks:
        remarks[remark.repository, bucket(remark.at, grain)].append(remark)
    people: dict[tuple[str, date], set[str]] = defaultdict(set)
    for act in made.acts:
        if act.what in ("discussion", "discussion_comment") and act.who not in made.bots:
            people[act.repository, bucket(act.at, grain)].add(act.who)
    return {
        key: (
            opened[key],
            len(answered.get(key, [])),
            sum(remark.who not in made.bots for remark in remarks.get(key, [])),
            len(people.get(key, ())),
            quantile(answered.get(key, []), 0.5),
        )
        for key in {*opened, *answered, *remarks}
    }
