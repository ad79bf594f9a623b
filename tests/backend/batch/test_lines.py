# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of pictures: whatever text there is becomes lines or a sentence, and names that no two pictures share."""

import argparse
import json
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.batch.lines import PICTURE, Line, read_sources
from backend.batch.manifest import Manifest, State
from backend.batch.names import MAX_PART_BYTES, folded, is_inside, is_safe, safe_name, stems
from backend.batch.passed_over import told
from backend.batch.planning import Wanted, plan, wanted_by
from backend.engines import ENGINES
from backend.errors import UserError
from backend.wire.limits import MAX_SEED, seeds_from

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["picture", "seed", "count", "engine", "settings", "name", "own_normal_map", "x"])


def read_list(text: str) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.txt")
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return read_sources([path], Counter())


@given(st.lists(st.text(max_size=20) | st.dictionaries(KEYS, ANYTHING, max_size=4).map(json.dumps), max_size=6))
def test_any_text_becomes_lines_or_a_sentence(lines: list[str]) -> None:
    try:
        found = read_list("\n".join(lines))
    except UserError as error:
        found, code, sentence = [], error.code, error.sentence
    else:
        code, sentence = "bad-list", "."
    assert code in ("bad-list", "no-pictures")
    assert sentence.endswith(".")
    for line in found:
        assert line.inputs[PICTURE].is_absolute()
        assert line.seed is None or 0 <= line.seed <= MAX_SEED
        assert is_safe(safe_name(line.title))


@given(
    st.lists(
        st.fixed_dictionaries(
            {"picture": st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5})?\.png", fullmatch=True)},
            optional={
                "seed": st.integers(0, MAX_SEED),
                "count": st.integers(1, 16),
                "engine": st.text("abc", min_size=1),
                "settings": st.dictionaries(st.text(max_size=5), st.integers() | st.booleans() | st.text(max_size=5)),
                "name": st.text("abc/", min_size=1, max_size=5),
            },
        ),
        min_size=1,
        max_size=5,
    )
)
def test_a_line_reads_as_it_was_written(written: list[dict[str, Any]]) -> None:
    found = read_list("\r\n".join(json.dumps(line) for line in written))
    for line, said in zip(found, written, strict=True):
        assert line.inputs[PICTURE].as_posix().endswith(said["picture"])
        assert line.title == said["picture"].removesuffix(".png")
        assert (line.seed, line.count, line.engine) == (said.get("seed"), said.get("count"), said.get("engine"))
        assert line.settings == said.get("settings", {})
        assert line.name == said.get("name", "")


