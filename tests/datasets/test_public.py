"""Public data sets are read as they come; miniatures are made here in their layout, and the real clips join in."""

import warnings

import cv2
import numpy as np
import pytest

import mpas_lite as mp
from mpas_lite.datasets import cdnet, collective_motion, cuhk_crowd, paper_scenes, video_folder
from mpas_lite.evaluation.ground_truth import truth_of
from mpas_lite.motion.klt import follow
from mpas_lite.motion.tracklets import TRACKLET_FILE, particles_of_tracklets, read_tracklets
from mpas_lite.video.images import write_image
from tests.helpers import CROWD_FRAMES, CROWD_STEP, make_crowd_clip

FRAMES, STEP = CROWD_FRAMES, CROWD_STEP


def make_cdnet(folder, *, frames=6, first=3, last=5):
    for n in range(1, frames + 1):
        write_image(folder / "input" / f"in{n:06d}.jpg", np.full((20, 30, 3), 20 * n, np.uint8))
        truth = np.zeros((20, 30), np.uint8)
        truth[:, :4], truth[:, 4:8], truth[:, 8:12], truth[:, 12:16] = 255, 170, 50, 85
        write_image(folder / "groundtruth" / f"gt{n:06d}.png", truth)
    (folder / "temporalROI.txt").write_text(f"{first} {last}\n")
    return folder


# ------------------------------------------------------------------------------------------------- crowd databases


def test_the_clips_of_a_crowd_database(tmp_path):
    for name in ("639-12", "639-2", "marathonround-1"):
        make_crowd_clip(tmp_path / "deep" / name)
    (tmp_path / "readme.txt").write_text("hello")
    clips = collective_motion(tmp_path)
    assert [(clip.name, clip.scene) for clip in clips] == [
        ("639-12", "639"),
        ("639-2", "639"),
        ("marathonround-1", "marathonround"),
    ]
    assert all(clip.dataset == "Collective Motion Database" for clip in clips)
    assert clips[0].tracklets == tmp_path / "deep" / "639-12" / TRACKLET_FILE
    assert clips[0].truth is None


def test_the_mean_image_is_no_frame(tmp_path):
    video = collective_motion(make_crowd_clip(tmp_path / "639-12"))[0].video()
    assert (len(video), video.name, video.frame_name(0)) == (FRAMES, "639-12", "000001.jpg")
    assert [round(frame[1, 1].mean() / 10) for _, frame in video] == list(range(1, FRAMES + 1))


def test_scenes_of_cuhk_crowd(tmp_path):
    for name in ("1_8_groupSplit-festivalwalk_1_2-1", "2_36-1", "3_1_12-6.01"):
        make_crowd_clip(tmp_path / name, tracklets=False)
    clips = cuhk_crowd(tmp_path)
    assert [clip.scene for clip in clips] == ["1_8_groupSplit", "2_36", "3_1_12"]
    assert {clip.dataset for clip in clips} == {"CUHK Crowd"}
    assert clips[0].tracklets is None


def test_clips_behind_links_are_found_once(tmp_path):
    make_crowd_clip(tmp_path / "data" / "2_36-1")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "2_36-1").symlink_to(tmp_path / "data" / "2_36-1")
    (tmp_path / "mine" / "loop").symlink_to(tmp_path / "mine")
    assert [clip.name for clip in cuhk_crowd(tmp_path / "mine")] == ["2_36-1"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda clip: (clip / "imageList.txt").unlink(), "the mean image 000000.jpg cannot be told from a frame"),
        (lambda clip: (clip / "000007.jpg").unlink(), "of the frames in imageList.txt 1 are missing, the first 000007"),
        (lambda clip: [p.unlink() for p in clip.glob("*.jpg")], "of the frames in imageList.txt 12 are missing"),
        (lambda clip: (clip / "000001.jpg").rename(clip / "one.jpg"), "are missing, the first 000001"),
    ],
)
def test_a_bad_clip_is_named_and_left_out(tmp_path, spoil, sentence):
    bad = make_crowd_clip(tmp_path / "bad-1")
    spoil(bad)
    with pytest.raises(ValueError, match=sentence):
        cuhk_crowd(bad)
    make_crowd_clip(tmp_path / "good-1")
    with pytest.warns(UserWarning, match=f"bad-1: .*{sentence}.*left out"):
        assert [clip.name for clip in cuhk_crowd(tmp_path)] == ["good-1"]


