"""What `make arm64` holds two architectures against each other by, without emulating anything."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "packaging" / "arm64"))
import kept  # noqa: E402  programs that are run by path
import roots  # noqa: E402
import sameness  # noqa: E402
import steps  # noqa: E402
import try_arm64  # noqa: E402


def answer(**other: object) -> str:
    """What a machine prints of one document."""
    said = {"lines": ["L898902C3"], "confidence": 0.5, "age_s": 3, "ms": {"total": 4.0}}
    return json.dumps({**said, **other})


def test_answers_are_the_same_whatever_they_took_and_however_old_the_list_is() -> None:
    same = sameness.compared(answer(), answer(age_s=9, ms={"total": 4000.0}))
    assert (same.answers, same.differences) == (1, [])
    assert same.floats["confidence"].other == 0


def test_a_single_character_that_differs_is_told_with_its_place() -> None:
    same = sameness.compared(
        "\n".join([answer()] * 2), f"{answer()}\n{answer(lines=['L898902O3'])}"
    )
    assert same.differences == ["answer 2.lines"]


def test_floating_point_numbers_are_told_apart_from_differences() -> None:
    same = sameness.compared(answer(), answer(confidence=0.25))
    assert not same.differences
    assert same.floats["confidence"].most == 0.25
    assert "confidence: 1 of 1 differ, by 0.25 at most" in same.line()


def reading(status: str, **other: object) -> str:
    """What a machine prints of one picture."""
    why = other.get("why")
    return answer(reading={"status": status, "note": why, **other}, verdict={"reasons": [why]})


def test_candidates_about_as_likely_may_change_places_but_not_what_they_are_worth() -> None:
    def doubtful(**chances: float) -> str:
        return answer(uncertain=[{"position": 3, "candidates": list(chances.items())}])

    same = sameness.compared(
        doubtful(K=0.5, A=0.044, U=0.043), doubtful(K=0.5, U=0.044, A=0.043, O=0.042)
    )
    assert not same.differences
    assert same.floats["candidates"].most < 0.0021
    same = sameness.compared(doubtful(K=0.5), doubtful(U=0.5, K=0.1))
    assert same.floats["candidates"].most > 0.3


def test_where_no_candidates_are_told_there_are_no_floating_point_numbers_of_them() -> None:
    nothing = answer(uncertain=[{"position": 3, "candidates": []}])
    assert "candidates" not in sameness.compared(nothing, nothing).floats


def test_another_hint_why_nothing_could_be_read_is_told_apart() -> None:
    same = sameness.compared(
        reading("unreadable", why="moving"), reading("unreadable", why="unclear")
    )
    assert (same.differences, same.hints) == ([], ["answer 1 moving and unclear"])
    assert "another hint: answer 1 moving and unclear" in same.line()


def test_what_one_alone_could_read_or_says_of_a_reading_is_a_difference() -> None:
    apart = sameness.compared(reading("unreadable", why="moving"), reading("read", why=None))
    assert "answer 1.reading.status" in apart.differences
    assert sameness.compared(
        reading("doubtful", why="moving"), reading("doubtful", why="unclear")
    ).differences


def test_an_answer_too_few_or_of_another_shape_is_a_difference() -> None:
    assert sameness.compared(f"{answer()}\n{answer()}", answer()).differences
    assert sameness.compared(answer(), answer(confidence=None)).differences
    assert sameness.compared(answer(), answer(more=1)).differences


def test_a_step_is_done_again_for_another_package_alone(tmp_path: Path) -> None:
    kept.Kept(tmp_path, "this package").put("scan", ["all the same"])
    assert kept.Kept(tmp_path, "this package").lines("scan") == ["all the same"]
    assert kept.Kept(tmp_path, "another package").lines("scan") is None
    assert kept.Kept(tmp_path, "this package").lines("lists") is None


def test_a_step_asked_for_again_has_the_devices_installed_anew_where_they_are_gone(
    tmp_path: Path,
) -> None:
    arm, twin = (roots.Root("bookworm", arch, tmp_path) for arch in ("arm64", "amd64"))
    trial = steps.Trial(arm, twin, {}, tmp_path, 1, ROOT)

    def done(asked: str | None) -> list[str]:
        return [name for name in steps.STEPS if try_arm64.anew(name, asked, trial)]

    assert (done("scan"), done(None)) == (["install", "scan"], [])
    for root in trial.both:
        root.folder.mkdir()
    assert (done("scan"), done("install")) == (["scan"], ["install"])


def test_the_kernel_is_told_of_a_program_s_first_twenty_bytes_as_it_reads_them() -> None:
    """Documentation/admin-guide/binfmt-misc.rst: a byte is itself or \\x and two digits."""
    byte = r"(?:\\x[0-9a-f]{2}|[^\\])"
    for told in (roots.MAGIC, roots.MASK):
        assert re.fullmatch(byte + "{20}", told)


def test_a_device_is_entered_with_nothing_left_mounted_or_running(tmp_path: Path) -> None:
    root = roots.Root("bookworm", "arm64", tmp_path, roots.PI_4)
    line = root.entering("borderpost doctor", desk=True)
    assert line[:4] == ["unshare", "--mount", "--pid", "--kill-child"]
    assert line[-2] == str(tmp_path / "device-arm64")
    assert "setpriv --reuid=borderpost" in line[-1]
    assert "QEMU_CPU=cortex-a72" in line[-3]