def test_a_path_that_leads_out_of_the_lists_folder_gives_its_name_alone(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(
        f"../owl.png\n{tmp_path / 'deep' / 'owl.png'}\n  in/owl.png  \n# no\n\n", "utf-8"
    )
    lines = read_sources([tmp_path / "list.txt"], Counter())
    assert [line.title for line in lines] == ["owl", "owl", "in/owl"]
    assert lines[2].inputs[PICTURE] == tmp_path / "in" / "owl.png"
    assert [line.place for line in lines] == [f"Line {number} of “list.txt”" for number in (1, 2, 3)]


def test_a_folder_is_read_to_its_depth_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "b/10.jpg", "B/1.png", "a.webp", ".hidden/x.png", ".y.png", "notes.md", "z/deep/er/1.tif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    assert [line.title for line in read_sources([tmp_path], Counter())] == ["a", "B/1", "b/10", "b/2", "z/deep/er/1"]


def test_pictures_of_other_kinds_are_counted(tmp_path: Path) -> None:
    for name in ("a.png", "b.exr", "in/c.EXR", "in/d.gif", ".e.gif", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    for sources in ([tmp_path], [tmp_path / "*"]):
        passed_over: Counter[str] = Counter()
        assert [line.title.split("/")[-1] for line in read_sources(sources, passed_over)] == ["a"]
        expected = "Left out, as such files are not read from folders: 2 .exr, 1 .gif. Save them as PNG."
        assert told(passed_over) == expected
    assert not told(Counter())


def test_wildcards_stand_for_pictures_and_folders(tmp_path: Path) -> None:
    names = (
        "b.png",
        "A.JPG",
        "notes.md",
        "list.txt",
        ".c.png",
        "in/d.png",
        "out/manifest.jsonl",
        "out/e.png",
        "x[1].png",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [line.title for line in read_sources([tmp_path / "*"], Counter())] == ["A", "b", "d", "x[1]"]
    assert [line.title for line in read_sources([tmp_path / "?.png", tmp_path / "*" / "*"], Counter())] == ["b", "d"]
    assert [line.title for line in read_sources([tmp_path / "x[1].png"], Counter())] == ["x[1]"], "a name that is there"
    for nothing in ("*.webp", "n*"):
        with pytest.raises(UserError, match="No picture fits"):
            read_sources([tmp_path / nothing], Counter())


@given(st.text(max_size=300))
def test_every_title_becomes_a_name_that_every_system_can_write(title: str) -> None:
    name = safe_name(title)
    assert is_safe(name)
    assert is_inside(name)
    path = PurePosixPath(name)
    assert not path.is_absolute()
    for part in path.parts:
        assert part not in (".", "..")
        assert not part.startswith(".")
        assert part == part.rstrip(". ")
        assert len(part.encode()) <= MAX_PART_BYTES + 1
        assert not set(part) & set('<>:"\\|?*\0\n\r\t')


def wanted(title: str, count: int = 1, name: str = "", folder: str = "/photos", seed: int = 0) -> Wanted:
    request = {"engine": "draft", "seed": seed, "count": count, "settings": {}, "products": ["normal_map", "mesh"]}
    return Wanted(Line({PICTURE: Path(folder, f"{title}.png")}, title, name), request)


TITLES = st.sampled_from(
    ["owl", "OWL", "owl-2", "owl_seed1", "owl_normal_map", "a/owl", "ówl", "o\u0301wl", "con", "x."]
)
LISTS = st.lists(
    st.builds(
        wanted,
        TITLES,
        st.integers(1, 3),
        st.just("") | st.just("hero"),
        st.sampled_from(["/p", "/q"]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=8,
).filter(lambda lines: sum(each.line.name == "hero" for each in lines) <= 1)


@given(LISTS, st.randoms())
def test_no_two_pictures_share_a_file_and_names_stay(lines: list[Wanted], random: Any) -> None:
    with tempfile.TemporaryDirectory() as folder, Manifest(Path(folder)) as manifest:
        names = plan(manifest, lines)
        taken: set[str] = set()
        for name, each in zip(names, lines, strict=True):
            own = stems(name, each.request["products"], seeds_from(each.request["seed"], each.request["count"]))
            assert not own & taken
            taken |= own
        assert plan(manifest, lines) == names
        shuffled = [*zip(lines, names, strict=True)]
        random.shuffle(shuffled)
        again = plan(manifest, [each for each, _ in shuffled])
        pairs = {(str(each.line.inputs[PICTURE]), repr(each.request), each.line.name, name) for each, name in shuffled}
        assert {
            (str(each.line.inputs[PICTURE]), repr(each.request), each.line.name, name)
            for (each, _), name in zip(shuffled, again, strict=True)
        } == pairs
        more = plan(manifest, [wanted("owl", folder="/new"), *lines])
        assert more[1:] == names


def test_what_was_to_be_written_over_goes_on_without_being_told_again(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        (name,) = plan(manifest, [wanted("owl")])
        with manifest.locked():
            manifest.write(replace(manifest.entries[name], state=State.DONE, files=("owl.glb",)))
        (tmp_path / "owl.glb").write_bytes(b"")
        with pytest.raises(UserError, match=r"owl\.glb” is there already"):
            plan(manifest, [wanted("owl", seed=1)])
        assert manifest.entries[name].state is State.DONE
        assert plan(manifest, [wanted("owl", seed=1)], overwrite=True) == [name]
        assert plan(manifest, [wanted("owl", seed=1)]) == [name]
        assert manifest.entries[name].state is State.WAITING
        (tmp_path / "owl.glb").unlink()
        assert plan(manifest, [wanted("owl", seed=2)]) == [name], "nothing is there to be lost"


def test_names_that_differ_by_case_alone_are_kept_apart() -> None:
    assert folded("Straße/OWL") == folded("strasse/owl")
    assert folded("o\u0301") == folded("ó")


def test_an_upscaler_that_is_not_used_is_no_reason_to_make_anything_again(tmp_path: Path) -> None:
    def versions(*settings: tuple[str, str]) -> dict[str, str]:
        options = argparse.Namespace(engine="draft", seed=0, count=1, preset=None, set=settings)
        line = Line({"picture": tmp_path / "a.png"}, "a")
        rest = {"versions": {"hi3dgen": "1", "upscale": "x4.pth 1234"}}
        return wanted_by(line, options, ENGINES, lambda _: rest).request["versions"]

    assert versions() == {"hi3dgen": "1"}
    assert versions(("upscale", "true")) == {"hi3dgen": "1", "upscale": "x4.pth 1234"}
