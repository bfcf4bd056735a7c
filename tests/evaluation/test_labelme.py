"""LabelMe: what a person draws becomes the mask, and a mask becomes what a person can correct."""

import base64
import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from scipy import ndimage

from mpas_lite.evaluation.labelme import labelme_mask, labelme_masks
from mpas_lite.evaluation.prelabels import prelabel, write_prelabels
from mpas_lite.evaluation.scores import evaluate, iou
from mpas_lite.files.atomic import write_json
from mpas_lite.labels.pseudolabel import pseudo_label
from mpas_lite.video.images import read_image, write_image
from mpas_lite.video.reader import read_video

HEIGHT, WIDTH = 40, 60


def shape(points, kind="polygon", label="crowd", **more):
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}, **more}


def saved(path, *shapes, height=HEIGHT, width=WIDTH, **changes):
    content = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": "x.png", "imageData": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | {"imageHeight": height, "imageWidth": width} | changes))
    return path


@pytest.fixture
def mask_of(tmp_path):
    return lambda *shapes, labels=None, **changes: labelme_mask(
        saved(tmp_path / "000001.json", *shapes, **changes), labels=labels
    )


def smooth(size, seed, scale):
    """A mask of smooth regions, some with holes, some with islands in them."""
    noise = np.random.default_rng(seed).normal(size=size)
    return ndimage.gaussian_filter(noise, scale) > 0


