# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that the grammar of prompts puts together: each kind of thing with what it is made of and what is on it."""

from typing import NamedTuple


class Category(NamedTuple):
    """Things that may be made of the same materials and carry the same details."""

    things: tuple[str, ...]
    materials: tuple[str, ...]
    details: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


CATEGORIES: dict[str, Category] = {
    "vessels": Category(
        _words(
            "teapot, amphora, pitcher, goblet, urn, vase, tureen, flask, oil lamp, samovar, chalice, incense burner"
        ),
        _words("porcelain, hammered copper, stoneware, cut glass, silver, terracotta, cast bronze, pewter"),
        _words(
            "a twisted handle, an embossed frieze of leaves, a fluted body, a pierced lid, clawed feet, raised rings, "
            "scalloped rims, engraved spirals, a beak-shaped spout, a band of rosettes"
        ),
    ),
    "furniture": Category(
        _words(
            "armchair, rocking chair, writing desk, wardrobe, four-poster bed, chest of drawers, footstool, bench, "
            "bookcase, round table, sea chest, cradle"
        ),
        _words("carved oak, walnut, wrought iron, bamboo, tufted leather, painted pine, rosewood, bent plywood"),
        _words(
            "turned legs, carved lion paws, brass corner fittings, a lattice back, raised panels, woven cane, "
            "iron hinges, deep button tufting, carved garlands, dovetailed drawers"
        ),
    ),
    "buildings": Category(
        _words(
            "windmill, lighthouse, watchtower, pagoda, chapel, farmhouse, dovecote, castle gate, log cabin, "
            "water mill, bandstand, covered bridge"
        ),
        _words("rough stone, red brick, timber frame, weathered planks, sandstone, whitewashed clay, slate"),
        _words(
            "a shingled roof, pointed arches, stepped gables, a spiral stair outside, small balconies, flying "
            "buttresses, rows of shutters, carved beams, round turrets, a crooked chimney"
        ),
    ),
    "vehicles": Category(
        _words(
            "steam locomotive, sailing ship, biplane, horse carriage, tractor, tram, airship, submarine, motorcycle, "
            "fire engine, hand cart, moon rover"
        ),
        _words("riveted steel, polished brass, lacquered wood, dented tin, painted iron, brushed aluminium"),
        _words(
            "spoked wheels, exposed pipes, a row of rivets, large lanterns, coiled ropes, a ribbed hull, vented "
            "panels, a folding ladder, leaf springs, a honeycomb radiator"
        ),
    ),
    "machines": Category(
        _words(
            "pocket watch, sewing machine, typewriter, gramophone, robot, telescope, drill press, printing press, "
            "weaving loom, diving helmet, cash register, astrolabe"
        ),
        _words("brass, blackened steel, cast iron, copper and glass, enamelled metal, machined aluminium"),
        _words(
            "interlocking gears, knurled knobs, a crank, cooling fins, engraved dials, hexagonal bolts, a chain drive, "
            "perforated plates, pressure gauges, coiled springs"
        ),
    ),
    "animals": Category(
        _words(
            "owl, rhinoceros, seahorse, dragon, stag beetle, crocodile, ram, lobster, lion, pangolin, rooster, tortoise"
        ),
        _words("carved wood, cast bronze, marble, jade, folded paper, fired clay, forged iron"),
        _words(
            "overlapping scales, ruffled feathers, spiral horns, deep wrinkles, a segmented shell, curled claws, "
            "a ridged back, thick braided fur, faceted planes, raised veins"
        ),
    ),
    "figures": Category(
        _words(
            "knight, samurai, astronaut, jester, blacksmith, dancer, wizard, diver, beekeeper, sea captain, harpist, "
            "shepherd"
        ),
        _words("painted resin, bronze, marble, carved limewood, porcelain, cast pewter"),
        _words(
            "layered plates, a pleated cloak, laced boots, a feathered hat, chain mail, heavy folds of cloth, buckled "
            "straps, embroidered hems, a wide belt with pouches, braided hair"
        ),
    ),
    "plants": Category(
        _words(
            "bonsai tree, cactus, pine cone, lotus flower, pineapple, thistle, mushroom cluster, artichoke, fern, "
            "dead oak stump, sunflower, walnut in its shell"
        ),
        _words("lifelike material, cast bronze, carved stone, glazed ceramic, wrought iron, carved wood"),
        _words(
            "deep bark ridges, curled leaves, rows of spines, layered petals, gnarled roots, overlapping scales, "
            "raised veins, clinging vines, small buds, a cracked shell"
        ),
    ),
    "arms": Category(
        _words(
            "war hammer, round shield, gauntlet, crested helmet, ornate sword, crossbow, quiver, breastplate, "
            "battle axe, hunting horn"
        ),
        _words("etched steel, gilded bronze, boiled leather, carved bone, blued iron, silver"),
        _words(
            "interlaced knotwork, studded bands, a beast's head, fluted ridges, wrapped leather grips, raised bosses, "
            "engraved runes, scalloped edges, filigree, riveted seams"
        ),
    ),
    "ornaments": Category(
        _words(
            "crown, candelabrum, picture frame, door knocker, chess rook, music box, mantel clock, fountain, "
            "capital of a column, birdcage, gargoyle, jewel box"
        ),
        _words("gilded wood, marble, wrought iron, silver, verdigris bronze, plaster, ivory-coloured resin"),
        _words(
            "acanthus leaves, twisted columns, hanging chains, shell motifs, twining snakes, beaded borders, "
            "openwork arches, garlands of fruit, cherub heads, faceted stones"
        ),
    ),
}
ADJECTIVES = _words(
    "ancient, massive, slender, weathered, ceremonial, squat, elaborate, battered, elegant, toy-like, oversized, "
    "asymmetrical, angular, bulbous, crooked, richly carved"
)
STYLES = _words(
    "Art Nouveau, Gothic, Baroque, Art Deco, steampunk, Viking, Bauhaus, Ming dynasty, Aztec, Victorian, brutalist, "
    "Byzantine, science fiction, folk art"
)
FRAMING = (
    "one single object, all of it in the picture, seen from above at an angle, even light, crisp edges, "
    "plain white background"
)
"""What every prompt ends with: engines cut out objects on a plain ground without a model."""
