"""Which background, size and turn each class of the sample gets: data, chosen by eye.

Picture i of a class shows stamp i of the class (counted round) before kind i.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """The kinds of background of a class, one for each picture, and how its objects lie on them.

    `scale` is the range of the object's longer side, of the picture's side; `rotation` the largest
    turn in degrees.
    """

    kinds: tuple[str, ...]
    scale: tuple[float, float] = (0.50, 0.75)
    rotation: float = 8.0


def _kinds(names: str) -> tuple[str, ...]:
    return tuple(names.split())


SCENES: dict[str, Scene] = {
    "bird": Scene(
        _kinds(
            "forest farmyard water sky leaves meadow beach snowfield autumn desert meadow sunset"
        ),
        (0.65, 0.92),
    ),
    "car": Scene(
        _kinds("court sand stone meadow snowfield court beach autumn grass desert farmyard stone"),
        (0.72, 0.95),
    ),
    "cat": Scene(
        _kinds("grass meadow sand forest meadow sand snowfield grass desert forest meadow autumn"),
        (0.72, 0.95),
    ),
    "cow": Scene(
        _kinds(
            "meadow snowfield farmyard desert autumn meadow"
            " autumn farmyard beach meadow snowfield forest"
        ),
        (0.65, 0.92),
    ),
    "flower": Scene(
        _kinds("bokeh grass leaves leaves stone bokeh soil sand leaves cloth wood sky"),
        (0.62, 0.90),
        25.0,
    ),
    "fruit": Scene(
        _kinds("wood tiles leaves kitchen tiles leaves wood metal grass kitchen cloth leaves"),
        (0.65, 0.90),
        20.0,
    ),
    "planet": Scene(
        _kinds("nebula night nebula sunset nebula night nebula sky sand nebula bokeh night"),
        (0.60, 0.88),
        20.0,
    ),
    "teapot": Scene(
        _kinds("kitchen wood cloth tiles kitchen metal stone cloth grass wood snowfield water"),
        (0.60, 0.88),
    ),
    "tool": Scene(
        _kinds("wood stone metal tiles metal wood soil wood metal cloth stone cloth"),
        (0.72, 0.95),
        25.0,
    ),
    "vegetable": Scene(
        _kinds("kitchen wood soil wood tiles wood soil kitchen wood tiles stone leaves"),
        (0.65, 0.90),
        20.0,
    ),
}
