import pytest
import torch

from mapcap.errors import UserError
from mapcap.networks.devices import pick_device


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
