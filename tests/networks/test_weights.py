import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.torch import save_file
from torch import nn

from mapcap.errors import UserError
from mapcap.networks.weights import fill, is_quantised, load_weights, save_int8

matrices = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=5),
    elements=st.floats(-1e6, 1e6, width=32),
)


@settings(deadline=None, max_examples=40)
@given(values=matrices)
def test_int8_moves_no_value_by_more_than_half_a_step(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray[Any, Any]
) -> None:
    path = tmp_path_factory.mktemp("q") / "w.safetensors"
    save_int8(path, {"w": torch.from_numpy(values)})
    back = load_weights(path)["w"].double().numpy()
    assert back.shape == values.shape
    for row, original in zip(back, values.astype(np.float64), strict=True):
        step = max(np.abs(original).max() / 127, np.finfo(np.float32).tiny)
        assert np.abs(row - original).max() <= step / 2 * (1 + 1e-5)


def test_rows_of_zeros_stay_zero(tmp_path: Path) -> None:
    values = torch.tensor([[0.0, 0.0], [3.0, -1.0]])
    save_int8(tmp_path / "w.safetensors", {"w": values})
    back = load_weights(tmp_path / "w.safetensors")["w"]
    assert back[0].tolist() == [0.0, 0.0]
    assert back[1, 0].item() == pytest.approx(3.0)


def test_only_float_matrices_are_rounded(tmp_path: Path) -> None:
    state = {
        "vector": torch.randn(7, dtype=torch.float64),
        "number": torch.tensor(4.6052),
        "ids": torch.arange(6).view(2, 3),
        "matrix": torch.randn(3, 4).t(),  # not contiguous
    }
    path = tmp_path / "w.safetensors"
    save_int8(path, state)
    back = load_weights(path)
    assert set(back) == set(state)
    assert torch.equal(back["vector"], state["vector"].float())
    assert torch.equal(back["number"], state["number"])
    assert torch.equal(back["ids"], state["ids"])
    assert back["matrix"].dtype == torch.float32
    assert is_quantised(path)


def test_tensors_that_share_memory_can_be_saved(tmp_path: Path) -> None:
    shared = torch.randn(4, 4)
    save_int8(
        tmp_path / "w.safetensors", {"a": shared, "b": shared, "c": shared[0], "d": shared[0]}
    )
    back = load_weights(tmp_path / "w.safetensors")
    assert torch.equal(back["a"], back["b"])
    assert torch.equal(back["d"], shared[0])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="layer: holds values that are not finite"):
        save_int8(tmp_path / "w.safetensors", {"layer": torch.tensor([[value]])})


def test_a_name_that_collides_with_a_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"w\.scale"):
        save_int8(tmp_path / "w.safetensors", {"w": torch.ones(1, 1), "w.scale": torch.ones(1)})


def test_a_float_file_comes_as_it_is(tmp_path: Path) -> None:
    """Also where a layer's own parameter is called `scale`."""
    state = {"norm": torch.randn(2, 2), "norm.scale": torch.randn(2).half()}
    save_file(state, tmp_path / "w.safetensors")
    back = load_weights(tmp_path / "w.safetensors")
    assert not is_quantised(tmp_path / "w.safetensors")
    assert torch.equal(back["norm.scale"], state["norm.scale"])
    assert torch.equal(back["norm"], state["norm"])


def test_float16_scales_are_widened_to_float32(tmp_path: Path) -> None:
    stored = {
        "w": torch.tensor([[[127], [-2]], [[5], [0]]], dtype=torch.int8),
        "w.scale": torch.tensor([0.5, 2.0]).half(),
    }
    save_file(stored, tmp_path / "w.safetensors")
    back = load_weights(tmp_path / "w.safetensors")
    assert back["w"].dtype == torch.float32
    assert back["w"].tolist() == [[[63.5], [-1.0]], [[10.0], [0.0]]]


@pytest.mark.parametrize("scale", [torch.ones(3), torch.ones(2, 1), torch.ones(2).long()])
def test_scales_of_another_shape_are_named(tmp_path: Path, scale: torch.Tensor) -> None:
    stored = {"w": torch.ones(2, 2, dtype=torch.int8), "w.scale": scale}
    save_file(stored, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"w\.scale does not hold one float a row"):
        load_weights(tmp_path / "w.safetensors")


def test_a_pickle_of_tensors_loads(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(3.0)}, tmp_path / "w.pt")
    assert load_weights(tmp_path / "w.pt")["a"].tolist() == [0.0, 1.0, 2.0]


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("suffix", [".pt", ".bin"])
def test_a_pickle_with_code_is_refused_and_not_run(
    tmp_path: Path, suffix: str, zipped: bool
) -> None:
    path, mark = tmp_path / f"w{suffix}", tmp_path / "executed"
    if zipped:
        torch.save({"a": torch.ones(1), "b": Hostile(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"a": Hostile(mark)}))
    with pytest.raises(UserError, match="not a file of plain weights"):
        load_weights(path)
    assert not mark.exists()


@pytest.mark.parametrize("content", [[torch.ones(1)], {"a": 3}, {1: torch.ones(1)}, torch.ones(2)])
def test_a_pickle_of_other_things_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(UserError, match="something else than named tensors"):
        load_weights(tmp_path / "w.pt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.pt: there is no such file"):
        load_weights(tmp_path / "nothing.pt")


@settings(deadline=None, max_examples=50)
@given(content=st.binary(max_size=200), suffix=st.sampled_from([".pt", ".bin", ".safetensors"]))
def test_any_bytes_are_refused_in_one_way(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("junk") / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(UserError, match="w"):
        load_weights(path)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
        self.last.weight = self.first.weight


def test_filling_needs_a_tied_tensor_once() -> None:
    module, state = Tied(), {"first.weight": torch.ones(3, 3), "first.bias": torch.zeros(3)}
    fill(module, state, "w.pt")
    assert torch.equal(module.last.weight, torch.ones(3, 3))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"first.bias": None}, "missing: first.bias"),
        ({"first.weight": None}, "missing: first.weight, last.weight"),
        ({"more": torch.ones(1)}, "unexpected: more"),
        ({"first.bias": torch.ones(4)}, r"of another shape: first.bias \(4,\) for \(3,\)"),
    ],
)
def test_filling_names_what_does_not_fit(change: dict[str, Any], fault: str) -> None:
    state = {"first.weight": torch.ones(3, 3), "first.bias": torch.zeros(3), **change}
    with pytest.raises(UserError, match=fault):
        fill(Tied(), {k: v for k, v in state.items() if v is not None}, "w.pt")


def test_code_in_an_archive_of_torchscript_is_not_run(tmp_path: Path) -> None:
    """What its pickle names is neither imported nor called."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    path = tmp_path / "archive.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/constants.pkl", b"")
        archive.writestr("a/data.pkl", pickle.dumps({"trap": Trap()}))
    with pytest.raises(UserError, match="TorchScript archive without weights"):
        load_weights(path)
    assert not (tmp_path / "ran").exists()


def test_a_damaged_archive_of_torchscript_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.pt"
    torch.jit.script(torch.nn.Linear(3, 2)).save(path)
    assert {name: tuple(t.shape) for name, t in load_weights(path).items()} == {
        "weight": (2, 3),
        "bias": (2,),
    }
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[:4] if "/data/" in name else content)
    with pytest.raises(UserError, match="not a readable TorchScript archive"):
        load_weights(path)
