# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 Particles: from corners to tracklets
#
# Before we can ask who moves *with whom*, we must know *what moves*, and how fast. This notebook builds the first
# step of the method: a handful of frames goes in, and a few hundred moving points come out. We call such a point a
# **particle**. It has a position in px and a velocity in px/frame, and nothing else. No person detector is involved,
# and no label.
#
# **You will** compute the motion of a small patch with nothing but NumPy, see it succeed and fail, follow corners
# through a rendered marathon, and measure the error of every velocity against the truth.
#
# **You will learn** why one follows corners and not just any point (the *aperture problem*), how a point that has gone
# astray gives itself away (the *forward-backward check*), what to do with the many corners that do not move, and what
# the unit px/frame hides.
#
# **You need** linear algebra (eigenvalues, least squares) and NumPy. Nothing about crowds.
#
# **Time:** 45 minutes, and 15 more with what is marked as bonus.

# %%
import importlib.util

if importlib.util.find_spec("mpas_lite") is None:
    raise SystemExit(
        "mpas_lite is not installed here. Run `pip install .` in the folder that holds its pyproject.toml, "
        "then restart this notebook."
    )

# %%
from itertools import pairwise

import cv2
import matplotlib.pyplot as plt
import numpy as np

import mpas_lite as mp
from mpas_lite.course import claim
from mpas_lite.plots import PALETTE, show_with_alt
from mpas_lite.plots.palette import INK
from mpas_lite.motion.klt import find_corners, follow, particles_of_window
from mpas_lite.course.widgets.particles import particles_explorer, plot_points, true_velocity

plt.rcParams.update({"font.size": 13, "axes.titlesize": 14, "figure.dpi": 80})

# %% [markdown]
# ## 1. Can we see the motion of a single pixel?
#
# A pixel has a brightness. If it gets brighter, did something bright come from the left, or from above? One number
# cannot tell. So we look at a *patch* of pixels, and ask: **by which shift does the patch of the first frame fit best
# onto the second frame?**
#
# Let us try it on a picture so simple that we know the answer. A white square with soft edges moves by 1.0 px to the
# right and 0.5 px down. We write the picture as a formula, so that it can move by half a pixel exactly.

# %%
TRUE_SHIFT = np.array([1.0, 0.5])  # (right, down), px


def brightness(x, y, t):
    """Brightness at (x, y) in frame t: a white square with soft edges that covers 20 < x, y < 70 at t = 0."""
    x, y = x - TRUE_SHIFT[0] * t, y - TRUE_SHIFT[1] * t

    def step(s):
        return 1 / (1 + np.exp(-s / 1.5))

    return 255 * step(x - 20) * step(70 - x) * step(y - 20) * step(70 - y)


CENTRES = {"flat": (45, 45), "edge": (20, 45), "corner": (20, 20)}  # of three patches, (x, y)
OFFSET_Y, OFFSET_X = np.mgrid[-7:8, -7:8]  # a patch is 15 x 15 px, as in the library

y, x = np.mgrid[0:90, 0:90]
fig, ax = plt.subplots(figsize=(5.2, 4.8), layout="constrained")
ax.imshow(brightness(x, y, 0), cmap="gray", vmin=0, vmax=255)
box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
for (name, (cx, cy)), color in zip(CENTRES.items(), ("blue", "vermillion", "green"), strict=True):
    ax.plot(cx + np.array([-7, 7, 7, -7, -7]), cy + np.array([-7, -7, 7, 7, -7]), color=PALETTE[color], linewidth=3)
    ax.text(cx, cy - 10, name, color=INK[color], ha="center", weight="bold", bbox=box)
_ = ax.set(xlabel="x (px)", ylabel="y (px)", title="three patches of the first frame")
show_with_alt(
    fig,
    "A white square on black. Three small squares are marked: one in the middle of the white, called flat; one"
    " on its left side, called edge; one on its upper left corner, called corner.",
)

