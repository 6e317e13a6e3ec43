from typing import Any

from db import queries, writes


def test_totals_leave_out_what_is_unreadable(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    assert queries.readable_images(engine, run_id) == 6
    # Six of role `true`, three of role `predicted`.
    assert queries.relevance_count(engine, run_id) == 9
    assert queries.region_count(engine, run_id) == 7
    writes.mark_unreadable(engine, [(store.images["tabby/2.jpg"], "gone")])
    assert queries.readable_images(engine, run_id) == 5
    assert queries.relevance_count(engine, run_id) == 7
    assert queries.region_count(engine, run_id) == 5
    assert queries.readable_images(engine, run_id + 1) == 0


def test_a_stage_that_is_done_has_as_much_as_it_has_in_all(store: Any) -> None:
    engine, run_id = store.engine, store.run_id
    pending = queries.pending_captions(engine, run_id)
    captioned = sum(
        region.caption is not None
        for image_id in store.images.values()
        for region in queries.regions(engine, image_id)
    )
    assert captioned + len(pending) == queries.region_count(engine, run_id)
