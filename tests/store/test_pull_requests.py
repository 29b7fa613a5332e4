"""What is written is what was read: once, by its identity, whatever was there before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from gh_backfill.models.github import GHOST, Person, Unreadable
from gh_backfill.models.pull_requests import CompletePullRequest, PullRequestState
from gh_backfill.models.work import RowCounts, TrackedRepository
from gh_backfill.store import people, pull_requests
from gh_backfill.store.batches import LARGEST_PART
from gh_backfill.store.db import Database, Row
from tests.conftest import VARIANTS
from tests.examples import ADA, BOB, NOW, comment, complete, pull_request, review, review_comment, tracked


def write(
    db: Database, chunk: Sequence[CompletePullRequest], unreadable: Sequence[Unreadable] = ()
) -> tuple[RowCounts, TrackedRepository]:
    with db.transaction() as tx:
        repository = tracked(tx)
        people.store_people(tx, pull_requests.people_of(chunk))
    with db.transaction() as tx:
        return pull_requests.write(tx, repository, chunk, unreadable).counts, repository


def rows(db: Database, statement: str) -> list[Row]:
    with db.transaction(read_only=True) as tx:
        return tx.rows(statement)


def logins(db: Database) -> dict[int, str]:
    return {row["github_id"]: row["username"] for row in rows(db, "select github_id, username from contributors")}


def test_a_chunk_is_stored_with_everything_that_belongs_to_it(db: Database) -> None:
    reply = review_comment(12, reply_to=3_250_000_001)
    chunk = [complete(1, review_comments=(review_comment(1), reply)), complete(2)]
    counts, repository = write(db, chunk)
    assert counts == RowCounts(inserted=2 + 2 + 2 + 3)
    (stored,) = rows(db, "select * from pull_requests where number = 1")
    assert (stored["github_id"], stored["repository_full_name"], stored["author_login"]) == (
        2_250_000_001,
        "octo/engine",
        "ada",
    )
    assert stored["repository_id"] == repository.id
    (parent,) = rows(
        db, "select c.in_reply_to_id, p.github_id from comments c join comments p on p.id = c.in_reply_to_id"
    )
    assert parent["github_id"] == 3_250_000_001


def test_the_same_chunk_again_changes_nothing(db: Database) -> None:
    chunk = [complete(number) for number in range(1, 6)]
    first, _ = write(db, chunk)
    before = rows(db, "select * from pull_requests order by id") + rows(db, "select * from comments order by id")
    second, _ = write(db, chunk)
    assert second == RowCounts(unchanged=first.inserted)
    after = rows(db, "select * from pull_requests order by id") + rows(db, "select * from comments order by id")
    assert after == before


def test_a_newer_reading_replaces_an_older_one_and_never_the_other_way_round(db: Database) -> None:
    old = complete(1)
    edited = pull_request(1, title="Edited", state=PullRequestState.MERGED, updated_at=NOW + timedelta(hours=1))
    write(db, [old])
    counts, _ = write(db, [replace(old, pull_request=edited)])
    assert counts.updated == 1
    write(db, [old])
    (stored,) = rows(db, "select title, state, merged from pull_requests")
    assert stored == {"title": "Edited", "state": "merged", "merged": True}


def test_101_of_everything_is_stored(db: Database) -> None:
    chunk = [
        complete(
            1,
            reviews=tuple(review(n) for n in range(101)),
            review_comments=tuple(review_comment(n) for n in range(101)),
            comments=tuple(comment(n) for n in range(101)),
        )
    ]
    counts, _ = write(db, chunk)
    assert counts.inserted == 1 + 303


def test_a_deleted_author_is_the_ghost_and_drops_nothing(db: Database) -> None:
    write(db, [complete(1, pull_request=pull_request(1, author=GHOST), comments=(comment(1, author=GHOST),))])
    (stored,) = rows(
        db, "select p.author_github_id, c.username from pull_requests p join contributors c on c.id = p.author_id"
    )
    assert stored == {"author_github_id": 10137, "username": "ghost"}


def test_a_renamed_account_keeps_its_row_and_takes_its_new_login(db: Database) -> None:
    write(db, [complete(1)])
    before = rows(db, "select id from contributors where github_id = 1001")
    write(
        db,
        [
            complete(
                1,
                comments=(comment(1, author=replace(ADA, login="ada-l")),),
                pull_request=pull_request(1, author=replace(ADA, login="ada-l")),
            )
        ],
    )
    assert logins(db)[1001] == "ada-l"
    assert rows(db, "select id from contributors where github_id = 1001") == before


def test_a_login_taken_over_by_another_account_belongs_to_the_new_owner(db: Database) -> None:
    write(db, [complete(1)])
    heir = Person(github_id=77, login="ada")
    write(db, [complete(2, pull_request=pull_request(2, author=heir), comments=(comment(2, author=heir),))])
    assert logins(db)[77] == "ada"
    assert logins(db)[1001] == "ada~1001"


def test_two_accounts_that_swap_their_logins_end_with_the_right_ones(db: Database) -> None:
    write(db, [complete(1)])
    swapped = complete(
        1,
        pull_request=pull_request(1, author=replace(ADA, login="bob")),
        reviews=(review(1, author=replace(BOB, login="ada")),),
        review_comments=(),
        comments=(),
    )
    write(db, [swapped])
    assert (logins(db)[1001], logins(db)[BOB.github_id]) == ("bob", "ada")


def test_one_login_seen_with_two_accounts_in_one_chunk_is_given_once(db: Database) -> None:
    heir = Person(github_id=5, login="ada")
    chunk = [complete(1), complete(2, comments=(comment(2, author=heir),), pull_request=pull_request(2, author=heir))]
    write(db, chunk)
    assert logins(db) == {1001: "ada~1001", 5: "ada", BOB.github_id: "bob"}


def test_a_pending_review_has_no_date_and_is_not_stored(db: Database) -> None:
    write(db, [complete(1, reviews=(review(1), review(2, state="PENDING", submitted_at=None)))])
    assert len(rows(db, "select 1 from reviews")) == 1


def test_a_review_comment_and_a_comment_with_the_same_number_are_both_kept(db: Database) -> None:
    chunk = [complete(1, review_comments=(review_comment(1, github_id=9),), comments=(comment(1, github_id=9),))]
    counts, _ = write(db, chunk)
    assert counts.quarantined == 0
    assert len(rows(db, "select 1 from comments where github_id = 9")) == 2


@pytest.mark.parametrize("together", [True, False])
def test_where_both_kinds_share_one_number_space_the_second_goes_whole_into_quarantine(
    existing_database_url: str, together: bool
) -> None:
    with Database(existing_database_url) as db:
        first = complete(1, review_comments=(), comments=(comment(1, github_id=9),))
        second = complete(2, review_comments=(review_comment(2, github_id=9, body="mine"),), comments=())
        if together:
            counts, repository = write(db, [first, second])
        else:
            write(db, [first])
            counts, repository = write(db, [second])
        assert counts.quarantined == 1
        stored = rows(db, "select comment_type from comments where github_id = 9")
        assert stored == [{"comment_type": "issue_comment"}]
        (kept,) = rows(db, "select repository_id, kind, github_id, payload ->> 'body' as body from backfill_quarantine")
        assert kept == {"repository_id": repository.id, "kind": "review_comment", "github_id": 9, "body": "mine"}


@pytest.mark.parametrize("existing_database_url", VARIANTS, indirect=True)
def test_it_writes_new_and_known_rows_of_an_existing_installation(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        merged = complete(1, pull_request=pull_request(1, state=PullRequestState.MERGED, merged_by=BOB))
        first, _ = write(db, [merged, complete(2)])
        second, _ = write(db, [merged, complete(2)])
        assert second == RowCounts(unchanged=first.inserted)
        (stored,) = rows(db, "select merged, state from pull_requests where github_id = 2250000001")
        assert stored["merged"] is True
        assert stored["state"] in {"merged", "closed"}


def test_the_ghost_takes_its_login_from_the_invented_account_of_an_existing_installation(
    existing_database_url: str,
) -> None:
    with Database(existing_database_url) as db:
        write(db, [complete(1, pull_request=pull_request(1, author=GHOST))])
        assert logins(db)[10137] == "ghost"
        assert logins(db)[0] == "ghost~0"


def test_what_could_not_be_read_is_kept_with_its_reason_and_counted_once(db: Database) -> None:
    lost = Unreadable(kind="review", identity="PRR_x", reason="fullDatabaseId is missing", number=1, payload={"a": 1})
    counts, _ = write(db, [complete(1)], [lost])
    write(db, [complete(1)], [lost])
    assert counts.quarantined == 1
    (kept,) = rows(db, "select kind, identity, reason, attempts, payload from backfill_quarantine")
    assert kept == {
        "kind": "review",
        "identity": "PRR_x",
        "reason": "fullDatabaseId is missing",
        "attempts": 2,
        "payload": {"a": 1},
    }


def test_a_row_that_comes_twice_in_one_chunk_is_stored_once_as_it_came_last(db: Database) -> None:
    again = comment(1, body="Edited meanwhile.")
    write(db, [complete(1), complete(2, comments=(again, comment(2)))])
    assert rows(db, "select body from comments where github_id = 3350000001") == [{"body": "Edited meanwhile."}]


def test_rows_sent_in_parts_are_the_same_rows_with_replies_and_counts(database_url: str) -> None:
    replies = (
        review_comment(11, reply_to=3_250_000_013),
        review_comment(12, reply_to=3_250_000_013),
        review_comment(13),
    )
    chunk = [
        complete(1, review_comments=replies),
        complete(2),
        complete(3, pull_request=pull_request(3, body="x" * 99)),
    ]
    related = """
        select c.github_id, p.number, o.github_id as parent
        from comments c join pull_requests p on p.id = c.pull_request_id left join comments o on o.id = c.in_reply_to_id
        order by c.github_id
    """
    found = []
    for largest_part, change in ((1, RowCounts(inserted=14)), (LARGEST_PART, RowCounts(unchanged=14))):
        with Database(database_url) as db:
            with db.transaction() as tx:
                repository = tracked(tx)
                written = pull_requests.write(tx, repository, chunk, [], largest_part=largest_part)
            assert written.counts == change
            found.append(rows(db, related))
    assert found[0] == found[1]
    assert sum(row["parent"] is not None for row in found[0]) == 2


def test_a_pull_request_with_more_text_than_one_jsonb_holds_is_stored(db: Database) -> None:
    longest = 55_000_000
    with db.transaction() as tx:
        tx.run("alter table comments alter column body set storage external")  # compressing would take the time
    texts = tuple(comment(number, body=str(number) * longest) for number in range(1, 6))
    counts, _ = write(db, [complete(1, comments=texts)])
    assert (counts.inserted, counts.quarantined) == (8, 0)
    assert rows(db, "select distinct length(body) as n from comments where comment_type = 'issue_comment'") == [
        {"n": longest}
    ]


def test_what_goes_into_quarantine_is_cut_where_it_is_long(db: Database) -> None:
    lost = Unreadable(kind="review", identity="PRR_x", reason="too large", number=1, payload={"body": "x" * 1_000_000})
    write(db, [], [lost])
    (kept,) = rows(db, "select length(payload ->> 'body') as n from backfill_quarantine")
    assert kept["n"] < 101_000