# %% [markdown]
# For each patch we try all shifts $(u, v)$ and add up the squared differences between the shifted second frame $I_1$
# and the first frame $I_0$ over the patch $P$:
#
# $$E(u, v) = \sum_{(x, y) \in P} \big( I_1(x + u, y + v) - I_0(x, y) \big)^2 .$$
#
# The best shift is where $E$ is smallest.

# %%
shift = np.linspace(-4, 4, 81)  # px
surface = {}
for name, (cx, cy) in CENTRES.items():
    first = brightness(cx + OFFSET_X, cy + OFFSET_Y, 0)
    surface[name] = np.array(
        [[np.sum((brightness(cx + OFFSET_X + u, cy + OFFSET_Y + v, 1) - first) ** 2) for u in shift] for v in shift]
    )

fig, axes = plt.subplots(1, 3, figsize=(13, 4.6), layout="constrained")
for ax, (name, E) in zip(axes, surface.items(), strict=True):
    levels = ax.contourf(shift, shift, np.sqrt(E / 225), levels=np.arange(0, 101, 10), cmap="cividis", extend="max")
    ax.plot(*TRUE_SHIFT, "*", color="white", markersize=17, markeredgecolor="black")
    ax.set(xlabel="u, shift to the right (px)", title=name, aspect="equal", ylim=(4, -4))
axes[0].set_ylabel("v, shift down (px)")
_ = fig.colorbar(levels, ax=axes, label="difference per pixel (grey levels)")
show_with_alt(
    fig,
    "Difference per pixel over the shifts to the right and down, for three patches. Flat: the same everywhere."
    " Edge: a valley from top to bottom. Corner: a bowl whose lowest point is the true shift, marked by a "
    "star.",
)

# %% [markdown]
# The star is the true shift. The surfaces look quite different:
#
# - **flat**: a plain. Every shift fits equally well; the patch says nothing about its motion.
# - **edge**: a valley. The patch knows how far the edge has moved across, and nothing about sliding *along* it.
# - **corner**: a bowl, and its bottom is at the star.
#
# The valley is called the **aperture problem**: through a small window, the motion along an edge is invisible. The next
# cell checks these three sentences.

# %% tags=["nbval-check-output"]
fits = {name: np.sqrt(E / 225) < 2 for name, E in surface.items()}  # these shifts fit to within 2 grey levels
for name, good in fits.items():
    v, u = (shift[np.nonzero(good.any(axis=axis))[0]] for axis in (1, 0))
    print(f"{name:6}  {100 * good.mean():5.1f} % of the shifts fit: u from {u[0]:4.1f} to {u[-1]:4.1f}, ", end="")
    print(f"v from {v[0]:4.1f} to {v[-1]:4.1f}")

bottom = np.unravel_index(surface["corner"].argmin(), surface["corner"].shape)
claim("The flat patch is a plain.", fits["flat"].all())
claim(
    "The edge is a valley, narrow and from end to end.",
    fits["edge"].any(axis=1).all(),
    fits["edge"].any(axis=0).sum() < 4,
)
claim(
    "The corner is a bowl, and its bottom is the true shift.",
    np.allclose((shift[bottom[1]], shift[bottom[0]]), TRUE_SHIFT),
    fits["corner"].mean() < 0.01,
)

# %% [markdown]
# ## 2. Must we try all shifts?
#
# No. For a small shift $d = (u, v)$ the picture changes linearly: $I_1(x + d) - I_0(x) \approx g \cdot d + I_t$, where
# $g = (I_x, I_y)$ is the gradient of the picture and $I_t = I_1 - I_0$ is how each pixel has changed. Putting this into
# $E$ and setting the derivative to zero leaves two equations for two unknowns:
#
# $$M d = -\sum_P g\, I_t, \qquad M = \sum_P g\, g^\top = \sum_P \begin{pmatrix} I_x^2 & I_x I_y \\ I_x I_y & I_y^2
# \end{pmatrix}.$$
#
# This is the method of Lucas and Kanade (1981). $M$ is called the **structure tensor**, and it tells in advance
# whether the answer can be trusted. It is the curvature of the bowl: both eigenvalues large means a bowl, one large
# means a valley, none means a plain. So **a good point to follow is one whose *smaller* eigenvalue is large**, and that
# is what a *corner* is (Shi and Tomasi, 1994).

