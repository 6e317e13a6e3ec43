"""Surfaces and rooms made from noise: each painter returns (size, size, 3) in 0..255."""

import numpy as np

from scripts.rendering.textures import (
    Colour,
    Floats,
    Shape,
    blades,
    blur,
    disc,
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

LEAF_GREENS: tuple[Colour, ...] = ((44, 92, 38), (66, 124, 48), (96, 150, 60), (38, 76, 44))
GRASS_GREENS: tuple[Colour, ...] = ((74, 124, 44), (104, 156, 62), (138, 178, 78), (58, 100, 40))


def grass(size: int, rng: np.random.Generator) -> Floats:
    """Paint a lawn from above."""
    field = shade(step(noise(size, rng, 0.9), -2, 2), ((46, 82, 32), (84, 126, 48)))
    return draw(field, blades(rng, 1300, -0.05, 0.10, GRASS_GREENS))


def leaves(size: int, rng: np.random.Generator) -> Floats:
    """Paint leaves over leaves, the upper ones lighter."""
    base = pick(rng, ((70, 128, 52), (54, 110, 62), (116, 142, 58)))
    count = 150
    lights = np.linspace(0.5, 1.2, count)
    shapes: list[Shape] = []
    for light, varied in zip(lights, picks(rng, (base,), count, 10), strict=True):
        colour = times(varied, light)
        x, y = rng.uniform(-0.1, 1.1, 2)
        long, angle = rng.uniform(0.08, 0.15), rng.uniform(0, 2 * np.pi)
        shapes.append(ellipse(x, y, (long, 0.42 * long), angle, colour, ends=1.7))
        tip = long * np.asarray([np.cos(angle), np.sin(angle)])
        rib = np.asarray([(x - tip[0], y - tip[1]), (x + tip[0], y + tip[1])], dtype=np.float32)
        shapes.append((rib, times(colour, 1.25), 0.005))
    return blur(draw(ramp(size, (times(base, 0.4),)), shapes), size / 260)


def sand(size: int, rng: np.random.Generator) -> Floats:
    """Paint sand with ripples."""
    warp = noise(size, rng, 1.9)
    x = np.linspace(0, 1, size)[None, :]
    angle, count = rng.uniform(-0.5, 0.5), rng.uniform(9, 15)
    ripple = np.sin(2 * np.pi * (count * (rows(size) + angle * x) + 0.55 * warp))
    tone = vary((206, 176, 128), rng, 12)
    level = 0.5 + 0.11 * ripple + 0.07 * noise(size, rng, 0.4) + 0.08 * warp
    return shade(level, ((150, 118, 80), tone, (238, 220, 182)))


def soil(size: int, rng: np.random.Generator) -> Floats:
    """Paint crumbs of brown earth."""
    level = 0.45 + 0.14 * noise(size, rng, 0.7) + 0.10 * noise(size, rng, 1.6)
    return shade(level, ((54, 38, 28), vary((112, 84, 60), rng, 10), (172, 142, 108)))


def stone(size: int, rng: np.random.Generator) -> Floats:
    """Paint pebbles, close together, each over its own shadow."""
    tones = ((150, 146, 138), (176, 168, 156), (124, 124, 126), (168, 142, 118), (202, 198, 190))
    radii = np.linspace(0.09, 0.035, 320)
    shapes: list[Shape] = []
    for radius, colour in zip(radii, picks(rng, tones, len(radii)), strict=True):
        x, y = rng.uniform(0, 1, 2)
        angle, flat = rng.uniform(0, np.pi), radius * rng.uniform(0.6, 0.9)
        shapes.append(ellipse(x + 0.006, y + 0.01, (radius, flat), angle, times(colour, 0.68)))
        shapes.append(ellipse(x, y, (radius * 0.95, flat * 0.95), angle, colour))
    field = draw(ramp(size, ((74, 72, 68),)), shapes)
    return np.asarray(field * (1.0 + 0.05 * noise(size, rng, 0.6)[..., None]), dtype=np.float32)


def planks(
    size: int, rng: np.random.Generator, colours: tuple[Colour, Colour], upright: bool = False
) -> Floats:
    """Paint boards with grain, side by side."""
    count = int(rng.integers(4, 7))
    grain = noise(size, rng, 1.1, (9.0, 1.0))
    rings = np.sin(2.2 * noise(size, rng, 1.9, (5.0, 1.0)) + 9.0 * rows(size))
    board = np.clip(rows(size)[:, 0] * count, 0, count - 1e-3)
    tint = rng.normal(0, 0.16, count)[board.astype(int)][:, None]
    field = shade(0.5 + 0.13 * grain + 0.10 * rings + tint, colours)
    edge = np.minimum(board % 1, 1 - board % 1)[:, None] * size / count  # pixels to a joint
    field = mix(field, (38, 26, 18), 0.75 * (1 - step(edge, 0.3, 1.6)))
    return np.swapaxes(field, 0, 1).copy() if upright else field


def wood(size: int, rng: np.random.Generator) -> Floats:
    """Paint a table top of boards."""
    pale = pick(rng, ((176, 124, 76), (216, 180, 128), (122, 88, 62), (192, 186, 174)), 6)
    return planks(size, rng, (times(pale, 0.6), pale), upright=bool(rng.random() < 0.5))


def cloth(size: int, rng: np.random.Generator) -> Floats:
    """Paint a checked table cloth with folds."""
    paint = pick(rng, ((186, 52, 52), (52, 92, 160), (70, 130, 84), (212, 160, 54)))
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j].astype(np.float32)
    turn, count = rng.uniform(-0.5, 0.5), rng.uniform(5, 8)
    fold = noise(size, rng, 2.2)
    u = np.cos(turn) * x - np.sin(turn) * y + 0.008 * fold
    v = np.sin(turn) * x + np.cos(turn) * y + 0.008 * fold
    across, along = (step(np.sin(2 * np.pi * count * t), -0.25, 0.25) for t in (u, v))
    field = mix(ramp(size, ((242, 238, 230),)), paint, 0.45 * (across + along))
    weave = 1.0 + 0.04 * rng.standard_normal((size, size, 1)) + 0.06 * fold[..., None]
    return np.asarray(field * weave, dtype=np.float32)


