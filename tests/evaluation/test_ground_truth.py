"""Which ground truth a clip has: what lies beside it in a layout that is known, or what is given."""

import cv2
import numpy as np
import pytest

from mpas_lite.evaluation.ground_truth import truth_folders
from mpas_lite.video.images import write_image

MASK = np.zeros((12, 16), bool)


@pytest.mark.parametrize("ending", ["bmp", "png", "PNG", "tif"])
def test_truth_in_a_folder_of_frames_is_seen_whatever_its_ending(tmp_path, ending):
    truth = tmp_path / "clip" / "truth"
    truth.mkdir(parents=True)
    assert truth_folders(tmp_path / "clip") == {}
    (truth / ".hidden.png").touch()
    (truth / "notes.txt").touch()
    assert truth_folders(tmp_path / "clip") == {}
    cv2.imwrite(str(truth / f"0.{ending}"), MASK * np.uint8(255))
    assert truth_folders(tmp_path / "clip") == {"truth": truth}
    (truth / "crowd").mkdir()
    assert truth_folders(tmp_path / "clip") == {"truth": truth}  # nothing is in crowd/
    (truth / "crowd" / f"0.{ending}").touch()
    assert truth_folders(tmp_path / "clip") == {"crowd": truth / "crowd"}


def test_a_given_folder_without_masks_is_refused_before_anything_is_done(tmp_path):
    (tmp_path / "given" / "deeper").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"given holds no masks, and no crowd/ or person/ with masks"):
        truth_folders(tmp_path / "clip.mp4", tmp_path / "given")
    with pytest.raises(ValueError, match="There is no folder"):
        truth_folders(tmp_path / "clip.mp4", tmp_path / "nowhere")
    write_image(tmp_path / "given" / "0.png", MASK)
    assert truth_folders(tmp_path / "clip.mp4", tmp_path / "given") == {"truth": tmp_path / "given"}