# %% tags=["nbval-check-output"]
solved = {}
for name, (cx, cy) in CENTRES.items():
    px, py = cx + OFFSET_X, cy + OFFSET_Y
    I_x = (brightness(px + 1, py, 0) - brightness(px - 1, py, 0)) / 2
    I_y = (brightness(px, py + 1, 0) - brightness(px, py - 1, 0)) / 2
    g = np.stack([I_x.ravel(), I_y.ravel()])
    M = g @ g.T
    d = np.zeros(2)
    for _ in range(5):  # the linear picture holds for small shifts only: solve, shift, solve for what is left
        I_t = brightness(px + d[0], py + d[1], 1) - brightness(px, py, 0)
        d = d + np.linalg.solve(M + np.eye(2), -g @ I_t.ravel())  # + 1: M may be singular; else it is far larger
    solved[name] = d
    small, large = np.linalg.eigvalsh(M) / 225
    print(f"{name:6}  eigenvalues {small:6.1f} {large:6.1f}   d = ({abs(d[0]):.2f}, {abs(d[1]):.2f})")

claim("At the corner the solution is the true shift.", np.allclose(solved["corner"], TRUE_SHIFT, atol=0.02))
claim(
    "At the edge the part across it is right, and the part along it is lost.",
    np.allclose(solved["edge"], [TRUE_SHIFT[0], 0], atol=0.02),
)
claim("On the flat patch there is nothing to solve.", np.allclose(solved["flat"], 0, atol=0.02))

# %% [markdown]
# **What we saw.** At the corner, five small solves find (1.00, 0.50), the true shift. At the edge they find (1.00, 0.00):
# the part across the edge is right, the part along it is lost without a warning. And on the flat patch there is
# nothing to solve. The eigenvalues had announced all three.
#
# The library leaves both steps to OpenCV: `find_corners` looks for large smaller eigenvalues, `follow` solves
# Lucas and Kanade's equations (on a pyramid of smaller and smaller pictures, so that large shifts become small ones).

# %% tags=["nbval-check-output"]
first, second = (np.uint8(np.rint(brightness(x, y, t))) for t in (0, 1))
corners = find_corners(first, max_corners=4, min_distance=10)
path, drift = follow([first, second], corners)
order = np.lexsort(corners.T)
for (cx, cy), (u, v) in zip(corners[order], (path[1] - path[0])[order], strict=True):
    print(f"corner near ({10 * round(cx / 10)}, {10 * round(cy / 10)}): moved by ({u:.1f}, {v:.1f}) px")

claim("OpenCV finds the true shift, too.", np.allclose(path[1] - path[0], TRUE_SHIFT, atol=0.05))

# %% [markdown]
# ## 3. Where are the corners of a real crowd?
#
# Real video has no truth: nobody can tell the true velocity of each pixel. So we use a rendered scene. A marathon
# comes round a bend, spectators stand behind the barriers, and we know exactly **whom each pixel shows** and **how fast
# that person moves**. (People, shadows and noise are rendered; the scene is also bundled as a video clip,
# `mp.sample_path("marathon_bend")`.)

# %%
scene = mp.render_scene("marathon_bend", seed=3, frames=31, noise=1.0)
NOW, INTERVAL = 20, 5  # the frame that we look at; over how many frames we follow

greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in scene.frames[NOW : NOW + INTERVAL + 1]]
corners = find_corners(greys[0])
truth, person = true_velocity(scene, NOW, corners, INTERVAL)  # px/frame; person is -1 on the background
on_person = person >= 0

fig, ax = plt.subplots(figsize=(9.5, 7.6), layout="constrained")
plot_points(scene.frames[NOW], {"on people": corners[on_person], "elsewhere": corners[~on_person]}, ax)
ax.set_title(f"{len(corners)} corners in frame {NOW}")

print(f"{len(corners)} corners, {100 * on_person.mean():.0f} % of them on people")
claim("About half of the corners are on people.", 0.35 < on_person.mean() < 0.6)
show_with_alt(
    fig,
    "A frame of the marathon with all corners: about half of them lie on runners, the others on the street and"
    " its kerb.",
)

# %% [markdown]
# **What we saw.** About half of the corners are on people. The others sit on barriers, kerbs, leaves and shadows. The
# corner finder does not know what a person is; it knows good patches. Next we let time pass, and the motion sorts them.
#
# ## 4. Where do they go, and who gets lost?
#
# We follow every corner through five frames. The result is a **tracklet**, a short path. Then comes a trick that needs
# no truth: **follow the end point back again**. Where all went well it comes home. Where the patch was covered by
# another runner, or ran out of the picture, the way back starts from something else, and it ends elsewhere. The
# distance between the start and the end of the round trip is the **drift**. A corner that drifts by more than 1 px is
# dropped.

# %%
path, drift = follow(greys, corners)  # path (T, N, 2) px, drift (N,) px; infinite where a point was lost
velocity = (path[-1] - path[0]) / INTERVAL  # px/frame
home = drift <= 1.0

fig, ax = plt.subplots(figsize=(9.5, 7), layout="constrained")
ax.imshow(scene.frames[NOW], alpha=0.6)
for came_home, color, label in ((True, "blue", "came home"), (False, "vermillion", "drifted away or lost")):
    for n, line in enumerate(np.moveaxis(path[:, home == came_home], 1, 0)):
        ax.plot(*line.T, color=PALETTE[color], linewidth=2, label=label if n == 0 else None)
    ax.plot(
        *path[0, home == came_home].T,
        "." if came_home else "x",
        color=PALETTE[color],
        markersize=4 + 4 * (not came_home),
    )
ax.set(xlim=(110, 319.5), ylim=(180, 20), xlabel="x (px)", ylabel="y (px)", title=f"tracklets of {INTERVAL} frames")
_ = ax.legend(loc="upper left")
show_with_alt(
    fig,
    "Paths of the corners over the next frames, drawn on the runners. Most came home and run side by side "
    "along the bend; a few, in another colour, drifted away or were lost.",
)

# %% [markdown]
# Is the drift a good judge? We let it judge six windows of the clip, and compare with the truth.

# %%
good, bad = [], []  # errors in px/frame of points on people that came home, and of those that did not
for start in range(0, 26, INTERVAL):
    window = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in scene.frames[start : start + INTERVAL + 1]]
    points = find_corners(window[0])
    there, away = follow(window, points)
    wanted, whom = true_velocity(scene, start, points, INTERVAL)
    off = np.linalg.norm((there[-1] - there[0]) / INTERVAL - wanted, axis=1)
    known = np.isfinite(off) & (whom >= 0)
    good.extend(off[known & (away <= 1.0)])
    bad.extend(off[known & (away > 1.0)])
print(f"came home:      {len(good):4} points on people, median error {np.median(good):.2f} px/frame")
print(f"did not:        {len(bad):4} points on people, median error {np.median(bad):.2f} px/frame")

claim(
    "Points that do not come home have more than three times the error of those that do.",
    len(bad) > 40,
    np.median(bad) > 3 * np.median(good),
)

