"""Landscapes, skies and water made from noise: each painter returns (size, size, 3) in 0..255."""

import numpy as np

from scripts.rendering.surfaces import GRASS_GREENS, LEAF_GREENS, planks, sand, soil
from scripts.rendering.textures import (
    Colour,
    Floats,
    Shape,
    blades,
    blur,
    draw,
    ellipse,
    mix,
    noise,
    pick,
    picks,
    ramp,
    rows,
    shade,
    step,
    times,
    vary,
)


def sky(size: int, rng: np.random.Generator) -> Floats:
    """Paint blue above, pale at the horizon, with clouds."""
    top = vary((64, 122, 196), rng, 18)
    field = ramp(size, (top, (138, 184, 226), (206, 224, 236)))
    clouds = noise(size, rng, 1.7, (2.2, 1.0))
    low = rng.uniform(-0.3, 0.8)
    cover = step(clouds, low, low + 1.6)
    white = shade(step(noise(size, rng, 1.6), -1.5, 1.5), ((214, 220, 230), (252, 252, 250)))
    return mix(field, white, 0.92 * cover)


def sunset(size: int, rng: np.random.Generator) -> Floats:
    """Paint orange light behind streaks of cloud and dark hills."""
    field = ramp(size, (vary((70, 66, 124), rng), (196, 98, 104), (246, 160, 80), (252, 214, 138)))
    field = mix(field, (112, 70, 112), 0.7 * step(noise(size, rng, 1.6, (4.0, 1.0)), 0.2, 1.8))
    return _ridges(field, rng, (0.82, 0.92), ((92, 60, 84), (48, 36, 56)))


def night(size: int, rng: np.random.Generator) -> Floats:
    """Paint a deep blue sky with stars over dark hills."""
    field = ramp(size, (vary((26, 36, 84), rng, 8), (48, 68, 128), (96, 112, 156)))
    field = mix(field, (92, 104, 150), 0.5 * step(noise(size, rng, 1.7, (3.0, 1.0)), 0.2, 2.2))
    field = field + _stars(size, rng, 0.002) * (1.0 - rows(size))[..., None]
    return _ridges(field, rng, (0.80, 0.90), ((36, 46, 78), (20, 28, 50)))


def nebula(size: int, rng: np.random.Generator) -> Floats:
    """Paint stars among glowing dust of two colours."""
    dust = ((26, 30, 84), (94, 52, 130), (176, 78, 120), (60, 118, 160), (196, 132, 84))
    first, second = (dust[i] for i in rng.choice(len(dust), 2, replace=False))
    field = ramp(size, ((22, 24, 56), (34, 34, 78)))
    field = mix(field, first, 0.9 * step(noise(size, rng, 1.8), -1.2, 2.0))
    field = mix(field, second, 0.8 * step(noise(size, rng, 1.9), -0.4, 2.2))
    return field + _stars(size, rng, 0.004)


def _stars(size: int, rng: np.random.Generator, share: float) -> Floats:
    """Return points of light on black."""
    lit = rng.random((size, size)) < share
    field = np.where(lit, rng.uniform(120, 255, (size, size)), 0.0).astype(np.float32)
    glow = blur(np.repeat(field[..., None], 3, axis=2), 0.6)
    return np.asarray(2.2 * glow, dtype=np.float32)


def _ridges(
    field: Floats, rng: np.random.Generator, heights: tuple[float, ...], colours: tuple[Colour, ...]
) -> Floats:
    """Lay hills over a sky, one ridge for each height (0 top, 1 bottom), the far one first."""
    size = field.shape[0]
    for height, colour in zip(heights, colours, strict=True):
        line = height + 0.035 * noise(size, rng, 2.1)[0]  # (size,)
        weight = step(rows(size) - line[None, :], -0.008, 0.008)
        tone = shade(step(noise(size, rng, 1.0), -3, 3), (vary(colour, rng, 6), vary(colour, rng)))
        field = mix(field, tone, weight)
    return field


def meadow(size: int, rng: np.random.Generator) -> Floats:
    """Paint grass under a sky with far trees."""
    horizon = rng.uniform(0.36, 0.52)
    field = blur(sky(size, rng), size / 100)
    far = ((112, 142, 140), (66, 104, 66))
    field = blur(_ridges(field, rng, (horizon - 0.06, horizon), far), size / 120)
    green = shade(step(noise(size, rng, 1.2, (2.0, 1.0)), -2, 2), ((92, 132, 52), (132, 166, 76)))
    field = mix(field, green, step(rows(size), horizon, horizon + 0.02))
    return draw(field, blades(rng, 900, horizon + 0.03, 0.09, GRASS_GREENS))


def autumn(size: int, rng: np.random.Generator) -> Floats:
    """Paint dry grass before the blurred trees of autumn."""
    field = ramp(size, (vary((196, 206, 212), rng), (222, 210, 186)))
    crowns = picks(rng, ((150, 74, 36), (196, 120, 48), (214, 164, 76), (112, 106, 58)), 16)
    spots = (rng.uniform((0, 0.12), (1, 0.5)) for _ in crowns)
    trees = (ellipse(x, y, (0.12, 0.15), 0, c) for (x, y), c in zip(spots, crowns, strict=True))
    field = draw(field, trees)
    field = field * (1.0 + 0.10 * noise(size, rng, 0.9)[..., None])
    field = blur(field.astype(np.float32), size / 50)
    straw = shade(step(noise(size, rng, 1.2, (2.0, 1.0)), -2, 2), ((148, 118, 66), (196, 166, 100)))
    horizon = rng.uniform(0.45, 0.6)
    field = mix(field, straw, step(rows(size), horizon, horizon + 0.05))
    straws = ((176, 142, 76), (208, 180, 112), (132, 106, 58), (150, 138, 70))
    return draw(field, blades(rng, 800, horizon + 0.04, 0.08, straws))


