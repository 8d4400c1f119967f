"""What is done in both roots, step by step, and held against each other. A step tells what came of
it, a line each, and raises NotSo at the first thing that is not as it should be."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import material
from counting import counts
from one_site import Desk, Site
from roots import PI_5, PLACE, Root, holds, last_of
from sameness import Sameness, compared

MOST_MB = 400
AT_ONCE = os.cpu_count() or 1
PYTHON = "/opt/borderpost/current/bin/python"
_WORK = f"{PYTHON} {PLACE}/list_work.py"
_LISTS = f"{PLACE}/demo"
_WITH_DEMO = f"--json --lists {_LISTS} --list-keys {_LISTS}-keys"
_HEAVY_MB = 2.0
_MOST_APART = {"confidence": 0.03, "box": 0.5, "candidates": 0.03}
"""What floating-point numbers may differ by: a confidence, a corner in pixels, the probability of a
doubtful character."""
_MOST_HINTS = 0.05
"""Of all answers so many may give another reason why nothing could be read."""


@dataclass(frozen=True)
class Trial:
    """The two devices, their packages, and where everything is."""

    arm: Root
    twin: Root
    packages: dict[str, Path]
    work: Path
    records: int
    source: Path
    show: Callable[[str], None] = print

    @property
    def both(self) -> tuple[Root, Root]:
        return self.arm, self.twin

    @property
    def specimens(self) -> Path:
        return self.source / "firmware" / "demo" / "specimens"


def install(trial: Trial) -> Iterator[str]:
    """The package and nothing else, by dpkg, without a network."""
    for root in trial.both:
        trial.show(f"{root.arch}: installing")
        root.renew()
        root.path(PLACE).mkdir(parents=True)
        for program in ("list_work.py", "counted.py"):
            shutil.copy(Path(__file__).parent / program, root.path(PLACE))
        shutil.copy(trial.packages[root.arch], root.path(f"{PLACE}/borderpost.deb"))
        if root.cpu:
            root.tell_of_processors()
        root.must(f"dpkg -i {PLACE}/borderpost.deb")
        machine = root.must(f"{PYTHON} -c 'import platform; print(*platform.uname()[4:5])'").strip()
        size = int(root.must("du -sm /opt/borderpost").split()[0])
        holds(size < MOST_MB, f"{root.arch}: {size} MB in /opt/borderpost, {MOST_MB} allowed")
        yield f"{root.arch}: installed from its wheels alone on {machine}, {size} MB"
        yield f"{root.arch}: MB by what weighs: {_weights(root)}"


def _weights(root: Root) -> str:
    """What a device's packages of Python weigh, compiled files included."""
    told = root.must("du -s --block-size=1000 /opt/borderpost/current/lib/python3*/site-packages/*")
    rows = (row.split("\t") for row in told.splitlines())
    sizes = {path.rpartition("/")[2]: int(kb) / 1000 for kb, path in rows}
    heavy = {name: mb for name, mb in sizes.items() if mb >= _HEAVY_MB}
    rest = sum(sizes.values()) - sum(heavy.values())
    named = sorted(heavy.items(), key=lambda one: -one[1])
    return ", ".join([*(f"{name} {mb:.0f}" for name, mb in named), f"all others {rest:.0f}"])


def scan(trial: Trial) -> Iterator[str]:
    """Pictures: the same characters, the same verdicts."""
    folder = trial.work / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    count = material.pictures(trial.specimens, folder)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for root in trial.both:
        shutil.rmtree(root.path(_LISTS), ignore_errors=True)
        shutil.copytree(folder, root.path(f"{PLACE}/pictures"), dirs_exist_ok=True)
        source = f"{_LISTS}-source/{today.isoformat()}.csv"
        root.path(source).parent.mkdir(exist_ok=True)
        shutil.copy(trial.specimens / "demo-list.csv", root.path(source))
        _work(root, trial, "build", source, _LISTS)
    every, specimens = sorted(folder.iterdir()), sorted(folder.glob("[01]*.jpg"))
    twin = _scanned(trial, trial.twin, every)
    same = compared(_scanned(trial, trial.arm, every), twin)
    _holds_same(same)
    yield f"{count} pictures: {_told_of(twin)}"
    yield f"as a Pi 4 ({trial.arm.cpu}) and x86-64 read them: {same.line()}"
    pi_5 = _scanned(trial, replace(trial.arm, cpu=PI_5), specimens)
    same = compared(pi_5, _scanned(trial, trial.twin, specimens))
    _holds_same(same)
    yield f"as a Pi 5 ({PI_5}) and x86-64 read the specimens: {same.line()}"