# %% [markdown]
# **What we saw.** The points that did not come home have several times the error of the others, and they were found
# without looking at the truth. This is why the check is worth its price, which is to follow everything twice.
#
# It is a check, not a proof. A point can slide along an edge and slide back again, and come home wrong. And a part of
# the error is no error at all: the true velocity is that of the *middle of the body*, but a corner on a knee or on
# an elbow really does move differently for half a step.
#
# ## 5. And the corners that do not move?
#
# The background does not move, so its corners should have velocity 0. Do they? Noise makes every match tremble a
# little. Let us see how far apart the two kinds of corners are.

# %%
speed = np.linalg.norm(velocity, axis=1)  # px/frame
walking = home & on_person & (np.linalg.norm(truth, axis=1) > 0.3)
background = home & ~on_person
MIN_SPEED = 0.2  # px/frame, the library's default

bins = np.geomspace(1e-4, 5, 45)
fig, ax = plt.subplots(figsize=(9, 4.6), layout="constrained")
ax.hist(np.maximum(speed[background], 1.1e-4), bins, color=PALETTE["orange"], alpha=0.9, label="not on a person")
ax.hist(speed[walking], bins, color=PALETTE["blue"], alpha=0.75, hatch="//", edgecolor="white", label="on a runner")
ax.axvline(MIN_SPEED, color="black", linestyle="--", linewidth=2, label=f"least speed, {MIN_SPEED} px/frame")
ax.set(xscale="log", xlabel="measured speed (px/frame)", ylabel="corners", title="static corners tremble, runners run")
_ = ax.legend()
show_with_alt(
    fig,
    "Histogram of measured speeds on a log axis. Corners on a runner have speeds around 1 px/frame. Those that"
    " are not on a person have two heaps: a wide one far below 0.2 px/frame, and one where the runners have "
    "theirs.",
)

# %%
still = background & (speed < MIN_SPEED)
moving = home & (speed >= MIN_SPEED)
slow = 100 * still.sum() / background.sum()
print(f"of the corners not on a person, {slow:.0f} % are slower than {MIN_SPEED} px/frame;")
print(f"half of those are slower than {np.median(speed[still]):.3f} px/frame")
print(f"of the corners on a runner, {100 * (speed[walking] >= MIN_SPEED).mean():.0f} % are faster")
print(f"{moving.sum()} particles are left, {100 * on_person[moving].mean():.0f} % of them on people")

claim("The threshold is far above the trembling.", np.median(speed[still]) < MIN_SPEED / 4)
claim(
    "It drops most of the background and keeps nearly all runners.",
    0.6 < still.sum() / background.sum() < 0.9,
    (speed[walking] >= MIN_SPEED).mean() > 0.95,
)
claim("About one particle in three is not on a person.", 0.6 < on_person[moving].mean() < 0.85)

# %% [markdown]
# **What we saw.** A least speed of 0.2 px/frame drops most of the background and keeps nearly all runners. It matters:
# a corner that trembles has a *direction* too, and the next notebook compares directions.
#
# But about one particle in three is **not on a person**. Something in the background does move. The picture shows what.

# %%
fig, ax = plt.subplots(figsize=(9.5, 7.6), layout="constrained")
groups = {"on people": corners[moving & on_person], "moving, but on nobody": corners[moving & ~on_person]}
plot_points(scene.frames[NOW], groups, ax)
_ = ax.set_title(f"{moving.sum()} particles")
show_with_alt(
    fig,
    "The particles on the frame. Those on people cover the runners; those that move on nobody lie along "
    "outlines, and in swarms on shadows beside the runners.",
)

# %%
nobody = np.uint8(scene.instance[NOW] == 0)
gap = cv2.distanceTransform(nobody, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)  # px from each pixel to the nearest person
pixel = np.rint(corners[moving & ~on_person]).astype(int)
gap = gap[pixel[:, 1], pixel[:, 0]]
print(f"{(gap <= 3).sum()} of them are within 3 px of a person: the outline of a body")
print(f"{((gap > 3) & (gap <= 30)).sum()} are 3 to 30 px away: mostly shadows that run along on the ground")