def forest(size: int, rng: np.random.Generator) -> Floats:
    """Paint trunks in soft green light over undergrowth."""
    greens = ((34, 62, 36), (72, 116, 58), (150, 184, 104))
    field = blur(shade(step(noise(size, rng, 1.5), -2, 2), greens), size / 40)
    trunks: list[Shape] = []
    for x in rng.uniform(-0.05, 1.05, 7):
        foot = rng.uniform(-0.03, 0.03)
        line = np.asarray([(x, -0.1), (x + foot, rng.uniform(0.62, 0.75))], dtype=np.float32)
        trunks.append((line, pick(rng, ((70, 56, 42), (98, 80, 60))), rng.uniform(0.02, 0.07)))
    field = blur(draw(field, trunks), size / 70)
    floor = shade(step(noise(size, rng, 1.0, (2.0, 1.0)), -2, 2), ((70, 64, 36), (108, 116, 56)))
    field = mix(field, floor, step(rows(size), 0.6, 0.72))
    return draw(field, blades(rng, 350, 0.7, 0.07, LEAF_GREENS))


def snowfield(size: int, rng: np.random.Generator) -> Floats:
    """Paint drifts of snow before cold hills."""
    field = ramp(size, (vary((132, 164, 204), rng), (206, 220, 234)))
    horizon = rng.uniform(0.36, 0.5)
    hills = ((150, 172, 196), (92, 112, 122))
    field = blur(_ridges(field, rng, (horizon - 0.1, horizon), hills), size / 110)
    drift = 0.4 * noise(size, rng, 1.8, (3.0, 1.0)) + 0.5 * rows(size) - 0.2
    snow = shade(step(drift, -1, 1), ((176, 194, 222), (226, 234, 244), (248, 250, 252)))
    return mix(field, snow, step(rows(size), horizon + 0.02, horizon + 0.06))


def beach(size: int, rng: np.random.Generator) -> Floats:
    """Paint the sea between the sky and wet sand."""
    horizon, shore = rng.uniform(0.3, 0.4), rng.uniform(0.52, 0.62)
    field = mix(sky(size, rng), water(size, rng), step(rows(size), horizon, horizon + 0.01))
    line = shore + 0.02 * noise(size, rng, 1.8)[0][None, :]
    field = mix(field, (240, 244, 240), step(rows(size) - line, -0.04, -0.01))
    return mix(field, sand(size, rng), step(rows(size) - line, -0.01, 0.02))


def desert(size: int, rng: np.random.Generator) -> Floats:
    """Paint dunes and red rock under a hard sky."""
    field = ramp(size, (vary((92, 148, 206), rng), (204, 214, 214)))
    horizon = rng.uniform(0.36, 0.5)
    field = _ridges(field, rng, (horizon - 0.08, horizon), ((176, 122, 98), (188, 120, 74)))
    return mix(field, sand(size, rng), step(rows(size), horizon + 0.03, horizon + 0.06))


def farmyard(size: int, rng: np.random.Generator) -> Floats:
    """Paint trodden earth before a barn's wall of boards."""
    paint = pick(rng, ((138, 58, 46), (104, 84, 64), (92, 112, 120), (168, 152, 122)))
    boards = blur(planks(size, rng, (times(paint, 0.75), paint), upright=True), size / 130)
    line = rng.uniform(0.48, 0.58)
    return mix(boards, soil(size, rng), step(rows(size), line, line + 0.03))


def water(size: int, rng: np.random.Generator) -> Floats:
    """Paint the surface of a lake, its waves closer together further away."""
    distance = 1.0 / (rows(size)[:, 0] + 0.5)  # (size,): 2 at the top, 2/3 at the bottom
    row = np.interp(distance, (2 / 3, 2), (0, size - 1)).astype(int)
    waves = noise(size, rng, 1.3, (4.0, 1.0))[row]
    deep = vary((28, 84, 112), rng, 16)
    field = shade(step(waves, -2.4, 2.4), (deep, (62, 128, 152), (124, 178, 190)))
    return mix(field, (232, 242, 240), 0.8 * step(waves, 1.6, 2.6))


def reef(size: int, rng: np.random.Generator) -> Floats:
    """Paint blue water with shafts of light over coral and sand."""
    field = ramp(size, (vary((96, 186, 206), rng), (34, 116, 166), (22, 74, 124)))
    x = np.linspace(0, 1, size)[None, :] + 0.35 * rows(size)
    shafts = np.interp(x, np.linspace(0, 1.4, size), noise(size, rng, 1.2)[0])
    field = mix(field, (206, 240, 240), 0.30 * step(shafts, 0, 2) * (1 - rows(size)))
    bed = shade(step(noise(size, rng, 1.2, (2.0, 1.0)), -2, 2), ((116, 140, 136), (180, 186, 160)))
    field = mix(field, bed, 0.8 * step(rows(size), 0.80, 0.92))
    coral = ((196, 92, 96), (208, 136, 74), (150, 90, 150), (98, 132, 88), (206, 178, 108))
    shapes = (
        ellipse(
            rng.uniform(0, 1),
            rng.uniform(0.84, 1.04),
            (rng.uniform(0.02, 0.07), rng.uniform(0.02, 0.09)),
            rng.uniform(0, 3),
            pick(rng, coral),
        )
        for _ in range(26)
    )
    return blur(draw(field, shapes), size / 130)
