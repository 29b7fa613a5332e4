"""However much there is, a search reads a bounded part of it, and finds and orders what a look at everything does."""

from __future__ import annotations

import random
import string

import pytest

from gh_backfill.resources import sql
from gh_backfill.store.db import Database
from gh_backfill.store.search import EXACT, POOL, SearchScope
from gh_backfill.tasks.search.find import find
from tests.embedding_rows import rows
from tests.search_rows import RECIPE, Item, always, names, nobody, store

EVERYWHERE = SearchScope()
# What the index of words is made of, and what the rank is: the signs that stand for spaces.
ALL, FEW = string.punctuation, "./-@<&+~"
MANY = 1_000


def test_eight_signs_for_spaces_make_the_same_words_of_a_text_as_all_of_them(db: Database) -> None:
    dice = random.Random(14)  # noqa: S311
    signs = string.punctuation * 2 + "abE19 é日\nwX0"
    texts = ["".join(dice.choices(signs, k=dice.randint(3, 40))) for _ in range(3_000)]
    texts += ["".join(dice.choices("a1b2.-/@<>&+_:e'%~x ;", k=dice.randint(3, 30))) for _ in range(3_000)]
    texts += ["see https://a.test/b?c=d#e, x@y.test, -1.5e3, +7, &amp; <b>bold</b> ~/lib/a_b.c:12 v1.2.3-rc.1"]
    differing = (
        "select t from jsonb_array_elements_text(%(texts)s) t where to_tsvector('english', translate(t, %(every)s, "
        "repeat(' ', 32))) <> to_tsvector('english', translate(t, %(few)s, repeat(' ', 8)))"
    )
    assert rows(db, differing, texts=texts, every=ALL, few=FEW) == []
    assert rows(db, differing, texts=texts, every=ALL, few="./-@<& ~ ")
    assert sql("search")["search_words"].count(f"'{FEW}', repeat(' ', 8)") == 4


def test_words_order_items_as_a_rank_of_every_text_by_the_words_of_the_index_does(db: Database) -> None:
    dice = random.Random(15)  # noqa: S311

    def some(least: int, most: int) -> str:
        signs = [" ", " ", " ", ".", "/", "-", "_", ", ", "<", "(", "\n"]
        return "".join(f"w{int(dice.random() ** 3 * 60)}{dice.choice(signs)}" for _ in range(dice.randint(least, most)))

    one = store(db, "octo/one", [Item(number=n, title=some(2, 6), body=some(5, 60)) for n in range(1, 160)])
    reference = """
        select i.number from issues i, lateral (
            select translate(i.title, %(signs)s, repeat(' ', 32)) as title, translate(i.body, %(signs)s, repeat(' ', 32)) as body
        ) t, lateral (
            select setweight(to_tsvector('english', t.title), 'A') || to_tsvector('english', t.body) as words
        ) w
        where to_tsvector('english', t.title || ' ' || t.body) @@ websearch_to_tsquery('english', %(words)s)
        order by case when position(%(words)s in i.title) > 0 then 2 when position(%(words)s in i.body) > 0 then 1 else 0 end desc,
                 ts_rank_cd(w.words, websearch_to_tsquery('english', %(words)s), 1) desc, i.updated_at desc"""  # noqa: E501
    compared = 0
    for words in (*(f"w{n}" for n in range(60)), "w1 w9", "w2 w3 w30", "w4 -w0", "w50 or w55"):
        best = [each["number"] for each in rows(db, reference, signs=ALL, words=words)]
        if 0 < len(best) <= POOL:
            told = find(db, words, SearchScope(repositories=(one,)), nobody, limit=10)
            assert [each.item.number for each in told.items if each.by_words][:10] == best[:10], words
            compared += 1
    assert compared > 30


@pytest.fixture
def many(db: Database) -> Database:
    """Fill a table with items that have two words far from each other, the oldest of which have them side by side."""
    store(db, "octo/one", [])
    with db.transaction() as tx:
        tx.run(
            "insert into issues (github_id, repository_id, number, title, body, state, created_at, updated_at) "
            "select n, (select id from repositories), n, 'title ' || n, case n "
            "when 1 then 'a session->lock() here' "
            "when 2 then 'session locked' when 3 then 'the SESSION_LOCK' when 4 then 'crashes' "
            "else 'a lock of a session' end, 'open', "
            "now(), '2026-01-01'::timestamptz + n * interval '1 minute' from generate_series(1, %(many)s) n",
            many=MANY,
        )
    with db.transaction() as tx:
        tx.run("analyze issues")
    return db


