"""Files of equal content, as the audit asks for them."""

from db import queries, writes
from db.queries import evidence
from db.rows import NewImage
from tests.db.conftest import Store
from tests.stores import digest


def test_files_of_equal_content_are_read_of_the_store(store: Store) -> None:
    new = [
        NewImage("lynx/a copy.jpg", store.lynx, digest("tabby/2.jpg"), 64, 48, 1000),
        NewImage("lynx/broken too.jpg", store.lynx, digest("tabby/1.jpg"), error="cut off"),
    ]
    (copy, _) = writes.add_images(store.engine, store.run_id, new)
    files = evidence.same_files(store.engine, store.run_id)
    original = queries.image_by_path(store.engine, store.run_id, "tabby/2.jpg").id
    assert files.tolist() == sorted([[original, store.tabby, 0], [copy, store.lynx, 0]])
    paths = evidence.paths_of(store.engine, [copy, original])
    assert paths == {copy: "lynx/a copy.jpg", original: "tabby/2.jpg"}
