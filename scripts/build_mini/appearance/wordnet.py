"""Nouns for a class: its name, its everyday synonyms and coarser words, from WordNet 3.0.

WordNet's hypernyms are a scholar's ("placental", "instrumentality"); `_COARSE` keeps, by synset,
the ones people use, with other common words for the same thing and the *kind* of the thing, which
says what its colour lies on (fur, feathers, paint ...).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_COARSE = 5

# synset offset: (kind or "", coarse nouns), nearer synsets first on the walk up.
_COARSE: dict[str, tuple[str, tuple[str, ...]]] = {
    # animals
    "02512053": ("fish", ("fish",)),
    "01629276": ("skin", ("salamander",)),
    "01639765": ("skin", ("frog",)),
    "01627424": ("skin", ("amphibian",)),
    "01698434": ("scales", ("alligator",)),
    "01726692": ("scales", ("snake",)),
    "01661091": ("scales", ("reptile",)),
    "01768244": ("shell", ("fossil", "sea creature", "creature")),
    "01784675": ("body", ("bug", "crawling creature", "many-legged creature")),
    "01772222": ("body", ("spider",)),
    "01769347": ("body", ("arachnid", "creature")),
    "01845132": ("feathers", ("waterfowl",)),
    "02000954": ("feathers", ("wading bird",)),
    "02055803": ("feathers", ("penguin",)),
    "02021795": ("feathers", ("seabird",)),
    "01503061": ("feathers", ("bird",)),
    "01909422": ("body", ("sea creature", "sea animal", "marine creature")),
    "01915811": ("body", ("coral", "sea creature", "reef coral")),
    "01942177": ("body", ("mollusc", "slimy creature", "creature")),
    "01982650": ("shell", ("lobster",)),
    "01974773": ("shell", ("crustacean", "shellfish")),
    "02316707": ("body", ("sea creature", "sea animal", "marine creature")),
    "02073250": ("skin", ("sea cow", "sea mammal")),
    "02062017": ("skin", ("sea creature",)),
    "02092468": ("fur", ("terrier",)),
    "02099029": ("fur", ("retriever",)),
    "02104523": ("fur", ("shepherd dog",)),
    "02113335": ("fur", ("poodle",)),
    "02084071": ("fur", ("dog",)),
    "02121808": ("fur", ("house cat",)),
    "02124623": ("fur", ("wild cat",)),
    "02127808": ("fur", ("big cat",)),
    "02121620": ("fur", ("cat",)),
    "02120997": ("fur", ("feline",)),
    "01317541": ("fur", ("pet",)),
    "02131653": ("fur", ("bear",)),
    "01874434": ("fur", ("marsupial",)),
    "02507649": ("fur", ("panda", "furry animal", "wild animal")),
    "02164464": ("body", ("beetle",)),
    "02188699": ("body", ("winged insect",)),
    "02206270": ("body", ("winged insect",)),
    "02226183": ("body", ("jumping insect",)),
    "02268148": ("wings", ("winged insect",)),
    "02274259": ("wings", ("butterfly", "winged insect")),
    "02159955": ("body", ("insect", "bug")),
    "02329401": ("fur", ("rodent",)),
    "02395003": ("skin", ("pig", "farm animal")),
    "02402425": ("fur", ("cow", "bull", "farm animal")),
    "02410509": ("fur", ("buffalo", "wild ox")),
    "02414578": ("fur", ("sheep", "ram")),
    "02419796": ("fur", ("antelope",)),
    "02401031": ("fur", ("horned animal", "grazing animal")),
    "02437136": ("fur", ("camel", "desert animal")),
    "02480153": ("fur", ("great ape",)),
    "02470325": ("fur", ("ape",)),
    "02484322": ("fur", ("monkey",)),
    "02469914": ("fur", ("primate",)),
    "02503517": ("skin", ("elephant", "big animal")),
    "01861778": ("fur", ("mammal",)),
    "00015388": ("body", ("animal", "creature")),
    # vehicles
    "02958343": ("paint", ("car", "automobile")),
    "02959942": ("paint", ("railway car", "wagon")),
    "02924116": ("paint", ("bus", "coach")),
    "03896233": ("paint", ("passenger train",)),
    "04468005": ("paint", ("train",)),
    "04520170": ("paint", ("van",)),
    "04490091": ("paint", ("truck",)),
    "03444034": ("paint", ("racing kart", "small car")),
    "02858304": ("paint", ("boat", "vessel")),
    "02970849": ("paint", ("cart", "carriage")),
    "04465501": ("paint", ("farm vehicle", "farm machine")),
    "04524313": ("paint", ("vehicle",)),
    "04576211": ("paint", ("vehicle",)),
    "04019101": ("paint", ("vehicle",)),
    # buildings, places, structures
    "04202417": ("place", ("shop", "store", "interior")),
    "03322570": ("walls", ("farm building",)),
    "02913152": ("walls", ("building",)),
    "03259505": ("walls", ("dwelling", "ruin", "building")),
    "02699494": ("structure", ("shrine", "church interior")),
    "04460130": ("walls", ("tower",)),
    "02898711": ("structure", ("bridge",)),
    "02733524": ("walls", ("arch",)),
    "03743902": ("walls", ("monument", "memorial")),
    "02892201": ("surface", ("plaque", "metal plate", "sign")),
    "03837869": ("walls", ("column", "stone pillar", "monument")),
    "03327234": ("structure", ("fence",)),
    "02788148": ("structure", ("railing", "staircase")),
    "03160309": ("structure", ("wall", "concrete wall")),
    "03427296": ("structure", ("gate",)),
    "02796623": ("structure", ("barrier",)),
    "03388043": ("structure", ("water feature", "monument")),
    "04105068": ("surface", ("roof", "roofing")),
    "04217882": ("surface", ("sign", "board")),
    "04388743": ("structure", ("water tank", "tank", "tower")),
    "04341686": ("structure", ("structure",)),
    # furniture and the house
    "03001627": ("wood", ("chair", "seat")),
    "04379243": ("wood", ("table",)),
    "04379964": ("wood", ("table",)),
    "03405725": ("wood", ("piece of furniture",)),
    "02883344": ("wood", ("box", "trunk", "wooden box", "piece of furniture")),
    "03636248": ("object", ("light", "lamp")),
    "04181718": ("object", ("lamp", "shade", "light")),
    "03665366": ("object", ("light", "flame")),
    "02808440": ("object", ("basin", "washing place")),
    "03508101": ("object", ("heater", "household appliance")),
    "03528263": ("object", ("household appliance", "appliance")),
    "04070727": ("object", ("kitchen appliance", "cupboard")),
    "02951843": ("cloth", ("parasol", "canopy", "rain cover", "shelter")),
    "02843684": ("wood", ("bird box", "wooden box", "little house", "shelter")),
    # clothing
    "03450516": ("cloth", ("gown", "robe")),
    "04097866": ("cloth", ("robe",)),
    "04015204": ("cloth", ("protective garment",)),
    "04371563": ("cloth", ("swimsuit", "swimwear")),
    "03815615": ("cloth", ("tie", "necktie")),
    "04370048": ("cloth", ("sweater", "knitted top")),
    "03057021": ("cloth", ("coat",)),
    "04323819": ("cloth", ("stocking",)),
    "04371430": ("cloth", ("shorts", "swimming shorts", "swimwear", "garment")),
    "03540267": ("cloth", ("footwear", "piece of clothing")),
    "03497657": ("cloth", ("hat", "headwear")),
    "04230808": ("cloth", ("skirt",)),
    "04509592": ("cloth", ("uniform", "outfit")),
    "03045337": ("cloth", ("cloak", "wrap")),
    "04199027": ("object", ("shoe",)),
    "03380867": ("object", ("footwear",)),
    "03419014": ("cloth", ("garment",)),
    "03051540": ("cloth", ("garment", "piece of clothing")),
    "03725035": ("object", ("mask", "protective gear")),
    "02887209": ("object", ("collar", "support", "medical support")),
    "02773037": ("object", ("bag",)),
    # containers and kitchen
    "02815834": ("object", ("glass", "glass jar", "cup")),
    "02876657": ("object", ("bottle",)),
    "03603722": ("object", ("jug", "pitcher")),
    "02795169": ("wood", ("wooden container",)),
    "03880531": ("object", ("pan", "cooking pan")),
    "03101986": ("object", ("cooking utensil",)),
    "03621049": ("object", ("kitchen utensil",)),
    "03990474": ("object", ("pot",)),
    "04284002": ("wood", ("spoon", "kitchen utensil", "utensil")),
    "04531098": ("object", ("container", "vessel")),
    "03094503": ("object", ("container",)),
    # machines, tools, instruments
    "02666196": ("object", ("counting frame", "calculator", "counting device")),
    "02977058": ("object", ("machine", "bank machine")),
    "03126707": ("structure", ("lifting machine", "machine")),
    "03614007": ("object", ("keyboard", "computer part")),
    "02988304": ("object", ("music player", "stereo", "player")),
    "03584254": ("object", ("music player", "player", "gadget")),
    "04315948": ("object", ("music player",)),
    "04074963": ("object", ("handset", "control", "gadget")),
    "04401088": ("object", ("telephone", "phone")),
    "03891332": ("object", ("meter", "coin machine", "machine")),
    "04134632": ("object", ("sand clock", "glass")),
    "04438304": ("object", ("timer",)),
    "04437953": ("object", ("timepiece",)),
    "03080497": ("object", ("compass", "dial", "instrument")),
    "03852280": ("object", ("optical instrument", "optical device")),
    "04272054": ("object", ("glasses", "spectacles", "eyewear")),
    "03733925": ("object", ("instrument",)),
    "03739693": ("object", ("medical instrument", "instrument", "needle")),
    "03228016": ("wood", ("wind instrument", "woodwind")),
    "03614532": ("wood", ("keyboard instrument", "pipes")),
    "03800933": ("wood", ("musical instrument", "instrument")),
    "03250847": ("wood", ("stick", "wooden stick")),
    "03467984": ("object", ("gun", "big gun", "weapon")),
    "04565375": ("object", ("weapon",)),
    "04008634": ("object", ("missile", "rocket")),
    "03039947": ("object", ("cleaning tool", "brush")),
    "03418242": ("object", ("garden tool", "garden machine")),
    "03489162": ("object", ("hand tool",)),
    "04451818": ("object", ("tool",)),
    "03323703": ("object", ("metal fastener", "spike", "piece of hardware")),
    "03664943": ("object", ("metal links", "piece of hardware")),
    "03992509": ("object", ("turntable", "wheel", "machine")),
    "04586421": ("object", ("spool", "winder", "winding device")),
    "02895606": ("object", ("breathing tube", "diving gear", "tube")),
    "04296261": ("structure", ("pole", "mast")),
    "03988170": ("structure", ("pole", "tall post")),
    "04100174": ("structure", ("rod", "post", "stick")),
    "04571292": ("object", ("weight", "piece of gym equipment")),
    "04023962": ("object", ("boxing bag", "bag", "piece of gym equipment")),
    "02778669": ("object", ("ball",)),
    "03964744": ("fur", ("toy", "plaything")),
    "04568557": ("structure", ("web", "net")),
    "03414162": ("object", ("piece of sports equipment",)),
    "04285146": ("object", ("piece of sports equipment",)),
    "04417180": ("object", ("machine",)),
    "03699975": ("object", ("machine",)),
    "06595351": ("surface", ("magazine", "book", "printed page")),
    # food
    "07579575": ("food", ("meal", "dish", "plate of food", "serving")),
    "07582609": ("food", ("dip", "sauce", "spread")),
    "07611358": ("food", ("frozen dessert", "frozen treat")),
    "07609840": ("food", ("dessert", "sweet", "treat")),
    "07679356": ("food", ("baked snack", "bread", "snack")),
    "07711569": ("food", ("side dish", "mash")),
    "07710616": ("food", ("dish of potato", "potato")),
    "07720615": ("fruit", ("pepper",)),
    "07734744": ("food", ("fungus",)),
    "07707451": ("food", ("vegetable",)),
    "07747055": ("fruit", ("citrus fruit",)),
    "07705931": ("fruit", ("fruit", "piece of fruit")),
    "07683786": ("food", ("loaf", "meat dish")),
    "07875152": ("food", ("pie", "baked dish")),
    "07557434": ("food", ("dish", "meal")),
    "07929519": ("food", ("coffee", "drink", "hot drink")),
    "07881800": ("food", ("drink",)),
    "07555863": ("food", ("food",)),
    "00021265": ("food", ("food",)),
    # land and plants
    "09359803": ("land", ("mountain", "peak", "mountain view")),
    "09246464": ("land", ("rock face", "rocky slope")),
    "09406793": ("land", ("reef", "sea bed", "underwater scene")),
    "09332890": ("land", ("lake", "shore", "waterside")),
    "09428293": ("land", ("beach", "shore", "seaside")),
    "09287968": ("land", ("landscape",)),
    "13134947": ("fruit", ("nut", "seed", "woodland seed")),
    "00017222": ("food", ("plant",)),
    # whatever is left
    "00021939": ("object", ("object",)),
}

# Above these WordNet has no more words for the same thing ("container" for a car).
_TOPS = frozenset(
    "00015388 01915811 02808440 02892201 03743902 03891332 04019101 04023962 04284002 04371430"
    " 04388743 04524313 04576211 07557434 07582609 07679356 07683786 07705931 07711569 07881800".split()
)
# Said only where little else is known.
_LAST = frozenset({"00021939", "00021265", "07555863"})

# A synset's own words that are right for it and yet mislead in a caption.
_MISLEADING = frozenset(
    "bath|board|bruin|bullet|catamount|cimarron|darning needle|dike|devil's darning needle|drop"
    "|drop-off|dyke|grunter|hautbois|hautboy|holothurian|hopper|icebox|kangaroo bear|king of beasts"
    "|mantid|meat market|memorial tablet|mini|mollymawk|mosquito hawk|native bear|painter|paling"
    "|panther|pay-station|pharos|plumber's helper|roach|rocker|sewing needle|shades|skeeter hawk"
    "|snake doctor|snake feeder|squealer|taper|trackless trolley|tub|two-piece|waggon|wagon"
    "|beach waggon|station waggon|confectionary|sulfur butterfly|orang|orangutang|ricksha"
    "|walkingstick|wax light|automated teller|automatic teller".split("|")
)
_PLURAL = frozenset(
    "binoculars|shorts|swimming shorts|field glasses|opera glasses|glasses|spectacles|sunglasses|dark glasses|shades"
    "|swimming trunks|bathing trunks|pipes|metal links|balusters".split("|")
)
_MASS = frozenset(
    "eyewear|swimwear|footwear|headwear|clothing|food|coral|ice cream|guacamole|mashed potato"
    "|coffee|gym equipment|diving gear|protective gear|bread|mash|thatch|roofing"
    "|confectionery|brass|shellfish".split("|")
)


@dataclass(frozen=True, slots=True)
class Nouns:
    """The words a caption may call a thing by: exact ones, coarse ones (nearest first), its kind."""

    name: str
    synonyms: tuple[str, ...]
    coarse: tuple[str, ...]
    kind: str = "object"


def number(noun: str) -> str:
    """Say whether a noun of this module is a "plural", a "mass" or a "count" noun."""
    if noun in _PLURAL:
        return "plural"
    return "mass" if noun in _MASS else "count"


def hypernyms(wnid: str, wordnet_dir: Path) -> Iterator[str]:
    """Give a synset's own offset and those of its hypernyms, nearest first, each once.

    `wnid` is "n" and the byte offset of a line in `wordnet_dir`/data.noun (wndb(5WN)). The walk
    does not climb past the synsets above which WordNet has no word that people would use.
    """
    with (wordnet_dir / "data.noun").open("rb") as file:
        seen: set[str] = set()
        level = [wnid[1:]]
        while level:
            above: list[str] = []
            for offset in level:
                if offset in seen:
                    continue
                seen.add(offset)
                yield offset
                if offset not in _TOPS:
                    file.seek(int(offset))
                    above += _parents(file.readline().decode("ascii"), offset)
            level = above


def _parents(line: str, offset: str) -> list[str]:
    """Read the hypernym pointers of one line of data.noun."""
    fields = line.split(" | ")[0].split()
    if not fields or fields[0] != offset:
        raise ValueError(
            f"data.noun has no synset at {offset}: take WordNet 3.0, unchanged"
        )
    at = 4 + 2 * int(fields[3], 16)  # past the words, each with its lex_id
    pointers = fields[at + 1 : at + 1 + 4 * int(fields[at])]
    return [
        pointers[i + 1]
        for i in range(0, len(pointers), 4)
        if pointers[i] in ("@", "@i")
    ]


def nouns_for(wnid: str, synonyms: str, wordnet_dir: Path | str) -> Nouns:
    """Give the nouns of one class.

    `synonyms` is the comma-separated list of the class table, its first word the class name;
    `wordnet_dir` holds WordNet 3.0's data.noun. Latin names and misleading words are left out.
    """
    words = [word.strip() for word in synonyms.split(",")]
    name = words[0].lower()
    everyday = [
        word
        for word in dict.fromkeys(words[1:])
        if word == word.lower() and word not in _MISLEADING and word != name
    ]
    exact = {word.lower() for word in words}
    coarse: dict[str, None] = {}
    kind = ""
    for offset in hypernyms(wnid, Path(wordnet_dir)):
        own_kind, found = _COARSE.get(offset, ("", ()))
        kind = kind or own_kind
        if offset in _LAST and len(coarse) > 1:
            continue
        coarse.update((word, None) for word in found if word not in exact)
    return Nouns(name, tuple(everyday), tuple(coarse)[:MOST_COARSE], kind or "object")