def test_a_phrase_of_words_that_are_everywhere_is_found_however_old_it_is(many: Database) -> None:
    assert names(find(many, "session_lock", EVERYWHERE, nobody, limit=3))[:2] == ["octo/one#3", "octo/one#1"]
    assert set(names(find(many, '"session lock" or "title 7"', EVERYWHERE, nobody))) == {
        "octo/one#1", "octo/one#3", "octo/one#7",
    }  # fmt: skip
    some = find(many, "session_lock or crashing", EVERYWHERE, nobody)
    assert set(names(some)) == {"octo/one#1", "octo/one#3", "octo/one#4"}
    left = find(many, 'lock session -"a lock"', EVERYWHERE, nobody)
    assert names(left)[:3] == ["octo/one#3", "octo/one#2", "octo/one#1"]


def test_of_the_newest_also_other_forms_of_the_words_of_a_phrase_are_found(db: Database) -> None:
    store(db, "octo/one", [Item(number=1, body="sessions locked"), Item(number=2, body="the lock of a session")])
    assert names(find(db, '"session lock"', EVERYWHERE, nobody)) == ["octo/one#1"]


def test_no_worker_is_started_for_the_words_and_few_texts_are_fetched(many: Database) -> None:
    asked = {"words": "lock", "loose": "lock", "literal": "lock", "pool": 60, "reach": 60, "most": 50}
    asked |= {"phrased": False, "checked": 0, "either": False, "patterns": (), "excluded": ()}
    with many.transaction(read_only=True) as tx:
        for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            tx.run(f"set local {setting} = 0")
        tx.run(sql("search")["search_tell_costs"])
        plan = tx.rows(
            f"explain (analyze, format json) {sql('search')['search_words']}", **EVERYWHERE.parameters(), **asked
        )[0]["QUERY PLAN"][0]["Plan"]

    def nodes(node: dict[str, object]) -> list[dict[str, object]]:
        below = node.get("Plans", [])
        assert isinstance(below, list)
        return [node, *(each for plan in below for each in nodes(plan))]

    assert not [each for each in nodes(plan) if "Gather" in str(each["Node Type"])]
    (texts,) = [each for each in nodes(plan) if each.get("Subplan Name") == "CTE texts"]
    assert texts["Actual Rows"] == 60


def test_an_index_finds_the_nearest_of_what_is_too_much_to_compare(db: Database) -> None:
    with db.transaction() as tx:
        tx.run("select setseed(0.5)")
        tx.run(
            "insert into repositories (github_id, full_name, owner, name, is_private) "
            "select n, 'octo/r' || n, 'octo', 'r' || n, false from generate_series(1, 10) n"
        )
        tx.run("drop index idx_issues_embedding")
        # Each repository has its own part of each cluster, as topics have: the first has four tenths of everything.
        tx.run(
            "with centres as materialized (select c, array_agg(random() - 0.5) as at "
            "    from generate_series(0, 39) c, generate_series(1, 384) group by c) "
            "insert into issues (github_id, repository_id, number, title, state, created_at, updated_at, embedding, "
            "    content_hash, embedding_generated_at) "
            "select n, r.id, n, 'title ' || n, 'open', now(), now(), "
            "    ((select array_agg(x + (random() - 0.5) * 0.6 + n * 0.0) from unnest(c.at[1:48]) x) "
            "     || c.at[49:])::real[], %(hash)s, now() "
            "from generate_series(1, 8000) n join centres c on c.c = (n / 7) %% 40 "
            "join repositories r on r.github_id = case when n %% 100 < 40 then 1 else 2 + n %% 9 end",
            hash=RECIPE.content_hash("text"),
        )
    with db.transaction() as tx:
        tx.run("create index idx_issues_embedding on issues using hnsw (embedding vector_cosine_ops) "
               "where embedding is not null")  # fmt: skip
        tx.run("analyze issues")
    (one,) = rows(db, "select id from repositories where github_id = 1")
    asked = rows(db, "select embedding::text as at from issues order by hashint4(number) limit 40")
    shared = 0
    for each in asked:
        exact, indexed = (
            names(find(db, "xylophone", SearchScope(repositories=(one["id"],), exact_up_to=most), always(each["at"])))
            for most in (EXACT, 0)
        )
        assert len(indexed) == len(exact) == 10
        shared += len(set(exact) & set(indexed))
    assert shared / (10 * len(asked)) >= 0.95