def drawn_again(mask, **options):
    """Write a mask as LabelMe file and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "000001.json"
        write_json(path, prelabel(mask, "000001.png", **options))
        return labelme_mask(path)


# ------------------------------------------------------------------------------------------------- reading


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-10, 70), st.floats(-10, 50)), min_size=3, max_size=3))
@example([(0.0, 8.9375), (6.0, 7.0), (6.0, 7.0)])
def test_a_polygon_covers_what_lies_inside_it(points):
    with tempfile.TemporaryDirectory() as folder:
        mask = labelme_mask(saved(Path(folder) / "1.json", shape(points)))
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.column_stack([x.ravel(), y.ravel()])
    # matplotlib's answer, a pixel and a half more or less: the outline itself is a matter of convention
    inside = Outline([*points, points[0]]).contains_points(pixels)
    clear = away_from(points, pixels) > 1.5
    assert mask.ravel()[clear & inside].all()
    # LabelMe draws the outline between the corners without their fractions: that line alone may lie farther out
    drawn = away_from(np.trunc(points).tolist(), pixels) <= 1
    assert not mask.ravel()[clear & ~inside & ~drawn].any()


def away_from(points, pixels):
    edges = zip(points, points[1:] + points[:1], strict=True)
    return np.min([distance_to_edge(pixels, a, b) for a, b in edges], axis=0)


def distance_to_edge(pixels, a, b):
    a, b = np.array(a), np.array(b)
    along = (b - a) @ (b - a)
    share = np.clip((pixels - a) @ (b - a) / along, 0, 1) if along else np.zeros(len(pixels))
    return np.linalg.norm(pixels - a - share[:, None] * (b - a), axis=1)


def test_a_rectangle_is_two_corners_in_any_order(mask_of):
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[5:11, 20:41] = True
    assert np.array_equal(mask_of(shape([[20, 5], [40, 10]], "rectangle")), expected)
    assert np.array_equal(mask_of(shape([[40, 5], [20, 10]], "rectangle")), expected)


def test_a_circle_is_its_centre_and_a_point_on_it(mask_of):
    mask = mask_of(shape([[30, 20], [30, 30]], "circle"))
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    distance = np.hypot(x - 30, y - 20)
    assert mask[distance <= 9.5].all()
    assert not mask[distance >= 11].any()


def test_an_oriented_rectangle_is_its_four_corners(mask_of):
    corners = [[10, 5], [30, 5], [30, 15], [10, 15]]
    assert np.array_equal(mask_of(shape(corners, "oriented_rectangle")), mask_of(shape(corners)))


def test_a_mask_of_the_ai_tools(mask_of):
    stencil = smooth((10, 15), 1, 2.0)
    text = base64.b64encode(cv2.imencode(".png", stencil.astype(np.uint8))[1].tobytes()).decode()
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[7:17, 20:35] = stencil
    assert np.array_equal(mask_of(shape([[20, 7], [34, 16]], "mask", mask=text)), expected)


def test_shapes_of_all_labels_add_up(mask_of):
    left, right = shape([[0, 0], [9, 9]], "rectangle", "left"), shape([[20, 0], [29, 9]], "rectangle", "Right")
    assert mask_of(left, right).sum() == 200
    assert mask_of(left, right, labels=["RIGHT"]).sum() == 100
    assert mask_of(left, right, labels=["nobody"]).sum() == 0
    assert mask_of().sum() == 0


def test_a_hole_takes_away_from_what_is_beneath_it_alone(mask_of):
    whole, hole = shape([[0, 0], [19, 19]], "rectangle"), shape([[5, 5], [14, 14]], "rectangle", "hole")
    island = shape([[8, 8], [9, 9]], "rectangle")
    assert mask_of(whole, hole).sum() == 300
    assert mask_of(whole, hole, island, labels=["crowd"]).sum() == 304
    assert mask_of(hole, whole).sum() == 400


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"imageHeight": None}, "does not say how large"),
        ({"imageWidth": "60"}, "does not say how large"),
        ({"imageHeight": -4}, "does not say how large"),
        ({"imageHeight": 10**7}, "is 60x10000000. Is the file damaged"),
        ({"shapes": None}, 'no list of "shapes"'),
        ({"shapes": [7]}, "shape 1 has no label"),
        ({"shapes": [shape([[0, 0], [5, 5]], "line")]}, "shape 1 is a line, which has no area"),
        ({"imageHeight": True}, "does not say how large"),
        ({"imageHeight": 40.0}, "does not say how large"),
        ({"imageHeight": None, "imageWidth": None}, "does not say how large the image is, and its image does not lie"),
        ({"imageHeight": 10_000, "imageWidth": 20_000}, "is 20000x10000.* more than 64 million pixels .*MPAS_LITE_MAX"),
        ({"imageHeight": 10**400, "imageWidth": 1}, r"is 1x1000000000.{0,20} Is the file damaged"),
        ({"imageHeight": None, "imageWidth": None, "imageData": "iVBORw0KGgo="}, "holds an image that cannot be read"),
        ({"imageHeight": None, "imageWidth": None, "imageData": "no base64!"}, "holds an image that cannot be read"),
        ({"shapes": [shape([[0, 0], [5, 5]], [1])]}, r"shape 1 is of a kind that is not known \(\[1\]\)"),
        ({"shapes": [shape([[0, 0], [5, 5]], {"a": 1})]}, "shape 1 is of a kind that is not known"),
        ({"shapes": [shape([[0, 0], [5, 5]], "cuboid")]}, r"not known \(cuboid\)"),
        (
            {"shapes": [shape([[0, 0]], "point"), shape([[0, 0], [5, 5]], "rectangle")]},
            "shape 1 is a point, which has no",
        ),
        ({"shapes": [shape([[0, 0]], "point", "hole"), shape([[0, 0], [5, 5]], "rectangle")]}, "shape 1 is a point"),
        ({"shapes": [shape([[0, 0]], "point", "head")]}, "shape 1 is a point, which has no area"),
        ({"shapes": [shape([[0, 0], [5, 5], [9, 9]], "rectangle")]}, "rectangle has 2 points; this one has 3"),
        ({"shapes": [shape([[0, 0], [1, float("inf")], [2, 2]])]}, "nowhere near the image"),
        ({"shapes": [shape([[0, 0], [1, 10**400], [2, 2]])]}, "not pairs of numbers"),
        ({"shapes": [shape([[0, 0], [5, 5]])]}, "polygon has 3 or more points; this one has 2"),
        ({"shapes": [shape([[0, 0]], "rectangle")]}, "rectangle has 2 points; this one has 1"),
        ({"shapes": [shape([], "rectangle")]}, "rectangle has 2 points; this one has 0"),
        ({"shapes": [shape([[0, 0], [1, "a"], [2, 2]])]}, "not pairs of numbers"),
        ({"shapes": [shape([[0, 0], [1, 2, 3], [2, 2]])]}, "not pairs of numbers"),
        ({"shapes": [shape(None)]}, "not pairs of numbers"),
        ({"shapes": [shape([[0, 0], [1, float("nan")], [2, 2]])]}, "nowhere near the image"),
        ({"shapes": [shape([[0, 0], [1, 1e12]], "circle")]}, "nowhere near the image"),
        ({"shapes": [shape([[0, 0], [9, 9]], "mask", mask="no base64!")]}, "mask that cannot be read"),
        ({"shapes": [shape([[0, 0], [9, 9]], "mask")]}, "mask that cannot be read"),
    ],
)
def test_a_bad_file_is_named_in_a_sentence(tmp_path, changes, sentence):
    path = saved(tmp_path / "000007.json", **changes)
    with pytest.raises(ValueError, match=sentence) as caught:
        labelme_mask(path)
    assert "000007.json" in str(caught.value)


def test_an_embedded_mask_larger_than_the_image_is_not_unpacked(mask_of):
    huge = base64.b64encode(cv2.imencode(".png", np.zeros((HEIGHT + 1, 5), np.uint8))[1].tobytes()).decode()
    with pytest.raises(ValueError, match="mask that cannot be read"):
        mask_of(shape([[0, 0], [4, HEIGHT]], "mask", mask=huge))


def embedded(data):
    return base64.b64encode(data).decode()


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def test_an_embedded_mask_that_is_no_whole_png(mask_of):
    whole = png(smooth((10, 15), 1, 2.0).astype(np.uint8))
    chunk = whole.index(b"IDAT") - 4
    liar = whole[:chunk] + b"\xff\xff\xff\xff" + whole[chunk + 4 :]  # a chunk that says it is 4 GB long
    for data in (b"", whole[:20], whole[:-30], liar, b"\x89PNG" + whole):
        with pytest.raises(ValueError, match=r"000001\.json, shape 1 is a mask that cannot be read"):
            mask_of(shape([[20, 7], [34, 16]], "mask", mask=embedded(data)))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_an_embedded_mask_of_any_depth_is_what_is_not_zero(mask_of, kind):
    stencil = smooth((10, 15), 1, 2.0)
    mask = mask_of(shape([[20, 7], [34, 16]], "mask", mask=embedded(png(stencil.astype(kind) * 7))))
    assert np.array_equal(mask[7:17, 20:35], stencil)


def test_the_size_of_a_file_of_old_is_that_of_its_image(mask_of, tmp_path):
    corners = [[0, 0], [9, 0], [9, 9], [0, 9]]
    old = {"label": "crowd", "points": corners, "line_color": None, "fill_color": None}  # as LabelMe 3 wrote them
    missing = {"imageHeight": None, "imageWidth": None}
    inside = mask_of(old, imageData=embedded(png(np.zeros((30, 50), np.uint8))), **missing)
    assert (inside.shape, inside.sum()) == ((30, 50), 100)
    write_image(tmp_path / "000001.png", np.zeros((30, 50), np.uint8))
    for name in ("000001.png", "..\\frames\\000001.png", "../../000001.png"):  # its name alone counts
        assert mask_of(old, imagePath=name, **missing).shape == (30, 50)
    write_image(tmp_path / "other" / "secret.png", np.zeros((30, 50), np.uint8))
    (tmp_path / "link.png").symlink_to(tmp_path / "other" / "secret.png")
    for name in ("other/secret.png", "link.png", "../other/secret.png", "", ".", "..", 7, str(tmp_path)):
        with pytest.raises(ValueError, match="does not say how large"):
            mask_of(old, imagePath=name, **missing)


def test_dialects_of_shapes(mask_of):
    corners = [[10, 5], [30, 5], [30, 15], [10, 15]]
    right = mask_of(shape(corners[::2], "rectangle"))
    assert np.array_equal(mask_of(shape(corners, "rectangle")), right)  # X-AnyLabeling
    assert np.array_equal(mask_of(shape(corners[1:] + corners[:1], "rectangle")), right)
    askew = [[20, 5], [30, 15], [20, 25], [10, 15]]
    for kind in ("rotation", "quadrilateral", "rectangle"):
        assert np.array_equal(mask_of(shape(askew, kind, direction=0.3)), mask_of(shape(askew)))


def test_a_point_of_another_label_costs_nothing(mask_of):
    crowd = shape([[0, 0], [9, 9]], "rectangle")
    for kind, points in (("point", [[5, 5]]), ("line", [[5, 5], [30, 30]]), ("linestrip", [[5, 5], [9, 9], [8, 8]])):
        marks = shape(points, kind, "head")
        assert mask_of(crowd, marks).sum() == 100
        assert mask_of(crowd, marks, labels=["crowd"]).sum() == 100
        with pytest.raises(ValueError, match=r"shape 2 is a .*, which has no area"):
            mask_of(crowd, marks, labels=["head"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk", "cp1252"])
def test_files_in_other_encodings(tmp_path, encoding):
    label = "piéton" if encoding == "cp1252" else "人群"
    shapes = [shape([[0, 0], [9, 9]], "rectangle", label), shape([[20, 0], [29, 9]], "rectangle", "tree")]
    path = saved(tmp_path / "1.json", *shapes)
    path.write_bytes(json.dumps(json.loads(path.read_text()), ensure_ascii=False).encode(encoding))
    assert labelme_mask(path).sum() == 200
    assert labelme_mask(path, labels=[label]).sum() == 100
    assert labelme_mask(path, labels=["tree"]).sum() == 100
    path.write_bytes(b'{"shapes": ["\xff\xfe\xff')
    with pytest.raises(ValueError, match=r"1\.json is not valid JSON"):
        labelme_mask(path)


def test_no_path_in_the_file_is_followed(mask_of):
    mask = mask_of(shape([[0, 0], [9, 9]], "rectangle"), imagePath="../../../../etc/passwd")
    assert mask.sum() == 100


def test_damaged_json_is_not_to_be_deleted(tmp_path):
    for text in ('{"shapes": [', "[" * 100_000):
        (tmp_path / "1.json").write_text(text)
        with pytest.raises(ValueError, match=r"is not valid JSON .* go back to a copy"):
            labelme_mask(tmp_path / "1.json")


def test_a_folder_becomes_ground_truth(tmp_path):
    right = shape([[0, 0], [29, 39]], "rectangle")
    saved(tmp_path / "in" / "frame000020.json", right)
    saved(tmp_path / "in" / "frame000000.json")
    (tmp_path / "in" / "frames.json").write_text("{}")  # another program's: no number, no frame
    written = labelme_masks(tmp_path / "in", tmp_path / "gt")
    assert [path.name for path in written] == ["000000.png", "000020.png"]
    write_image(tmp_path / "pred" / "000020.png", np.ones((HEIGHT, WIDTH), bool))
    write_image(tmp_path / "pred" / "000000.png", np.zeros((HEIGHT, WIDTH), bool))
    score = evaluate(tmp_path / "pred", tmp_path / "gt")
    assert score.frames == (0, 20)
    assert score.iou == (1.0, 0.5)


def test_one_bad_file_does_not_end_the_run(tmp_path):
    saved(tmp_path / "000001.json", shape([[0, 0], [9, 9]], "rectangle"))
    (tmp_path / "000002.json").write_text("{")
    with pytest.warns(UserWarning, match=r"000002.json is not valid JSON .* left out"):
        assert len(labelme_masks(tmp_path, tmp_path / "gt")) == 1
    (tmp_path / "000001.json").unlink()
    with pytest.raises(ValueError, match=r"no LabelMe file that can be read. .*000002.json"):
        labelme_masks(tmp_path, tmp_path / "gt")


def test_the_number_of_an_annotation_is_no_size(tmp_path):
    saved(tmp_path / "in" / "frame_12_320x240.json", shape([[0, 0], [9, 9]], "rectangle"))
    assert [path.name for path in labelme_masks(tmp_path / "in", tmp_path / "one")] == ["000012.png"]
    saved(tmp_path / "in" / "frame_15_320x240.json")
    assert [path.name for path in labelme_masks(tmp_path / "in", tmp_path / "two")] == ["000012.png", "000015.png"]


def checksums(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".mpas_lite" not in path.parts}


def test_frames_beside_annotations_are_not_written_over(tmp_path):
    lm = tmp_path / "lm"
    saved(lm / "000001.json", shape([[0, 0], [9, 9]], "rectangle"))
    write_image(lm / "000001.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    (tmp_path / "link").symlink_to(lm)
    before = checksums(lm)
    for out in (lm, tmp_path / "link", lm / ".." / "lm", tmp_path):
        with pytest.raises(ValueError, match="Choose another folder with --out"):
            labelme_masks(lm, out)
        assert checksums(lm) == before
        assert not (lm / ".mpas_lite").exists()


def test_masks_of_ours_are_written_anew_and_others_stay(tmp_path):
    path = saved(tmp_path / "lm" / "000001.json", shape([[0, 0], [9, 9]], "rectangle"))
    (mask,) = labelme_masks(tmp_path / "lm", tmp_path / "gt")
    saved(path, shape([[0, 0], [19, 9]], "rectangle"))
    labelme_masks(tmp_path / "lm", tmp_path / "gt")
    assert np.count_nonzero(read_image(mask, grey=True)) == 200
    cv2.imwrite(str(mask), np.full((HEIGHT, WIDTH), 255, np.uint8))  # somebody has corrected the mask itself
    before = mask.read_bytes()
    saved(path, shape([[0, 0], [29, 9]], "rectangle"))
    with pytest.raises(ValueError, match=r"000001\.png is there already"):
        labelme_masks(tmp_path / "lm", tmp_path / "gt")
    assert mask.read_bytes() == before


def test_two_files_of_one_number_are_refused(tmp_path):
    saved(tmp_path / "a1.json")
    saved(tmp_path / "b1.json")
    with pytest.raises(ValueError, match="both stand for frame 1"):
        labelme_masks(tmp_path, tmp_path / "gt")


# ------------------------------------------------------------------------------------------------- writing


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.3, 1.0, 3.0]))
def test_without_tolerance_a_mask_comes_back_pixel_by_pixel(seed, height, width, scale):
    mask = smooth((height, width), seed, scale)
    assert np.array_equal(drawn_again(mask, tolerance=0, min_area=1), mask)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 2.0, 4.0]))
def test_an_outline_departs_by_no_more_than_the_tolerance(seed, tolerance):
    mask = smooth((80, 100), seed, 6.0)
    again = drawn_again(mask, tolerance=tolerance, min_area=1)
    # how far each pixel is from the mask's edge, on either side of it; the image's edge is one too
    padded = np.pad(mask, 1)
    away = np.maximum(ndimage.distance_transform_edt(padded), ndimage.distance_transform_edt(~padded))[1:-1, 1:-1]
    assert away[again != mask].max(initial=0) <= tolerance + 1


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_the_defaults_keep_a_crowd_as_it_is_with_few_points(seed):
    mask = smooth((240, 320), seed, 15.0)
    content = prelabel(mask, "000001.png")
    assert iou(drawn_again(mask), mask) > 0.97
    outline = ndimage.binary_dilation(mask) & ~mask
    assert sum(len(s["points"]) for s in content["shapes"]) < outline.sum() / 5


def test_rings_within_rings():
    y, x = np.mgrid[:80, :80]
    rings = (np.hypot(x - 40, y - 40) // 8).astype(int) % 2 == 0
    content = prelabel(rings, "1.png", tolerance=0, min_area=1)
    labels = [s["label"] for s in content["shapes"]]
    assert labels.count("hole") >= 2
    assert labels.count("crowd") >= 3
    assert np.array_equal(drawn_again(rings, tolerance=0, min_area=1), rings)


def test_specks_go_and_pinholes_are_filled():
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:25, 5:25] = True
    mask[10:12, 10:12] = False
    mask[35, 50:53] = True
    expected = np.zeros_like(mask)
    expected[5:25, 5:25] = True
    assert np.array_equal(drawn_again(mask, tolerance=0, min_area=5), expected)


def test_the_smallest_regions_are_polygons_that_labelme_opens():
    mask = np.zeros((9, 9), bool)
    mask[1, 1] = mask[4, 4:6] = mask[7, 1:4] = True
    for tolerance in (0, 1):
        assert all(len(s["points"]) >= 3 for s in prelabel(mask, "1.png", tolerance=tolerance, min_area=1)["shapes"])
        assert np.array_equal(drawn_again(mask, tolerance=tolerance, min_area=1), mask)


def test_the_file_is_what_labelme_asks_for():
    content = json.loads(json.dumps(prelabel(smooth((HEIGHT, WIDTH), 3, 4.0), "000020.png", label="people")))
    assert {key: content[key] for key in ("imagePath", "imageData", "imageHeight", "imageWidth", "flags")} == {
        "imagePath": "000020.png",
        "imageData": None,
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
        "flags": {},
    }
    for drawn in content["shapes"]:
        assert drawn["shape_type"] == "polygon"
        assert drawn["label"] in ("people", "hole")
        assert all(len(point) == 2 and isinstance(point[0], float) for point in drawn["points"])


def test_bad_arguments_of_a_prelabel():
    mask = np.ones((4, 4), bool)
    for name in ("../000001.png", "frames\\000001.png"):
        with pytest.raises(ValueError, match="without a folder"):
            prelabel(mask, name)
    with pytest.raises(ValueError, match=r"is \(H, W\) bool"):
        prelabel(mask.astype(np.uint8), "1.png")
    with pytest.raises(ValueError, match="choose another"):
        prelabel(mask, "1.png", label="Hole")


@pytest.fixture
def labelled(tmp_path, moving_square):
    """Pairs of a clip whose frames are named from 1, as in the crowd databases."""
    for index, frame in enumerate(moving_square):
        write_image(tmp_path / "clip" / f"{index + 1:06d}.png", frame)
    return pseudo_label(tmp_path / "clip", tmp_path / "pairs", every=10, radius=8, progress=False).folder


def test_prelabels_of_pairs_and_of_a_video_are_the_same(tmp_path, labelled):
    masks = labelled / "masks"
    a = write_prelabels(masks, labelled / "frames", tmp_path / "a")
    b = write_prelabels(masks, tmp_path / "clip", tmp_path / "b")
    assert [path.name for path in a] == ["000001.json", "000011.json", "000021.json"]  # the names in the source
    for one, other in zip(a, b, strict=True):
        assert one.read_text() == other.read_text()
        images = [read_image(path.with_suffix(".png")) for path in (one, other)]
        assert np.array_equal(*images)
        assert np.array_equal(images[0], read_image(tmp_path / "clip" / f"{one.stem}.png"))


def test_uncorrected_prelabels_score_almost_one(tmp_path, labelled):
    write_prelabels(labelled / "masks", labelled / "frames", tmp_path / "annotate")
    labelme_masks(tmp_path / "annotate", tmp_path / "gt")
    assert evaluate(labelled / "masks", tmp_path / "gt").pooled > 0.95


def test_a_persons_work_is_not_written_over(tmp_path, labelled):
    first, second, _ = write_prelabels(labelled / "masks", labelled / "frames", tmp_path / "a")
    first.write_text("corrected")
    second.unlink()
    assert write_prelabels(labelled / "masks", labelled / "frames", tmp_path / "a") == [second]
    assert first.read_text() == "corrected"


def test_neither_masks_nor_frames_are_written_over(tmp_path, labelled):
    before = checksums(tmp_path)
    (tmp_path / "link").symlink_to(labelled / "masks")
    places = (labelled / "masks", labelled / "frames", tmp_path / "clip", tmp_path / "link", labelled, tmp_path)
    for out in places:
        frames = tmp_path / "clip" if out.name in ("clip", "link") else labelled / "frames"
        with pytest.raises(ValueError, match="Choose another folder with --out"):
            write_prelabels(labelled / "masks", frames, out)
    assert {path: data for path, data in checksums(tmp_path).items() if "link" not in path.parts} == before
    write_image(tmp_path / "a" / "000011.png", np.zeros((8, 8, 3), np.uint8))  # somebody's, of the name we would give
    with pytest.raises(ValueError, match=r"000011\.png is there already"):
        write_prelabels(labelled / "masks", labelled / "frames", tmp_path / "a")


def test_masks_of_0_and_1_are_refused(tmp_path, labelled):
    for path in (labelled / "masks").iterdir():
        cv2.imwrite(str(path), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) // 255)
    with pytest.raises(ValueError, match=r"000000\.png has grey values 1; .* Multiply it by 255"):
        write_prelabels(labelled / "masks", labelled / "frames", tmp_path / "a")
    assert not list((tmp_path / "a").glob("*.json"))


def test_frames_of_pairs_may_be_jpegs(tmp_path, labelled):
    for path in list((labelled / "frames").iterdir()):
        image = read_image(path)
        path.unlink()
        write_image(path.with_suffix(".jpg"), image)
    assert len(write_prelabels(labelled / "masks", labelled / "frames", tmp_path / "a")) == 3
    (labelled / "frames" / "000010.jpg").unlink()
    with pytest.raises(ValueError, match=r"000010\.png has no frame: .* has none of that number"):
        write_prelabels(labelled / "masks", labelled / "frames", tmp_path / "b")


@pytest.mark.parametrize("options", [{"tolerance": float("inf")}, {"tolerance": float("nan")}, {"tolerance": -1.0},
                                     {"min_area": -5}, {"min_area": float("nan")}])  # fmt: skip
def test_numbers_that_make_no_sense(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must be a number of pixels, 0 or more"):
        prelabel(np.ones((8, 8), bool), "1.png", **options)


def test_a_tolerance_larger_than_the_picture():
    assert drawn_again(np.eye(30, dtype=bool), tolerance=1e300, min_area=0).any()


def test_frames_that_do_not_fit_the_masks(tmp_path, labelled, moving_square):
    with pytest.raises(ValueError, match=r"000010.png has no frame: .* ends before it"):
        write_prelabels(labelled / "masks", read_video(moving_square[:5]), tmp_path / "a")
    with pytest.raises(ValueError, match="not the frames that the masks were made from"):
        write_prelabels(labelled / "masks", read_video(moving_square[:, ::2, ::2]), tmp_path / "b")
    with pytest.raises(FileNotFoundError, match="no folder"):
        write_prelabels(tmp_path / "nothing", tmp_path / "clip", tmp_path / "c")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no masks"):
        write_prelabels(tmp_path / "empty", tmp_path / "clip", tmp_path / "c")
