"""The cache's argument by the name that a network's forward takes, whichever transformers it is."""

from typing import Any

import pytest
import torch

from mapcap.networks.caches import cache_argument, cache_of
from mapcap.networks.language_models import LanguageModel


class Old:
    def forward(self, input_ids: Any, past_key_values: Any = None) -> None: ...


class Both:
    """As in 5.24, which calls it `cache` and still takes the old name."""

    def forward(self, input_ids: Any, cache: Any = None, past_key_values: Any = None) -> None: ...


class New:
    def forward(self, input_ids: Any, cache: Any = None) -> None: ...


@pytest.mark.parametrize(
    ("network", "name"), [(Old, "past_key_values"), (Both, "cache"), (New, "cache")]
)
def test_the_argument_is_named_as_the_network_names_it(network: type, name: str) -> None:
    assert cache_argument(network(), 7) == {name: 7}
    assert cache_of({name: 7, "logits": 1}) == 7


def test_the_installed_transformers_takes_it_without_a_warning(
    lm: LanguageModel, recwarn: pytest.WarningsRecorder
) -> None:
    """A name that is no longer taken is swallowed: then the second token would see no first."""
    model, tokens = lm.model, torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        whole = model(tokens, use_cache=False).logits[:, -1]
        first = model(tokens[:, :2], use_cache=True)
        last = model(tokens[:, 2:], use_cache=True, **cache_argument(model, cache_of(first)))
    torch.testing.assert_close(last.logits[:, -1], whole, rtol=1e-4, atol=1e-4)
    assert not [each for each in recwarn if "past_key_values" in str(each.message)]
