from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import queries, writes
from db.errors import StoreError
from db.rows import NewCaption

# One store serves all examples of a test; a busy machine is no failure.
PATIENT = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SYNTAX = st.lists(
    st.sampled_from(
        ["cat", "AND", "OR", "NOT", "NEAR(", ")", '"', "'", "*", "^", ":", "-", "+", "text:", "{"]
    )
    | st.text(max_size=5),
    max_size=6,
).map(" ".join)


def say(store: Any, *texts: str) -> None:
    regions = [
        region
        for image_id in store.images.values()
        for region in queries.regions(store.engine, image_id)
    ]
    new = [
        NewCaption(region.id, text, 1, -1.0) for region, text in zip(regions, texts, strict=False)
    ]
    writes.add_captions(store.engine, store.run_id, new)
    writes.aggregate_captions(store.engine, store.run_id)


def texts(store: Any, words: str, **options: Any) -> list[str]:
    found = queries.search_captions(store.engine, store.run_id, words, **options)
    return sorted(hit.text for hit in found)


def marked(store: Any, words: str) -> list[str]:
    found = queries.search_captions(store.engine, store.run_id, words)
    return sorted(hit.text[start:end] for hit in found for start, end in hit.spans)


def test_words_are_found_in_any_order_case_and_accent(store: Any) -> None:
    assert texts(store, "cat") == ["a grey cat."]
    assert texts(store, "CAT grey") == ["a grey cat."]
    assert texts(store, "cafe") == ["a Café chair."]
    assert texts(store, "grey leaves") == []
    assert texts(store, "") == []


def test_the_last_word_need_only_be_begun(store: Any) -> None:
    assert texts(store, "gre") == ["a grey cat.", "green leaves."]
    assert texts(store, "gre cat") == []


def test_the_found_words_are_marked(store: Any) -> None:
    assert marked(store, "CAT gre") == ["cat", "grey"]
    assert marked(store, "cafe") == ["Café"]


def test_a_hit_says_how_often_and_in_how_many_classes(store: Any) -> None:
    [hit] = queries.search_captions(store.engine, store.run_id, "cat")
    assert (hit.count, hit.classes) == (4, 2)
    [hit] = queries.search_captions(store.engine, store.run_id, "cat", class_id=store.tabby)
    assert (hit.count, hit.classes) == (3, 1)
    assert texts(store, "cat", class_id=store.crane) == []


def test_the_best_come_first_and_no_more_than_asked_for(store: Any) -> None:
    say(store, "cat", "a cat among many other things that are not at all like it")
    found = queries.search_captions(store.engine, store.run_id, "cat")
    assert found[0].text == "cat"
    assert len(queries.search_captions(store.engine, store.run_id, "cat", limit=1)) == 1


@pytest.mark.parametrize(
    "words", ['"cat', "cat OR leaves", "text:cat", "NEAR(cat grey)", "cat*", "-cat", "^cat", "(cat"]
)
def test_syntax_is_only_words(store: Any, words: str) -> None:
    assert texts(store, words) in ([], ["a grey cat."])
    assert texts(store, "cat OR leaves") == []


@pytest.mark.parametrize("words", ['"', "' OR 1=1 --", "!!! cat", "cat \0 grey", "🐈 cat"])
def test_signs_that_are_no_words_are_passed_over(store: Any, words: str) -> None:
    wanted = ["a grey cat."] if "cat" in words else []
    assert texts(store, words) == wanted


@PATIENT
@given(words=SYNTAX | st.text(st.characters(), max_size=30))
def test_no_words_can_break_a_search(store: Any, words: str) -> None:
    for hit in queries.search_captions(store.engine, store.run_id, words):
        assert all(0 <= start < end <= len(hit.text) for start, end in hit.spans)
    queries.search_classes(store.engine, store.run_id, words)
    queries.search_images(store.engine, store.run_id, words)
    queries.classes(store.engine, store.run_id, words=words)
    for find in (queries.class_by_name, queries.image_by_path):
        try:
            find(store.engine, store.run_id, words)
        except StoreError as error:
            assert "run" in str(error) or "several" in str(error)


@PATIENT
@given(before=st.text(max_size=8), after=st.text(max_size=8))
def test_marks_stand_where_the_word_stands_in_any_text(store: Any, before: str, after: str) -> None:
    text = f"{before} Zebra {after}"
    say(store, text)
    hits = queries.search_captions(store.engine, store.run_id, "zebra")
    [found] = [hit for hit in hits if hit.text == text]
    # FTS5 cannot mark a text beyond a NUL.
    wanted = set() if "\0" in text else {(len(before) + 1, len(before) + 6)}
    assert wanted <= set(found.spans)
    assert all(found.text[start:end].lower().startswith("z") for start, end in found.spans)


def test_a_nul_gives_no_wrong_marks(store: Any) -> None:
    say(store, "a\0b zebra")
    [hit] = queries.search_captions(store.engine, store.run_id, "zebra")
    assert (hit.text, hit.spans) == ("a\0b zebra", ())


def test_class_names_and_paths_are_searched_as_they_stand(store: Any) -> None:
    def names(words: str) -> list[str]:
        return [c.name for c in queries.search_classes(store.engine, store.run_id, words)]

    def paths(words: str) -> list[str]:
        return [i.path for i in queries.search_images(store.engine, store.run_id, words)]

    assert names("N0") == ["tabby", "lynx", "crane"]
    assert names("ran") == ["crane"]
    assert paths("LYNX/") == ["lynx/1.jpg", "lynx/2.jpg", "lynx/broken.jpg"]
    assert paths("x/_.jpg") == []
    assert paths("%") == []
    assert paths("\\") == []
    assert names("x" * 100_000) == []
    assert len(queries.search_images(store.engine, store.run_id, "jpg", limit=2)) == 2


def test_the_index_follows_a_caption_that_goes(store: Any) -> None:
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM caption WHERE text LIKE '%cat%'")
        connection.exec_driver_sql("UPDATE caption SET text = 'red tiles' WHERE text LIKE 'green%'")
        connection.exec_driver_sql(
            "INSERT INTO caption_fts (caption_fts, rank) VALUES ('integrity-check', 1)"
        )
    assert texts(store, "cat") == []
    assert texts(store, "leaves") == []
    assert texts(store, "tiles") == ["red tiles"]
