from contextlib import nullcontext

import pytest
import torch

from mapcap.errors import UserError
from mapcap.networks.devices import DTYPES, name_of, pick_device, pick_dtype


def test_the_cpu_is_always_there() -> None:
    assert pick_device("cpu") == torch.device("cpu")


def test_auto_takes_what_there_is() -> None:
    expected = "cpu"
    if torch.backends.mps.is_available():
        expected = "mps"
    if torch.cuda.is_available():
        expected = "cuda"
    assert pick_device("auto").type == expected
    torch.zeros(1, device=pick_device())


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "xpu", "meta", "cuda:99", "cpu:3"])
def test_absent_devices_are_named_with_those_that_are_there(name: str) -> None:
    with pytest.raises(UserError, match=f"--device {name}: .*Use one of: auto, cpu"):
        pick_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_without_cuda() -> None:
    with pytest.raises(UserError, match="no such device here"):
        pick_device("cuda")


def test_half_precision_is_chosen_on_cuda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert pick_dtype("auto", cpu) is pick_dtype("float32", cpu) is None
    assert pick_dtype("float32", cuda) is None
    for name in ("bfloat16", "float16"):
        half = pick_dtype(name, cpu)
        assert half is not None and name_of(half) == name
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    for native, expected in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda native=native, **_: native)
        assert pick_dtype("auto", cuda) is expected


def test_an_unknown_dtype_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError, match=f"--dtype half: use one of {', '.join(DTYPES)}"):
        pick_dtype("half", torch.device("cpu"))