def _scanned(trial: Trial, root: Root, pictures: Sequence[Path]) -> str:
    """What a device says of pictures, in their order. Several of its processes read at once."""
    read = 0

    def tell(_: str) -> None:
        nonlocal read
        read += 1
        trial.show(f"{root.cpu or root.arch}: {read} of {len(pictures)} pictures")

    def scanned(part: Sequence[Path]) -> str:
        named = " ".join(f"{PLACE}/pictures/{one.name}" for one in part)
        done = root.run(f"borderpost scan {_WITH_DEMO} {named}", tell=tell)
        holds(len(done.out.splitlines()) == len(part), f"{root.arch}: scan: {last_of(done.all)}")
        return done.out

    parts = [pictures[first::AT_ONCE] for first in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = "".join(pool.map(scanned, parts)).splitlines()
    return "\n".join(sorted(rows, key=lambda row: str(json.loads(row)["source"])))


def _told_of(out: str) -> str:
    """How many pictures came to what."""
    found: dict[str, int] = {}
    for row in map(json.loads, out.splitlines()):
        outcome = row["verdict"]["outcome"] if row.get("verdict") else row["error"]["code"]
        found[outcome] = found.get(outcome, 0) + 1
    return ", ".join(f"{outcome} {count}" for outcome, count in sorted(found.items()))


def lines(trial: Trial) -> Iterator[str]:
    """Lines of text, whole and damaged, through `parse` and `check`."""
    whole = material.blocks(material.world_of(trial.records))
    for what, given in (("whole", whole), ("damaged", material.damaged(whole))):
        text = material.as_text(given)
        for command in ("parse --json", f"check {_WITH_DEMO}"):
            trial.show(f"{what}: {command}")
            ran = [root.run(f"borderpost {command}", given=text) for root in trial.both]
            same = compared(ran[0].out, ran[1].out)
            _holds_same(same)
            holds(not same.floats, "there are floating-point numbers where there ought to be none")
            holds(ran[0].code == ran[1].code, f"exit codes {ran[0].code} and {ran[1].code}")
            yield f"{what} documents, {command.split()[0]}: {same.line()}"


def lists(trial: Trial) -> Iterator[str]:
    """A large list: each builds it, the other verifies it; a delta made on each, applied on the
    other; folded on both. Every file is the same."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    names = [f"{day.isoformat()}.csv" for day in (today - timedelta(days=1), today)]
    here = [trial.work / "sources" / name for name in names]
    if not all(one.exists() for one in here):
        trial.show("writing the sources")
        here[0].parent.mkdir(parents=True, exist_ok=True)
        material.sources(here[0], here[1], trial.records)
    for root in trial.both:
        for one in here:
            shutil.copy(one, root.path(PLACE))
    first = _on_both(trial, "build", f"{PLACE}/{names[0]}", f"{PLACE}/day-1")
    told = f"{first['records']:,} records, {first['ranges']} ranges: root {first['root']}"
    yield f"a list built on both: {told}, all {len(first['files'])} files to the byte"
    second = _work(trial.twin, trial, "build", f"{PLACE}/{names[1]}", f"{PLACE}/day-2")
    _copy(trial.twin, f"{PLACE}/day-2", trial.arm, f"{PLACE}/day-2")
    trial.arm.must(f"borderpost list verify --lists {PLACE}/day-2")
    told = f"every page verified on arm64, root {second['root']}"
    yield f"that of a day later, built on amd64: {told}"
    made = _on_both(trial, "delta", f"{PLACE}/day-1", f"{PLACE}/day-2", f"{PLACE}/delta")
    yield f"the delta between them, made on both: {made['bytes']:,} bytes, the same to the byte"
    for giver, taker in (trial.both, trial.both[::-1]):
        _copy(giver, f"{PLACE}/delta", taker, f"{PLACE}/delta-from-{giver.arch}")
        _copy(giver, f"{PLACE}/day-1", taker, f"{PLACE}/from-{giver.arch}")
    for giver, taker in (trial.both, trial.both[::-1]):
        theirs = f"{PLACE}/from-{giver.arch}"
        after = _work(taker, trial, "apply", theirs, f"{PLACE}/delta-from-{giver.arch}")
        holds(after["root"] == made["to_root"], f"{taker.arch}: the delta leads elsewhere")
        folded = _work(taker, trial, "fold", theirs)
        holds(folded["base"] == second["base"], f"{taker.arch}: folded it is another list")
        yield f"{giver.arch}'s list and delta, on {taker.arch}: applied, and folded to that root"
    text = material.as_text(material.blocks(material.world_of(trial.records)))
    with_list = f"--json --lists {PLACE}/day-1 --list-keys {PLACE}/day-1-keys"
    ran = [root.run(f"borderpost check {with_list}", given=text) for root in trial.both]
    same = compared(ran[0].out, ran[1].out)
    _holds_same(same)
    yield f"asked about documents of every State: {_told_of(ran[0].out)}; {same.line()}"


def delivery(trial: Trial) -> Iterator[str]:
    """Alerts from the device, through a real Mosquitto, to central's receiver, and back."""
    folder = trial.work / "site"
    shutil.rmtree(folder, ignore_errors=True)
    root = trial.arm
    shutil.rmtree(root.path("/var/lib/borderpost/lists"), ignore_errors=True)
    shutil.copytree(root.path(_LISTS), root.path("/var/lib/borderpost/lists"))
    shown = root.path(f"{PLACE}/shown")
    shutil.rmtree(shown, ignore_errors=True)
    shown.mkdir()
    for name in ("01-passport", "02-passport-stolen", "06-passport-stolen-blank"):
        shutil.copy(trial.specimens / f"{name}.jpg", shown)
    site = Site(folder, trial.source / ".venv" / "bin")
    site.set_up()
    desk = Desk(root, site)
    with site.running():
        trial.show("set-up")
        desk.set_up(Path(f"{PLACE}/shown"), root.path(f"{_LISTS}-keys/sltd.key"))
        yield "borderpost setup: configured, enrolled by files, its list's key placed"
        looked = root.run("borderpost doctor", desk=True)
        holds(looked.code == 0, f"the doctor finds something wrong: {looked.out}")
        yield from (f"doctor: {row}" for row in looked.out.splitlines() if row.strip())
        with desk.running():
            trial.show("the desk reads and alerts")
            desk.wait_for(lambda: len(site.alerts()) >= 2, "two alerts at central")
            desk.wait_for(lambda: desk.waiting() == 0, "central's acknowledgements at the desk")
            alerts = site.alerts()
            yield f"{len(alerts)} alerts at central, each acknowledged back to the desk's outbox"
            words = ("--confirmed", "--instruction", "Hold the document.")
            site.central("alerts", "answer", alerts[0]["id"], *words)
            held = '"held_at": "'
            desk.wait_for(
                lambda: held in site.central("alerts", "--json"), "central's answer at the desk"
            )
            yield "central's answer is held by the desk, and central knows"
    told = root.must("borderpost journal verify", desk=True).strip()
    yield f"journal: {told}"


def speed(trial: Trial) -> Iterator[str]:
    """What `doctor --speed` says where it is emulated: that it works, and no speed."""
    said = trial.arm.must("borderpost doctor --speed", desk=True)
    measured = [row for row in said.splitlines() if " ms, " in row]
    holds(len(measured) == 3, f"doctor --speed measured {len(measured)} of 3: {said}")
    yield from measured


def count(trial: Trial) -> Iterator[str]:
    """Instructions of each kind of work, by a plugin of the emulator."""
    yield from counts(trial.both, trial.work, trial.show)


STEPS: dict[str, Callable[[Trial], Iterator[str]]] = {
    "install": install,
    "scan": scan,
    "lines": lines,
    "lists": lists,
    "delivery": delivery,
    "speed": speed,
    "count": count,
}


def _work(root: Root, trial: Trial, *words: str) -> dict[str, Any]:
    """What `list_work.py` tells of its work on a device."""

    def tell(row: str) -> None:
        trial.show(f"{root.arch}: {words[0]} {json.loads(row).get('so_far', '')}")

    trial.show(f"{root.arch}: {words[0]}")
    done = root.run(f"{_WORK} {' '.join(words)}", tell=tell)
    holds(done.code == 0, f"{root.arch}: {words[0]}: {done.all.strip()[-300:]}")
    told: dict[str, Any] = json.loads(done.out.splitlines()[-1])
    told.pop("cpu_s")
    return told


def _copy(giver: Root, what: str, taker: Root, place: str) -> None:
    """Carries a file or a folder from one device to the other."""
    target = taker.path(place)
    shutil.rmtree(target, ignore_errors=True)
    copy = shutil.copytree if giver.path(what).is_dir() else shutil.copy
    copy(giver.path(what), target)


def _on_both(trial: Trial, *words: str) -> dict[str, Any]:
    """The same work on both devices, which has to come to the same to the byte."""
    arm, twin = (_work(root, trial, *words) for root in trial.both)
    other = [key for key in arm if arm[key] != twin[key]]
    holds(not other, f"{words[0]} comes to another {', '.join(other)} on arm64 than on amd64")
    return arm


def _holds_same(same: Sameness) -> None:
    """No difference, floating-point numbers close to each other, and hardly another hint."""
    holds(
        not same.differences, f"{len(same.differences)} differ: {', '.join(same.differences[:5])}"
    )
    holds(
        len(same.hints) <= _MOST_HINTS * same.answers, f"other hints: {', '.join(same.hints[:5])}"
    )
    for place, floats in same.floats.items():
        apart = f"{place} differs by {floats.most:.3g}"
        holds(floats.most <= _MOST_APART.get(place, 0.0), apart)