claim(
    "More than half are on an outline, most of the others farther off.", (gap <= 3).mean() > 0.5, (gap > 3).mean() > 0.3
)
swarm = moving & ~on_person & (np.abs(corners - [142, 143]) < 18).all(axis=1)  # left of the track
knot = np.abs(scene.position[NOW] - [184, 128]).max(axis=1) < 15  # the runners whose shadows reach there
difference = np.median(velocity[swarm], axis=0) - np.median(scene.velocity[NOW][knot], axis=0)
claim(
    "The swarm left of the track moves as the runners do whose shadows reach there.",
    swarm.sum() > 10,
    np.linalg.norm(difference) < 0.3,  # px/frame
)

# %% [markdown]
# More than half are corners of the *outline*: half body, half street. They move with the body, and rightly so. Nearly
# all others ride on *shadows*; the swarm left of the track are those of one knot of runners, gliding over the kerb at the
# speed of the runners themselves. Motion alone does not know what a person is. Keep this in mind; notebook 04 counts
# what it costs.
#
# ## 6. What does px/frame mean?
#
# A velocity in px/frame depends on the camera twice: on its frame rate and on its distance. With $f$ frames per second
# and a scale of $s$ metres per px *at that place in the picture*,
#
# $$ v\,[\text{m/s}] = v\,[\text{px/frame}] \cdot f\,[\text{frame/s}] \cdot s\,[\text{m/px}] . $$
#
# Where do we get $s$? From the people themselves: if a grown-up is about 1.7 m tall, and is $h$ px tall in the picture,
# then $s = 1.7 / h$. This is right for motion *across* the picture; motion towards the camera looks shorter than it
# is. So we take the runners who go mostly sideways.

# %%
ruler = []  # (y in px, height in px, speed in px/frame, goes sideways) of each runner
for i, (v, p) in enumerate(zip(scene.velocity[NOW], scene.position[NOW], strict=True)):
    rows, _ = np.nonzero(scene.instance[NOW] == i + 1)
    if rows.size < 60 or rows.max() == 239 or np.hypot(*v) < 0.3:
        continue  # hardly visible, cut off by the picture's border, or standing
    ruler.append((p[1], rows.max() - rows.min() + 1, np.hypot(*v), abs(v[0]) > 2 * abs(v[1])))
y_px, height, px_per_frame, sideways = np.array(ruler).T
sideways = sideways > 0
scale = 1.7 / height  # s, m/px
m_per_s = (px_per_frame * scene.fps * scale)[sideways]

fig, axes = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
axes[0].plot(y_px, 100 * scale, "o", color=PALETTE["blue"], markersize=8)
axes[0].set(xlabel="y in the picture (px): far to near", ylabel="scale s (cm/px)", ylim=(0, None))
axes[0].set_title("all runners")
axes[1].plot(y_px[sideways], m_per_s, "o", color=PALETTE["orange"], markersize=8)
axes[1].set(xlabel="y in the picture (px): far to near", ylabel="speed by our estimate (m/s)", ylim=(0, 4))
axes[1].set_title("those who go sideways")

near, far = np.median(scale[y_px > 110]), np.median(scale[y_px < 70])
print(f"a pixel is worth {100 * far:.0f} cm far away and {100 * near:.0f} cm near by")
print(f"{sideways.sum()} runners go sideways: median {np.median(m_per_s):.1f} m/s, ", end="")
print(f"that is {3.6 * np.median(m_per_s):.0f} km/h")
claim("Far away a pixel is worth more than one and a half times as much as near by.", far > 1.5 * near)
claim(
    "The estimated speed is that of a run, a little below what the runners would like.", 1.6 < np.median(m_per_s) < 2.65
)
show_with_alt(
    fig,
    "Two scatter plots over the row in the picture. Left: centimetres per pixel, which fall from far to near. "
    "Right: estimated speeds of those who run sideways, from 1.5 to 3 m/s.",
)