def tiles(size: int, rng: np.random.Generator) -> Floats:
    """Paint glazed tiles of one colour."""
    colour = pick(rng, ((96, 148, 158), (204, 190, 166), (150, 170, 120), (186, 118, 92)))
    count = int(rng.integers(3, 6))
    at = (np.arange(size) / size * count + rng.random()) % (count + 1)
    tint = rng.normal(0, 9, (count + 1, count + 1))[at.astype(int)][:, at.astype(int)]
    edge = np.minimum(at % 1, 1 - at % 1) * size / count
    joint = 1 - step(np.minimum(edge[:, None], edge[None, :]), 0.6, 2.0)
    field = np.asarray(colour) + tint[..., None] + 7 * noise(size, rng, 1.6)[..., None]
    return mix(field.astype(np.float32), (222, 216, 206), 0.85 * joint)


def metal(size: int, rng: np.random.Generator) -> Floats:
    """Paint a scratched work bench of brushed steel."""
    level = 0.5 + 0.10 * noise(size, rng, 0.7, (14.0, 1.0)) + 0.14 * noise(size, rng, 2.0)
    field = shade(level, ((70, 82, 94), vary((132, 142, 150), rng), (206, 212, 214)))
    scratches: list[Shape] = []
    for _ in range(14):
        start = rng.uniform(0, 1, 2)
        line = np.asarray([start, start + rng.normal(0, 0.15, 2)], dtype=np.float32)
        scratches.append((line, pick(rng, ((190, 194, 198), (92, 100, 108))), 0.004))
    return draw(field, scratches)


def bokeh(size: int, rng: np.random.Generator) -> Floats:
    """Paint discs of colour, far out of focus."""
    base = pick(rng, ((120, 96, 74), (84, 110, 118), (140, 126, 100), (72, 92, 66)), 20)
    field = shade(step(noise(size, rng, 1.9), -2, 2), (vary(base, rng), vary(base, rng, 40)))
    lights = ((244, 214, 160), (206, 226, 226), (236, 170, 130), (170, 206, 150), (196, 180, 214))
    for colour in picks(rng, lights, 14):
        x, y = rng.uniform(0, 1, 2)
        field = mix(field, colour, 0.4 * disc(size, x, y, rng.uniform(0.03, 0.11)))
    return blur(field, size / 80)


def kitchen(size: int, rng: np.random.Generator) -> Floats:
    """Paint a wooden table before a blurred room."""
    line = rng.uniform(0.45, 0.58)
    top = blur(wood(size, rng), size / 220)
    return mix(bokeh(size, rng), top, step(rows(size), line, line + 0.012))


def court(size: int, rng: np.random.Generator) -> Floats:
    """Paint a playing field with a white line, seen from low down."""
    base = pick(rng, ((58, 112, 148), (170, 92, 62), (76, 128, 78), (196, 150, 96)))
    level = 0.5 + 0.10 * noise(size, rng, 0.5) + 0.08 * noise(size, rng, 1.8, (3.0, 1.0))
    field = shade(level, (times(base, 0.7), base, times(base, 1.25)))
    x = np.linspace(0, 1, size)[None, :]
    offset = rows(size) - rng.uniform(0.5, 0.7) - rng.uniform(-0.4, 0.4) * (x - 0.5)
    field = mix(field, (236, 234, 226), 0.85 * (1 - step(np.abs(offset), 0.018, 0.028)))
    line = rng.uniform(0.24, 0.36)
    return mix(bokeh(size, rng), field, step(rows(size), line, line + 0.02))
