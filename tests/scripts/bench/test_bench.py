"""`python -m scripts.bench`: published ways give MapCap's numbers, every part its figures."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from open_clip.model import CLIP
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from mapcap.heads import text_head
from mapcap.networks.clipcap import ClipCap
from mapcap.networks.language_models import LanguageModel, load_language_model
from mapcap.networks.prefix_networks import MlpMapper
from mapcap.pmi import pmi_matrix
from mapcap.relevance import relevance_maps
from scripts.bench import growth, indexing, published
from scripts.bench.__main__ import PARTS, main
from scripts.bench.explaining import measure_model
from scripts.bench.figures import TIMES, Figure
from scripts.bench.growth import exponent, exponent_of_steps
from scripts.bench.indexes import Indexed, Indexes
from scripts.bench.networks import as_loaded
from scripts.bench.sizes import OPTIONS, Sizes
from scripts.bench.timing import Way, in_turn, ratio

CPU = torch.device("cpu")
VISION = {"image_size": 32, "patch_size": 8, "width": 32, "layers": 3, "head_width": 8}
TEXT = {"context_length": 9, "vocab_size": 60, "width": 32, "heads": 2, "layers": 1}
CAPTIONS = ["a brown dog", "a brown cat on grass", "two lemons", "a red car"]


def small_gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    config = GPT2Config(
        n_embd=32, n_layer=2, n_head=4, vocab_size=4096, n_positions=64, initializer_range=0.3
    )
    return GPT2LMHeadModel(config).eval()


@pytest.fixture(scope="module")
def clip() -> Any:
    torch.manual_seed(0)
    return CLIP(24, VISION, TEXT).eval()


@pytest.fixture(scope="module")
def embedded() -> LanguageModel:
    return load_language_model("mini", device=CPU)


@pytest.fixture
def captioner(embedded: LanguageModel) -> ClipCap:
    torch.manual_seed(2)
    return ClipCap(MlpMapper(24, 16, 3, 32).eval(), small_gpt2(), embedded.tokenizer)


def values(figures: list[Figure]) -> dict[str, float]:
    assert all(np.isfinite(figure.value) and figure.value > 0 for figure in figures)
    return {figure.what: figure.value for figure in figures}


def test_ways_are_called_in_turn_and_compared_round_by_round() -> None:
    called: list[str] = []
    ways = {name: Way(partial(called.append, name), 2) for name in "AB"}
    seconds = in_turn(ways, 3, CPU)
    assert called == list("ABABABAB")  # a round to warm up, and three
    assert {name: len(found) for name, found in seconds.items()} == {"A": 3, "B": 3}
    assert ratio({"A": [1.0, 8.0, 30.0], "B": [1.0, 2.0, 3.0]}, "A", "B") == 4


def test_the_published_relevance_is_that_of_the_pass(clip: Any) -> None:
    image = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(1))
    texts = F.normalize(torch.randn(2, 24, generator=torch.Generator().manual_seed(2)), dim=-1)
    theirs = published.relevance(clip, image, texts)
    for place, row in enumerate(theirs):
        ours = relevance_maps(clip, image[None], text_head(clip, texts), [torch.tensor([place])])[0]
        assert row.abs().max() > 0
        torch.testing.assert_close(row.detach(), ours.flatten(), rtol=1e-5, atol=1e-7)


def test_pass(clip: Any) -> None:
    found = list(measure_model("tiny", clip, Sizes(repeats=1, batch=2), CPU))
    assert len(found) == 9  # five ways, and two ratios for one target and for three
    ratios = [figure.what for figure in found if figure.unit == TIMES]
    assert ratios[0] == "tiny, the pass, 1 target / encode_image"
    assert ratios[3] == "tiny, published relevance, 3 targets / the pass, 3 targets"
    values(found)


def test_the_published_captions_are_those_of_a_batch(captioner: ClipCap) -> None:
    features = torch.randn(3, 24, generator=torch.Generator().manual_seed(3))
    stop = captioner.tokenizer.encode(".", add_special_tokens=False)[0]
    theirs = [published.caption(captioner, row[None], stop, 6) for row in features]
    assert theirs == [list(c.token_ids) for c in captioner.generate(features, max_tokens=6)]
    # Each caption ends where the published loop meets the stop token.
    first = theirs[0][0]
    assert published.caption(captioner, features[:1], first, 6) == [first]


def test_the_published_scores_are_those_of_packed_rows(embedded: LanguageModel) -> None:
    network, tokenizer = small_gpt2(), embedded.tokenizer
    ours = pmi_matrix(CAPTIONS, as_loaded(network), tokenizer)
    ids = tokenizer([f" {text}" for text in CAPTIONS], add_special_tokens=False)["input_ids"]
    start = tokenizer.bos_token_id
    alone = np.array(published.pair_scores(network, start, [([], each) for each in ids]))
    for row, context in zip(ours.matrix, ids, strict=True):
        pairs = [(context, each) for each in ids]
        theirs = np.array(published.pair_scores(network, start, pairs)) - alone
        np.testing.assert_allclose(theirs, row, atol=1e-3)
    assert np.abs(ours.matrix).max() > 0.1  # the contexts matter


def test_the_embedded_scores_are_the_published_ones_to_a_few_units_of_rounding(
    embedded: LanguageModel,
) -> None:
    network, tokenizer = embedded.model, embedded.tokenizer
    ids = tokenizer([f" {text}" for text in CAPTIONS], add_special_tokens=False)["input_ids"]
    start = tokenizer.bos_token_id
    alone = np.array(published.pair_scores(network, start, [([], each) for each in ids]))
    theirs = [published.pair_scores(network, start, [(c, each) for each in ids]) for c in ids]
    ours = pmi_matrix(CAPTIONS, network, tokenizer).matrix
    np.testing.assert_allclose(ours, np.array(theirs) - alone, rtol=0, atol=2e-5)
    assert np.abs(ours).max() > 1


def test_captions_and_pmi_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("captioning", "scoring"):
        monkeypatch.setattr(f"scripts.bench.{module}.gpt2_small", lambda device: small_gpt2())
    monkeypatch.setattr("scripts.bench.scoring.multiplies_bfloat16", lambda device: True)
    monkeypatch.setattr("mapcap.networks.half_linears.multiply", torch.nn.functional.linear)
    (tmp_path / "captions.txt").write_text("\n".join([*CAPTIONS, CAPTIONS[0]]), encoding="utf-8")
    sizes = ["--repeats", "1", "--caption-batches", "1", "2", "--caption-tokens", "3"]
    options = [*sizes, "--sentences-from", str(tmp_path / "captions.txt")]
    file = tmp_path / "bench.json"
    assert main(["captions", "pmi", *options, "--json", str(file)]) == 0
    page = json.loads(file.read_text(encoding="utf-8"))
    found = values([Figure(**figure) for figure in page["figures"]])
    assert {"published loop / batch 1", "published loop / batch 2"} < set(found)
    for dtype in ("float32", "bfloat16"):
        assert any(
            what.startswith("4 captions") and f" {dtype}, published /" in what for what in found
        )
    assert page["sizes"]["caption_tokens"] == 3
    shown = capsys.readouterr().out
    assert "published loop / batch 2" in shown and "published / packed" in shown


def test_an_index_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # threads that wait for one another burn time
    indexes = Indexes(tmp_path, "cpu", 48)
    folder = indexes.photos(4, 2)
    assert len(list(folder.glob("*/*.jpg"))) == 4
    run = indexes.again(folder)
    assert indexes.once(folder) is run
    assert run.photos == 4
    assert {"images", "captions", "pmi"} < set(run.stages)
    assert run.peak_bytes > 50e6 and run.file_bytes > 1000
    assert run.processor > sum(run.stages.values()) / 4
    assert sum(run.table_bytes.values()) in (0, run.file_bytes)  # 0: a SQLite without dbstat


class Made(Indexes):
    """Indexes of which every photo takes a second and a thousand bytes."""

    def photos(self, photos: int, classes: int) -> Path:
        folder = super().photos(photos, classes)
        self.counts = {**getattr(self, "counts", {}), folder: photos}
        return folder

    def again(self, photos: Path) -> Indexed:
        n = self.counts[photos]
        return Indexed(
            n, {"images": 1.0 * n, "audit": 0.0}, 10 + 2.0 * n, 10**8 + n, 1000 * n,
            {"image": 900 * n, "run": n},
        )  # fmt: skip


def test_index_growth_memory_and_bytes(tmp_path: Path) -> None:
    sizes = Sizes(
        repeats=1, photos=4, growth_photos=(1, 2, 4), growth_classes=(1, 2), growth_captions=(2, 4)
    )
    indexes = Made(tmp_path, "cpu", 48)
    found = values(list(indexing.measure(sizes, CPU, indexes)))
    assert found["4 photos, index, all stages"] == 4
    assert "index, all stages / decode and encode" in found
    sizes_found = values(list(indexing.measure_bytes(sizes, CPU, indexes)))
    assert sizes_found == {"a photo, of 4": 1000, "a photo, image": 900}
    peaks = values(list(growth.measure_memory(sizes, CPU, indexes)))
    assert peaks["peak, 4 / 1 photos"] == pytest.approx(1, abs=1e-6)
    found = {each.what: each.value for each in growth.measure(sizes, CPU, indexes)}
    assert found["all stages, in photos"] == pytest.approx(1)
    assert found["processor without loading, in photos"] == pytest.approx(1)
    assert "processor without loading, in classes" not in found
    assert found["images, in classes"] == pytest.approx(0)
    assert "audit, in photos" not in found
    assert np.isfinite(found["PMI, in captions of a class"])


def test_steps_do_not_know_what_loading_takes() -> None:
    assert exponent_of_steps({n: 7 + 3 * n**2 for n in (10, 20, 40)}) == pytest.approx(2)


def test_an_exponent_is_the_slope_of_the_logarithms() -> None:
    assert exponent({10: 3.0, 20: 12.0, 40: 48.0}) == pytest.approx(2)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["pas"], "pass"),
        (["growth", "--growth-photos", "10"], "--growth-photos"),
        (["pmi", "--sentences-from", "nowhere.txt"], "nowhere.txt"),
        (["pmi", "--sentences", "1"], "--sentences"),
        (["index", "--folder", "nowhere"], "nowhere"),
        (["bytes", "--json", "nowhere/bench.json"], "--json nowhere"),
        (["pass", "--device", "tpu"], "--device tpu"),
        (["pass", "--shapes", "ViT-Z-1"], "--shapes ViT-Z-1"),
    ],
)
def test_mistakes_are_named_before_any_work(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert named in capsys.readouterr().err


def test_help_says_what_each_part_and_size_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"    {part} " in shown for part in PARTS)
    assert all(f"--{name.replace('_', '-')} " in shown for name in OPTIONS)