# %% [markdown]
# **What we saw.** A pixel is worth more than one and a half times as much far away as near by. So the
# same race has other numbers at each place. By our estimate the median runner goes at some 7 km/h. The simulated
# runners would like 2.65 m/s, which is 9.5 km/h. They hold each other up, and nobody runs exactly across the picture,
# so a part of their way is hidden from us. For a ruler made of people, that is not bad.
#
# Two lessons for the rest of the course:
#
# - The crowd graph of the next notebook uses only the *direction* of a velocity, so the units cancel, and far and near
#   people count the same.
# - The least speed of 0.2 px/frame does *not* cancel. In a video of 50 frames per second everybody has half the speed
#   in px/frame, and people far away are slow as well. On such videos lower `min_speed`.
#
# ## 7. How long should we follow? (bonus)
#
# The paper does not say. A longer interval averages the trembling away, and the swing of arms and legs too; but more
# points are lost on the way. Move the sliders and see: which of them changes the error, and which changes who stays?

# %%
explorer = particles_explorer(scene, index=NOW)
explorer.show()

# %% [markdown]
# The same as a curve, over all intervals, the other two sliders as they were:

# %%
intervals = np.arange(1, 11)
kept, median_error = [], []
for interval in intervals:
    particles = particles_of_window(scene.frames[NOW : NOW + interval + 1])
    wanted, whom = true_velocity(scene, NOW, particles.position, interval)
    kept.append(len(particles))
    median_error.append(np.nanmedian(np.linalg.norm(particles.velocity - wanted, axis=1)[whom >= 0]))

fig, ax = plt.subplots(figsize=(8.5, 4.4), layout="constrained")
ax.plot(intervals, median_error, "o-", color=PALETTE["blue"], linewidth=2.5)
ax.set(xlabel="interval (frames)", ylim=(0, None))
ax.set_ylabel("median error (px/frame), circles", color=INK["blue"])
right = ax.twinx()
right.plot(intervals, kept, "s--", color=PALETTE["vermillion"], linewidth=2.5)
right.set(ylim=(0, None))
right.set_ylabel("particles kept, squares", color=INK["vermillion"])

print(f"interval 1: {kept[0]} particles, {median_error[0]:.2f} px/frame")
print(f"interval 5: {kept[4]} particles, {median_error[4]:.2f} px/frame")
print(f"interval 10: {kept[9]} particles, {median_error[9]:.2f} px/frame")
claim("From 1 frame to 10 the error falls to less than a half.", median_error[9] < 0.5 * median_error[0])
claim("On the way about one particle in seven is lost.", 0.8 * kept[0] < kept[9] < 0.92 * kept[0])
show_with_alt(
    fig,
    "Median error and number of particles kept over the interval of 1 to 10 frames: the error falls to less "
    "than a half, the particles become about one in seven fewer.",
)

# %% [markdown]
# **What we saw.** From 1 frame to 10 the error falls to less than a half, and about one particle in seven is lost. The
# library takes 5 frames by default: in a denser crowd, where people hide each other, points are lost sooner.
#
# ## 8. All of it in one call
#
# `mp.track` does everything above for a whole video: it keeps one frame in `every` (the paper: one in 20), finds the
# corners, follows them there and back, and drops what drifted or stood. It gives the very same particles.

# %%
tracked = {particles.frame: particles for particles in mp.track(scene.frames, every=NOW, interval=INTERVAL)}
for frame, particles in tracked.items():
    speed = np.linalg.norm(particles.velocity, axis=1)
    print(f"frame {frame}: {len(particles)} particles, median speed {np.median(speed):.2f} px/frame")

