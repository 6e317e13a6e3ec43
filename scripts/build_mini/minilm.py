"""Text embeddings by MiniLM: the fixed side of the contrast that the vision side is trained on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoModel, AutoTokenizer

from scripts.build_mini.assemble import TEXT, WIDTH

_BATCH = 256


class MiniLM:
    """The encoder, loaded from the folder that `sources` unpacks."""

    def __init__(self, folder: Path) -> None:
        models: Any = AutoModel  # transformers' own types are wrong here
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = models.from_pretrained(folder, local_files_only=True).eval()

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Embed texts: (n, D), L2-normalised means over the tokens."""
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        embeddings = torch.empty(len(texts), WIDTH)
        for start in range(0, len(texts), _BATCH):
            rows = by_length[start : start + _BATCH]
            embeddings[rows] = self._encode([texts[row] for row in rows])
        return embeddings

    @torch.no_grad()
    def _encode(self, texts: list[str]) -> Tensor:
        batch = self._tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=TEXT["context_length"],
            return_tensors="pt",
        )
        tokens = self._model(**batch).last_hidden_state  # (B, L, D)
        mask = batch["attention_mask"].unsqueeze(-1)  # (B, L, 1)
        return F.normalize((tokens * mask).sum(1) / mask.sum(1), dim=1)
