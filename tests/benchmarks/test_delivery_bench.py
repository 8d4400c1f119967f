"""The benchmark of delivery: every stage comes to its end, small, and tells what it measured."""

import json
from pathlib import Path

import pytest

from benchmarks.delivering import command, latency


@pytest.mark.parametrize("stage", command.STAGES)
def test_a_stage_measures_what_it_says(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    # Headquarters over PostgreSQL are started by the stages `receivers` and `fleet`.
    monkeypatch.setattr(latency, "STORES", ("sqlite",))
    told = tmp_path / "told.json"
    assert command.main(["--quick", "--only", stage, "--json", str(told)]) == 0
    said = json.loads(told.read_text())
    assert list(said["stages"]) == [stage]
    table = capsys.readouterr().out
    assert table.count("not measured: not asked for") == len(command.STAGES) - 1
    result = said["stages"][stage]
    if stage == "fleet":
        counts = ("connected", "stored", "acknowledged")
        assert {result[what] for what in counts} == {result["devices"]}
        assert result["known_gone"] == result["vanished"] > 0
    if stage == "receivers":
        assert result["alerts"] == said["sizes"]["load_alerts"]


def test_a_stage_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "outbox,inbox"]) == 2
    assert "no stage 'inbox'" in capsys.readouterr().err
