"""The log of a run: what is read, what is kept, and what is not written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpas_lite.training.records import COLUMNS, TrainingLog, is_log, model_card, processor, read_log

HEADER = ",".join(COLUMNS) + "\n"


def steps(path: Path) -> list[str]:
    return [row["step"] for row in read_log(path)]


def test_a_row_is_there_once_it_is_written_and_only_once(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log.csv", step=0)
    assert (tmp_path / "log.csv").read_text() == HEADER
    log.add(step=1, epoch=1, loss=0.5, lr=0.02)
    assert read_log(tmp_path / "log.csv") == []
    log.write()
    log.write()
    log.add(step=2, epoch=1, loss=0.25, validation_iou=None)
    log.write()
    assert (tmp_path / "log.csv").read_text() == HEADER + "1,1,0.5,,,0.02,,\n2,1,0.25,,,,,\n"
    assert read_log(tmp_path / "log.csv")[0] == dict(
        zip(COLUMNS, ["1", "1", "0.5", "", "", "0.02", "", ""], strict=True)
    )


@pytest.mark.parametrize(("step", "kept"), [(0, []), (2, ["1", "2"]), (3, ["1", "2", "3"]), (9, ["1", "2", "3"])])
def test_rows_after_the_step_are_dropped(tmp_path: Path, step: int, kept: list[str]) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "".join(f"{n},1,0.5,0.4,0.1,0.02,9.5,\n" for n in (1, 2, 3)))
    before = read_log(path)
    TrainingLog(path, step=step)
    assert steps(path) == kept
    assert read_log(path) == before[: len(kept)]


@pytest.mark.parametrize(
    "row",
    [
        "2,1,0.5",  # cut off: no end of the line
        "two,1,0.5,,,,,\n",
        ",1,0.5,,,,,\n",
        "2.0,1,0.5,,,,,\n",
        "-2,1,0.5,,,,,\n",
        "²,1,0.5,,,,,\n",
        f"{10**18},1,0.5,,,,,\n",  # nobody takes so many steps
        "2,1,0.5,,,,,,more\n",
    ],
)
def test_rows_that_are_none_are_left_out(tmp_path: Path, row: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "1,1,0.5,,,,,\n" + row, encoding="utf-8")
    assert steps(path) == ["1"]
    path.write_text(HEADER + f"{10**18 - 1},1,0.5,,,,,\n")
    assert steps(path) == [str(10**18 - 1)]


def test_a_log_from_before_a_column_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n1,0.5\n")
    assert read_log(path) == [{"step": "1", "loss": "0.5"}]
    path.write_text("")
    assert read_log(path) == []
    assert read_log(tmp_path / "none.csv") == []


@pytest.mark.parametrize("content", [b"name,age\nAnn,7\n", b"step,age\n1,7\n", HEADER.encode() + b"1,\xff\n"])
def test_other_files_are_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"log.csv is not a log that can be read .*Move it away"):
        read_log(path)
    with pytest.raises(ValueError, match=r"log.csv"):
        TrainingLog(path, step=0)
    assert path.read_bytes() == content


def test_a_log_is_known_by_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for content, known in ((HEADER, True), (HEADER + "1,1\n", True), ("", True), ("step,epoch\n", False), ("x", False)):
        path.write_text(content)
        assert is_log(path) == known


def test_the_processor_is_the_first_that_the_machine_names(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "processor : 0\nmodel name\t: Fast One: 2 GHz\nprocessor : 1\nmodel name\t: Slow One\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
    assert processor() == "Fast One: 2 GHz"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "processor : 0\n")
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "a machine")
    assert processor() == "a machine"
    monkeypatch.setattr("platform.processor", lambda: "arm")
    assert processor() == "arm"

    def nothing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", nothing)
    assert processor() == "arm"


def test_a_card_says_what_is_noted_and_what_is_not() -> None:
    noted = {"pairs": 12, "epochs": 3, "steps": 9, "skipped": ["a", "b"], "encoder_weights": "imagenet"}
    noted |= {"validation_iou": 0.51239, "settings": {"lr": 0.02}}
    lines = model_card(noted, {"encoder": "hrnet_w48", "width": 64}, "1.2.3").splitlines()
    assert lines[0] == "# Model card: crowd segmentation with hrnet_w48"
    assert "- Pairs of frame and pseudo-label: 12; 2 left out as damaged" in lines
    assert "- Epochs: 3; steps: 9" in lines
    assert "- Encoder started from: imagenet" in lines
    assert "- IoU on the validation pairs: 0.5124" in lines
    assert [line for line in lines if line.startswith("| ")][2:] == [
        "| encoder | hrnet_w48 |",
        "| width | 64 |",
        "| lr | 0.02 |",
    ]
    assert lines[-1] == "Written by mpas_lite 1.2.3."
    lines = model_card({}, {"encoder": "hrnet_w48"}, "1.2.3").splitlines()
    assert "- Pairs of frame and pseudo-label: not noted" in lines
    assert "- Epochs: not noted; steps: not noted" in lines
    assert "- Encoder started from: random weights" in lines
    assert "- IoU on the validation pairs: not measured" in lines
    assert "- IoU on the validation pairs: 0.0000" in model_card({"validation_iou": 0.0}, {"encoder": "x"}, "1")