def test_frames_that_neither_list_nor_disk_has_are_noticed(tmp_path):
    clip = make_crowd_clip(tmp_path / "a-1")
    (clip / "000007.jpg").unlink()
    (clip / "imageList.txt").write_text("000001.jpg\n")
    with pytest.raises(ValueError, match=r"not numbered 000001, 000002, ... without a gap"):
        cuhk_crowd(clip)
    for path in clip.glob("0000[01]*.jpg"):
        path.unlink()
    (clip / "imageList.txt").write_text("000000.jpg\n")
    with pytest.raises(ValueError, match="it holds no frames"):
        cuhk_crowd(clip)


def test_a_list_leads_nowhere(tmp_path):
    clip = make_crowd_clip(tmp_path / "a-1")
    (clip / "imageList.txt").write_text("../../../../etc/passwd\n")
    with pytest.raises(ValueError, match=r"1 are missing, the first passwd"):
        cuhk_crowd(clip)
    (clip / "imageList.txt").write_text("C:\\clips\\a-1\\000001.jpg\r\n/home/a/000002.jpg\r\n")
    assert len(cuhk_crowd(clip)[0].video()) == FRAMES  # as another machine wrote it: the names count


@pytest.mark.parametrize("adapter", [collective_motion, cuhk_crowd, cdnet, video_folder])
def test_a_folder_of_another_layout(tmp_path, adapter):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("nothing to see")
    with pytest.raises(ValueError, match="holds no clip that can be used"):
        adapter(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        adapter(tmp_path / "nowhere")


# ------------------------------------------------------------------------------------------------- CDnet, videos


def test_videos_of_cdnet(tmp_path):
    make_cdnet(tmp_path / "baseline" / "pedestrians")
    make_cdnet(tmp_path / "shadow" / "bungalows")
    (tmp_path / "shadow" / "bungalows" / "temporalROI.txt").unlink()
    pedestrians, bungalows = cdnet(tmp_path)
    assert (pedestrians.name, pedestrians.scene, pedestrians.valid) == ("pedestrians", "pedestrians", (3, 5))
    assert bungalows.valid is None
    video = pedestrians.video()
    assert (len(video), video.name) == (6, "pedestrians")
    truth = truth_of(video, pedestrians.truth)
    assert {index: path.name for index, path in truth.items()} == {
        2: "gt000003.png",
        3: "gt000004.png",
        4: "gt000005.png",
    }
    target, valid = mp.read_ground_truth(truth[2])
    assert target.sum() == 20 * 4
    assert (~valid).sum() == 20 * 8  # 85 and 170


def test_masks_of_cdnet_are_scored_by_its_rules(tmp_path):
    clip = cdnet(make_cdnet(tmp_path / "pedestrians"))[0]
    for index in range(6):
        mask = np.zeros((20, 30), bool)
        mask[:, :6] = True  # 2 columns of 170, which do not count
        mask[:, 16:20] = True  # 4 columns too many
        write_image(tmp_path / "out" / f"{index + 1:06d}.png", mask)
    score = mp.evaluate(tmp_path / "out", clip.truth)
    assert score.frames == (3, 4, 5)
    assert score.pooled == 0.5


def test_cdnet_without_ground_truth_and_with_a_bad_range(tmp_path):
    plain = make_cdnet(tmp_path / "plain")
    for path in (plain / "groundtruth").iterdir():
        path.unlink()
    assert cdnet(plain)[0].truth is None
    for text in ("three 5", "5", "5 3", "0 3", ""):
        bad = make_cdnet(tmp_path / "bad")
        (bad / "temporalROI.txt").write_text(text)
        with pytest.raises(ValueError, match=r"temporalROI\.txt"):
            cdnet(bad)
    with pytest.warns(UserWarning, match=r"temporalROI\.txt .*left out"):
        assert [clip.name for clip in cdnet(tmp_path)] == ["plain"]
    (tmp_path / "hollow" / "input").mkdir(parents=True)
    with pytest.raises(ValueError, match="input holds no images"):
        cdnet(tmp_path / "hollow")


def test_a_plain_folder_of_videos(tmp_path):
    write_image(tmp_path / "walk" / "1.png", np.zeros((8, 8, 3), np.uint8))
    writer = cv2.VideoWriter(str(tmp_path / "mall.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24))
    for _ in range(3):
        writer.write(np.zeros((24, 32, 3), np.uint8))
    writer.release()
    for copy in ("mall.mp4", "inside/street.avi", "two/a.avi", "two/b.avi"):
        (tmp_path / copy).parent.mkdir(exist_ok=True)
        (tmp_path / copy).write_bytes((tmp_path / "mall.avi").read_bytes())
    (tmp_path / "notes.txt").write_text("not a video")
    clips = video_folder(tmp_path)
    assert [clip.name for clip in clips] == ["inside", "mall", "mall-2", "walk"]
    assert [len(clip.video()) for clip in clips] == [3, 3, 3, 1]
    assert [clip.name for clip in video_folder(tmp_path / "walk")] == ["walk"]
    assert [clip.name for clip in video_folder(tmp_path / "two")] == ["a", "b"]


# ------------------------------------------------------------------------------------------------- tracklets


def test_tracklets_lie_on_the_frames_they_count(tmp_path):
    clip = collective_motion(make_crowd_clip(tmp_path / "639-12"))[0]
    particles = particles_of_tracklets(read_tracklets(clip.tracklets), 4)
    frame = dict(clip.video())[4]
    assert np.allclose(particles.velocity, (STEP, 0))
    where = np.abs(frame.astype(int) - 90).max(axis=2) > 8  # off the plain floor
    where[:4, :4] = False
    assert particles.position.min(axis=0).tolist() == [np.nonzero(where)[1].min() + 5, 15]


# ------------------------------------------------------------------------------------------------- the paper's scenes


def test_the_papers_scenes_in_two_data_sets(tmp_path):
    for name in ("2_36-1", "2_36-2", "2_35-1", "2_35-3", "9_9-1"):
        make_crowd_clip(tmp_path / "cuhk" / name, frames=1, tracklets=False)
    for name in ("marathonround-1", "marathonround-7", "639-12"):
        make_crowd_clip(tmp_path / "cmd" / name, frames=1)
    (tmp_path / "truth" / "2_36-2").mkdir(parents=True)
    with pytest.warns(UserWarning, match="not at hand") as caught:
        scenes = paper_scenes(tmp_path / "cuhk", tmp_path / "cmd", truth=tmp_path / "truth")
    assert list(scenes) == ["2_36", "1_8_groupSplit", "2_000455712", "marathonround", "2_35", "3_1_12"]
    assert {scene: [clip.name for clip in clips] for scene, clips in scenes.items() if clips} == {
        "2_36": ["2_36-1", "2_36-2"],
        "marathonround": ["marathonround-1", "marathonround-7"],
        "2_35": ["2_35-1"],
    }
    assert [clip.truth for clip in scenes["2_36"]] == [None, tmp_path / "truth" / "2_36-2"]
    assert scenes["marathonround"][0].dataset == "Collective Motion Database"
    assert scenes["marathonround"][0].tracklets is not None
    (message,) = [str(warning.message) for warning in caught]
    for name in ("2_35-2", "3_1_12-6.03", "1_8_groupSplit-festivalwalk_3_3"):
        assert f"{name} (CUHK Crowd)" in message
    assert "2_36-1" not in message
    assert "marathonround" not in message


def test_the_papers_scenes_all_there_and_not_at_all(tmp_path):
    from mpas_lite.datasets.crowd_databases import _scene_list

    for scene in _scene_list():
        for name in scene.get("clips", ["marathonround-1"]):
            make_crowd_clip(tmp_path / name, frames=1, tracklets=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sum(map(len, paper_scenes(tmp_path).values())) == 16
    with pytest.raises(ValueError, match="Give the folder"):
        paper_scenes()
    with pytest.raises(FileNotFoundError):
        paper_scenes(tmp_path / "nowhere")
    with pytest.warns(UserWarning, match=r"marathonround\.\.\. \(Collective Motion Database\)"):
        paper_scenes(tmp_path / "2_36-1")
    with pytest.raises(FileNotFoundError):
        paper_scenes(tmp_path / "2_36-1", truth=tmp_path / "nowhere")


# ------------------------------------------------------------------------------------------------- the real clips


@pytest.mark.slow
def test_the_real_clips(real_data):
    road, mall = collective_motion(real_data / "cmd")[0], cuhk_crowd(real_data / "cuhk_crowd")[0]
    assert (road.name, road.scene, len(road.video())) == ("639-12", "639", 330)
    assert (mall.scene, len(mall.video())) == ("1_8_groupSplit", 107)
    assert len(read_tracklets(road.tracklets)) == 8141
    assert len(read_tracklets(mall.tracklets)) == 2373
    with pytest.warns(UserWarning, match="not at hand"):
        scenes = paper_scenes(real_data / "cuhk_crowd", real_data / "cmd")
    assert [scene for scene, clips in scenes.items() if clips] == ["1_8_groupSplit"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cmd", "cuhk_crowd"])
def test_real_tracklets_count_frames_as_the_video_does(real_data, name):
    """Followed by our own KLT, the authors' points go where theirs went, and not if t were off by one."""
    clip = cuhk_crowd(real_data / name)[0]
    particles = particles_of_tracklets(read_tracklets(clip.tracklets), 39, min_speed=0.8)
    greys = {i: cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for i, f in clip.video().frames(range(38, 47))}
    miss = {}
    for shift in (-1, 0, 1):
        window = [greys[i] for i in range(39 + shift, 45 + shift)]
        path, _ = follow(window, particles.position)
        miss[shift] = np.median(np.linalg.norm(path[-1] - path[0] - 5 * particles.velocity, axis=1))
    assert miss[0] < 1
    assert miss[0] < min(miss[-1], miss[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cmd", "cuhk_crowd"])
@pytest.mark.parametrize("settings", [{}, {"interval": 1, "min_speed": 0}], ids=["default", "authors"])
def test_the_method_on_the_authors_particles(real_data, name, settings):
    clip = cuhk_crowd(real_data / name)[0]
    particles = particles_of_tracklets(read_tracklets(clip.tracklets), 40, **settings)
    W = mp.crowd_graph(particles.position, particles.velocity, k=20)
    labels = mp.collective_merging(W)
    mask = mp.circular_region_merging(particles.position[labels > 0], 20, clip.video().shape)
    assert 0.01 < mask.mean() < 0.9
    ours = next(mp.label_frames(shifted(clip.video(), 40)))
    assert mp.iou(mask, ours.mask) > 0.25  # two trackers on the same crowd


def shifted(video, start):
    return mp.read_video([frame for _, frame in video.frames(range(start, start + 6))])


def test_real_cdnet(real_data):
    clip = cdnet(real_data / "cdnet_pedestrians")[0]
    assert (clip.name, clip.valid, len(clip.video())) == ("cdnet_pedestrians", (300, 1099), 1099)
    assert len(truth_of(clip.video(), clip.truth)) == 800


def test_real_videos(real_data):
    assert {clip.name for clip in video_folder(real_data)} >= {"vtest", "www_europe", "intel_one_by_one"}
    assert [clip.name for clip in video_folder(real_data / "ucsd_ped2")] == ["01", "03", "05", "09"]


# ------------------------------------------------------------------------------------------------- hostile inputs


def test_a_video_folder_knows_common_containers_and_posters(tmp_path):
    for name in ("00001.MTS", "a.webm", "c.ts", "d.3gp", "e.ogv", "f.m2ts"):
        (tmp_path / name).write_bytes(b"G" + bytes(200))
    (tmp_path / "code.ts").write_text("export const a = 1")
    write_image(tmp_path / "thumb.jpg", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "plaza").mkdir()
    (tmp_path / "plaza" / "input.mp4").touch()
    write_image(tmp_path / "plaza" / "poster.jpg", np.zeros((8, 8, 3), np.uint8))
    names = [clip.source.name for clip in video_folder(tmp_path)]
    assert names == ["00001.MTS", "a.webm", "c.ts", "d.3gp", "e.ogv", "f.m2ts", "plaza"]


def test_a_folder_of_which_nobody_knows_what_it_is_is_named_and_left_out(tmp_path):
    (tmp_path / "a.mp4").touch()
    for t in range(3):
        write_image(tmp_path / "both" / f"{t}.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "both" / "overlay.mp4").touch()
    with pytest.warns(UserWarning, match=r"both holds 3 images and the video overlay\.mp4.* It is left out"):
        assert [clip.name for clip in video_folder(tmp_path)] == ["a"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"1 2 3", "two whole numbers"),
        (b"1 " + b"9" * 5000, "two whole numbers"),
        (b"\xff\xfe\x00 5", "two whole numbers"),
        (b"5 3", "numbered from 1"),
        (b"-1 3", "numbered from 1"),
        (bytes(17_000_000), "17 MB long"),
    ],
)
def test_hostile_limits_of_cdnet_are_named(tmp_path, content, sentence):
    make_cdnet(tmp_path / "bad")
    (tmp_path / "bad" / "temporalROI.txt").write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        cdnet(tmp_path)
    make_cdnet(tmp_path / "good")
    with pytest.warns(UserWarning, match=sentence):
        assert [clip.name for clip in cdnet(tmp_path)] == ["good"]


def test_a_list_of_images_that_is_huge_is_named(tmp_path):
    make_crowd_clip(tmp_path / "good-1")
    bad = make_crowd_clip(tmp_path / "bad-1")
    (bad / "imageList.txt").write_bytes(bytes(17_000_000))
    with pytest.warns(UserWarning, match="bad-1.*17 MB long"):
        assert [clip.name for clip in collective_motion(tmp_path)] == ["good-1"]