claim(
    "These are the very particles that we found step by step.",
    np.array_equal(tracked[NOW].position, corners[moving]),
    np.array_equal(tracked[NOW].velocity, velocity[moving]),
)

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: from px/frame to km/h
#
# Write `speed_kmh(velocity, fps, metres_per_px)`. `velocity` is an (N, 2) array in px/frame; return the N speeds in
# km/h.


# %%
def speed_kmh(velocity, fps, metres_per_px): ...  # your code here


# %%
mp.check("01.1", speed_kmh)

# %% [markdown]
# #### Solution of exercise 1


# %%
### BEGIN SOLUTION
def speed_kmh(velocity, fps, metres_per_px):
    return np.linalg.norm(velocity, axis=1) * fps * metres_per_px * 3.6


mp.check("01.1", speed_kmh)
### END SOLUTION

# %% [markdown]
# ### Exercise 2: how good is a patch?
#
# Write `corner_score(patch)`: the smaller eigenvalue of the structure tensor $M$ of a 2-D array. `np.gradient(patch)`
# gives $I_y$ and $I_x$, in this order.


# %%
def corner_score(patch): ...  # your code here


# %%
mp.check("01.2", corner_score)

# %% [markdown]
# #### Solution of exercise 2


# %%
### BEGIN SOLUTION
def corner_score(patch):
    I_y, I_x = np.gradient(patch)
    g = np.stack([I_x.ravel(), I_y.ravel()])
    return np.linalg.eigvalsh(g @ g.T)[0]


mp.check("01.2", corner_score)
### END SOLUTION

# %% [markdown]
# ### Exercise 3: there and back again (bonus)
#
# `one_step(before, after, points)` follows points from one frame to the next. Use it to write `round_trip(greys,
# points)`: follow the points through all frames of the list, then all the way back, and return the distance in px
# between start and end for each point.


# %%
def one_step(before, after, points):
    """Where the points (N, 2) of the frame `before` are in the frame `after`."""
    return cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=(15, 15), maxLevel=3)[0]


def round_trip(greys, points): ...  # your code here


# %%
mp.check("01.3", round_trip)

# %% [markdown]
# #### Solution of exercise 3 (bonus)


# %%
### BEGIN SOLUTION
def round_trip(greys, points):
    moved = points
    for before, after in pairwise(greys):
        moved = one_step(before, after, moved)
    for before, after in pairwise(greys[::-1]):
        moved = one_step(before, after, moved)
    return np.linalg.norm(moved - points, axis=1)


mp.check("01.3", round_trip)
### END SOLUTION

# %% [markdown]
# ## Recap
#
# - A **particle** is a corner that moves: a position in px and a velocity in px/frame.
# - Corners are patches whose structure tensor has two large eigenvalues. On an edge the motion along the edge is
#   invisible (aperture problem); on a flat patch there is nothing to see.
# - The **forward-backward check** finds points that went astray, without any truth. A **least speed** drops the
#   background.
# - Of the particles that are left, about a third is not on people: outlines and shadows. Motion knows no persons.
# - px/frame depends on frame rate and distance. Directions do not, and directions are all that comes next.
#
# Next: [02 The crowd graph](02_crowd_graph.ipynb) joins the particles to their neighbours.
#
# ## Further reading
#
# - B. Lucas and T. Kanade, *An iterative image registration technique with an application to stereo vision*, IJCAI
#   1981.
# - J. Shi and C. Tomasi, *Good features to track*, CVPR 1994.
# - Z. Kalal, K. Mikolajczyk and J. Matas, *Forward-backward error: automatic detection of tracking failures*, ICPR
#   2010.
# - S. Baker and I. Matthews, *Lucas-Kanade 20 years on: a unifying framework*, International Journal of Computer Vision
#   56, 2004.
# - Jinhai Yang and Hua Yang, *MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd Segmentation in
#   Video Scenes*, ICIP 2021,
#   [arXiv:2101.08609](https://arxiv.org/abs/2101.08609): the paper of this course.
