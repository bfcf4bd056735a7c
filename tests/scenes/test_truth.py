"""A frame's truth worked out by hand: who is inside, what a mirror does, who has which number."""

import numpy as np

from mpas_lite.scenes.truth import FrameTruth


def truth():
    instance = np.array([[0, 1, 1, 0], [2, 2, 3, 0]], np.uint8)
    return FrameTruth(
        instance=instance,
        crowd=instance > 1,
        ids=np.array([70, 71, 72]),
        position=np.array([[1.5, 0.0], [-0.6, 1.0], [2.0, 1.4]]),
        velocity=np.array([[1.0, 2.0], [-3.0, 0.5], [0.25, 0.0]]),
        paused=np.array([True, False, False]),
    )


def test_those_inside_have_the_first_numbers():
    """71 is left of the picture, whose first pixel reaches from -0.5 to 0.5."""
    inside = truth().of_those_inside()
    assert inside.ids.tolist() == [70, 72]
    assert inside.position.tolist() == [[1.5, 0.0], np.float32([2.0, 1.4]).tolist()]
    assert inside.velocity.tolist() == [[1.0, 2.0], [0.25, 0.0]]
    assert inside.paused.tolist() == [True, False]
    assert inside.instance.tolist() == [[0, 1, 1, 0], [3, 3, 2, 0]]
    assert inside.position.dtype == inside.velocity.dtype == np.float32


def test_the_last_pixel_is_inside_and_what_lies_beyond_is_not():
    edge = FrameTruth(
        np.zeros((2, 4), np.uint8),
        np.zeros((2, 4), bool),
        np.arange(4),
        np.array([[3.4, 1.4], [3.6, 0.0], [0.0, 1.6], [-0.4, -0.4]]),
        np.zeros((4, 2)),
        np.zeros(4, bool),
    )
    assert edge.of_those_inside().ids.tolist() == [0, 3]


def test_a_mirror_turns_positions_and_velocities_as_it_turns_the_picture():
    seen = truth().mirrored()
    assert seen.instance.tolist() == [[0, 1, 1, 0], [0, 3, 2, 2]]
    assert np.array_equal(seen.crowd, seen.instance > 1)
    np.testing.assert_allclose(seen.position, [[1.5, 0.0], [3.6, 1.0], [1.0, 1.4]])
    assert seen.velocity.tolist() == [[-1.0, 2.0], [3.0, 0.5], [-0.25, 0.0]]
    np.testing.assert_allclose(seen.mirrored().position, truth().position)
