"""Patterns: what a region's lightness does from place to place, measured on a small grey window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Pixels on a side of the window into which each region's box is resampled."""

_FAINT = 4  # spread of the fine lightness below which there is no pattern
_EVEN = 0.6


@dataclass(frozen=True, slots=True)
class Textures:
    """Measures of N windows, (N,) each."""

    energy: NDArray[np.float32]  # spread of the fine lightness, in units of L
    oriented: NDArray[np.float32]  # 0..1, share of the fine energy along one direction
    fine: NDArray[np.float32]  # 0..1, share of the energy in the highest frequencies
    repeats: NDArray[np.float32]  # -1..1, light and dark by turns
    even: NDArray[np.float32]  # 0..1, all over the window rather than in one place


def windows(light: NDArray[np.float32], boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Resample the boxes (N, 4) x0 y0 x1 y1 in pixels of L (N, h, w) into (N, SIDE, SIDE)."""
    count, height, width = light.shape
    steps = (np.arange(SIDE) + 0.5) / SIDE
    x = boxes[:, :1] + steps * (boxes[:, 2:3] - boxes[:, :1]) - 0.5  # (N, SIDE)
    y = boxes[:, 1:2] + steps * (boxes[:, 3:] - boxes[:, 1:2]) - 0.5
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    left, top = x.astype(np.intp), y.astype(np.intp)
    across = (x - left)[:, None, :]
    down = (y - top)[:, :, None]
    n = np.arange(count)[:, None, None]
    row, column = top[:, :, None], left[:, None, :]
    upper = light[n, row, column] * (1 - across) + light[n, row, column + 1] * across
    lower = light[n, row + 1, column] * (1 - across) + light[n, row + 1, column + 1] * across
    resampled: NDArray[np.float32] = (upper * (1 - down) + lower * down).astype(np.float32)
    return resampled


def measure(window: NDArray[np.float32]) -> Textures:
    """Measure windows of lightness (N, SIDE, SIDE)."""
    fy = np.fft.fftfreq(SIDE)[:, None] * SIDE
    fx = np.fft.rfftfreq(SIDE)[None] * SIDE
    radius, direction = np.hypot(fy, fx), np.arctan2(fy, fx)  # (SIDE, SIDE/2 + 1)
    taper = np.outer(_taper(), _taper())
    centred = window - window.mean((1, 2), keepdims=True)
    spectrum = np.fft.rfft2(centred * taper)
    power = np.abs(spectrum) ** 2 * ((radius >= 2.5) & (radius < SIDE / 2))
    total = power.sum((1, 2)) + 1e-6
    oriented = np.abs((power * np.exp(2j * direction)).sum((1, 2))) / total
    fine = power[:, radius >= SIDE / 4].sum(1) / total
    energy = np.sqrt(2 * total / (taper**2).sum()) / SIDE
    measures = (energy, oriented, fine, _repeats(power, taper), _evenness(window))
    return Textures(*(np.asarray(part, np.float32) for part in measures))


def _taper() -> NDArray[np.float64]:
    """Give Hann's window without its zeros, (SIDE,)."""
    taper: NDArray[np.float64] = np.hanning(SIDE + 2)[1:-1]
    return taper


def _repeats(power: NDArray[np.floating], taper: NDArray[np.float64]) -> NDArray[np.floating]:
    """Find how surely each window repeats itself: light, dark, light, dark along some direction.

    From the autocorrelation r: the greatest min(-r(d), r(2d), -r(3d)) over steps d.
    """
    window = np.fft.irfft2(np.abs(np.fft.rfft2(taper)) ** 2, s=(SIDE, SIDE))
    alike = np.fft.irfft2(power, s=(SIDE, SIDE))
    alike = alike / (alike[:, :1, :1] + 1e-9) / np.maximum(window / window[0, 0], 0.15)
    reach = np.arange(-4, 5)
    dy, dx = (part.ravel() for part in np.meshgrid(reach, reach[4:], indexing="ij"))
    steps = (dy**2 + dx**2 >= 2) & (dy**2 + dx**2 <= 18)
    dy, dx = dy[steps], dx[steps]
    there = np.minimum(alike[:, 2 * dy, 2 * dx], -alike[:, dy, dx])  # (N, steps)
    surely: NDArray[np.floating] = np.minimum(there, -alike[:, 3 * dy, 3 * dx]).max(1)
    return surely


def _evenness(window: NDArray[np.float32]) -> NDArray[np.floating]:
    """Give the median of the fine lightness over its spread: small for one edge or bar alone."""
    around = window
    for axis in (1, 2):
        shifted = [np.roll(around, step, axis) for step in range(-4, 5)]
        around = np.mean(shifted, axis=0, dtype=np.float32)
    fine = (window - around)[:, 4:-4, 4:-4]
    median: NDArray[np.floating] = np.median(np.abs(fine), axis=(1, 2))
    return median / (fine.std((1, 2)) + 1e-6)


def pattern(textures: Textures, i: int, plain: bool) -> str:
    """Name the pattern of window i where the measures leave little doubt, else ""."""
    if textures.energy[i] < _FAINT:
        return "plain" if plain else ""
    if textures.even[i] < _EVEN:
        return ""
    if textures.repeats[i] > 0.28 and textures.oriented[i] > 0.45:
        return "striped"
    return "speckled" if textures.fine[i] > 0.42 and textures.oriented[i] < 0.35 else ""
