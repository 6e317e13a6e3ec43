"""Whether a text names a human."""

import re
from typing import Final

HUMANS: Final = frozenset(
    """person persons people man men woman women boy boys girl girls child children kid kids baby
    babies infant toddler toddlers lady ladies guy guys gentleman someone somebody couple crowd
    crowds human humans adult adults teenager teenagers family friend friends mother father mom dad
    son daughter brother sister player players skier skiers surfer surfers biker bikers cyclist
    cyclists skateboarder skateboarders snowboarder snowboarders climber climbers hiker hikers
    rider riders runner runners swimmer swimmers team performer performers dancer dancers musician
    musicians worker workers soldier soldiers policeman officer athlete athletes artist clown
    spectator spectators pedestrian pedestrians tourist tourists motorcyclist rollerblader
    wakeboarder bicyclist bicyclists racer racers diver fisherman drummer guitarist singer
    student students hand hands face faces finger fingers arm arms leg legs""".split()
)
"""Words that name a human or a part of one."""


def names_human(text: str) -> bool:
    """Tell whether a text names a human or a part of one."""
    return any(word in HUMANS for word in re.findall(r"[a-z]+", text.lower()))
