# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 Collectiveness
#
# A marathon, a shopping street, people who wait for a bus. We see at once in which of them people move *as one*. This
# notebook gives each moving point a number for it, and then asks the practical question: which points do not belong?
#
# **You will** measure a crowd whose noise you set yourself, find out what a short phrase in a paper can mean, and
# catch outliers that you have planted.
#
# **You will learn**
# - what the collectiveness $\phi$ of a particle is (Eq. 5), and how it differs from the order that physicists
#   measure;
# - what $\kappa$ bounds, and why "0.6 $\kappa$" makes sense for one thing and not for another;
# - how collective merging turns links into groups and outliers;
# - how good that is, in precision and recall, and whom it must miss.
#
# **You need** notebook 02: the crowd graph $W$, its $K$ neighbours, the damping $z$, and $Z = (I - zW)^{-1} - I$.
# Equation numbers are those of Yang & Yang, *MPASNET* (ICIP 2021), which we call *the paper*.
#
# **Time:** 45 minutes, and 12 more with what is marked as bonus.

# %%
import importlib.util

if importlib.util.find_spec("mpas_lite") is None:
    raise SystemExit(
        "mpas_lite is not installed here. Run `pip install .` in the folder that holds its pyproject.toml, "
        "then restart this notebook."
    )

# %%
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np

import mpas_lite as mp
from mpas_lite.course import claim
from mpas_lite.plots import show_with_alt
from mpas_lite.crowd import nearest_neighbours
from mpas_lite.motion import at_steps, order, self_driven_particles
from mpas_lite.course.widgets.collectiveness import (
    drop_outliers,
    noise_explorer,
    outlier_explorer,
    plant_outliers,
    plot_crowd,
    plot_links,
    plot_outliers,
    plot_readings,
    plot_sweep,
    precision_recall,
    sweep_noise,
)

plt.rcParams.update({"font.size": 13, "figure.dpi": 80})

# %% [markdown]
# ## 1. How much does one particle move with the crowd?
#
# $Z_{ij}$ is the similarity of particles $i$ and $j$ along all walks between them. Add it up over everybody $j$, and
# you have one number for $i$, its **collectiveness**:
#
# $$ \phi_i = \sum_j Z_{ij}, \qquad \phi = Z \mathbf{1}, \tag{5} $$
#
# where $\mathbf{1}$ is the vector of ones. The collectiveness of the whole crowd is the mean,
# $\Phi = \frac1N \sum_i \phi_i$.
#
# **By hand.** Suppose that everybody agrees with their own $K$ neighbours equally well: the weights in each row of
# $W$ have the mean $c$. Then $W \mathbf{1} = K c \, \mathbf{1}$, each further step gives another factor $zKc$, and
#
# $$ \phi = zKc + (zKc)^2 + \dots = \frac{zKc}{1 - zKc}. $$
#
# With $z = 1/(2K)$, as Zhou et al. and we take it, $zK = \frac12$. In perfect agreement, $c = 1$, this is
# $\frac{1/2}{1 - 1/2} = 1$. So $\phi$ lies between 0 and 1.
#
# **The library**, on the five particles of notebook 02: three close together, one that follows, and number 4, which
# walks the other way. And then on the same five, walking in step.

# %% tags=["nbval-check-output"]
position = np.array([[0.0, 0.0], [2.0, 0.9], [0.6, 2.2], [4.3, 1.2], [5.6, 2.6]])
velocity = np.array([[5.0, 0.0], [4.0, 3.0], [3.0, 4.0], [5.0, 0.0], [-4.0, 3.0]])
W = mp.crowd_graph(position, velocity, k=2)
print("phi of the five    ", mp.collectiveness(W).round(3))
in_step = mp.crowd_graph(position, np.ones((5, 2)), k=2)
print("phi of five in step", mp.collectiveness(in_step).round(3))

# %% [markdown]
# **What we saw.** $\phi$ is the row sum of $Z$. It is largest for particle 1, which has the best company; particle 4,
# which goes against everybody, has 0. In step, all have 1.

# %%
phi = mp.collectiveness(W)
claim("Collectiveness is the row sum of Z.", np.allclose(phi, mp.regularized_path_similarity(W).sum(axis=1)))
claim("It is largest for particle 1, and 0 for particle 4.", phi.argmax() == 1, phi[4] == 0)
claim("In step, all have 1.", np.allclose(mp.collectiveness(in_step), 1))

# %% [markdown]
# ## 2. What does noise do to it?
#
# To trust a measure, try it on something with a knob. **Self-driven particles** (Vicsek et al., 1995) are the
# simplest crowd there is. They live in a box whose opposite sides are joined. In each step every particle
#
# 1. looks at all within distance 1 and takes on their mean direction, its own included;
# 2. makes an error: it turns by a random angle, at most $\eta \pi$ to either side;
# 3. goes on in that direction, always at the same speed.
#
# The knob is the noise $\eta$: at 0 there is no error, at 1 every direction is as good as any other. We use the
# settings of Zhou et al.: 400 particles, a box of 7 by 7, a speed of 0.03 a step.
#
# **By hand.** The mean direction of 0, 30 and 90 degrees is not their average, 40: directions are added as arrows.

# %% tags=["nbval-check-output"]
angle = np.radians([0, 30, 90])
print("mean direction", round(float(np.degrees(np.arctan2(np.sin(angle).sum(), np.cos(angle).sum()))), 1), "degrees")

# %% [markdown]
# Physicists measure such a flock by its **order** $v$: add all directions as arrows of length 1, and divide the
# length of the sum by $N$. It is 1 if all go the same way. If the directions are random, it is small, about
# $1/\sqrt N$.
#
# Now let 400 particles run for 100 steps, under 21 different noises.

# %%
sweep = sweep_noise()
last = 100

# %%
fig, axes = plt.subplots(1, 3, figsize=(14, 4.6), sharey=True, layout="compressed")
for ax, eta in zip(axes, (0.0, 0.3, 1.0), strict=True):
    a, b = int(np.flatnonzero(sweep.noise == eta)[0]), int(np.flatnonzero(sweep.step == last)[0])
    plot_crowd(sweep.position[a, b], sweep.velocity[a, b], sweep.phi[a, b], ax, colorbar=eta == 1)
    ax.set_title(f"noise η = {eta:g}:  v = {sweep.order[a, b]:.2f},  Φ = {sweep.phi[a, b].mean():.2f}", fontsize=14)
for ax in axes[1:]:
    ax.set_ylabel("")
show_with_alt(
    fig,
    "Three crowds of self-driven particles as arrows, coloured by collectiveness. Without noise all go one "
    "way; with noise 0.3 they roughly do, and are less collective; with noise 1 every arrow points elsewhere.",
)

# %%
ax = plot_sweep(sweep, last)
show_with_alt(
    ax,
    "Order and collectiveness over the noise: both fall from 1. Collectiveness falls sooner, and stays near "
    "0.2 where the order goes on to nearly 0.",
)

# %% [markdown]
# Move the noise yourself, and the time: at step 0 all directions are random, and within some ten steps they find each
# other, if the noise lets them.

# %%
explorer = noise_explorer(sweep)
explorer.show()

# %% [markdown]
# **What we saw.** Without noise, order and collectiveness are both 1. Both fall as the noise grows, so they measure
# related things. But collectiveness does not fall to 0: it ends near 0.19. Why there? Among random directions the
# mean cosine is 0, but Eq. 1 sets negative ones to 0. The mean of $\max(\cos, 0)$ over all angles is $1/\pi$. Put
# $c = 1/\pi$ into the formula of section 1:
#
# $$ \frac{\frac12 \cdot \frac1\pi}{1 - \frac12 \cdot \frac1\pi} = 0.19. $$
#
# So $\Phi = 0.19$ is what a crowd gets for nothing. (Zhou et al. do not set negative cosines to 0 in their code;
# `clip=False` does as they do, and then the same random crowd gets nearly 0.)

# %%
end = sweep.step == last
v, Phi = sweep.order[:, end][:, 0], sweep.phi[:, end][:, 0].mean(axis=1)
c = 1 / np.pi
floor = (c / 2) / (1 - c / 2)
unclipped = mp.crowd_graph(sweep.position[-1, -1], sweep.velocity[-1, -1], clip=False)
claim("Without noise, order and collectiveness are both 1.", v[0] > 0.99, Phi[0] > 0.99)
claim("They fall together as the noise grows.", np.corrcoef(v, Phi)[0, 1] > 0.9)
claim(
    "The order ends near 0, and the collectiveness near 0.19, as the formula says.",
    v[-1] < 0.15,
    round(floor, 2) == 0.19,
    abs(Phi[-1] - floor) < 0.02,
)
claim("With negative cosines kept, it ends near 0, too.", abs(mp.collectiveness(unclipped).mean()) < 0.05)

# %% [markdown]
# ## 3. Is collectiveness just another word for order? (bonus)
#
# Take two crowds that any eye calls orderly. In the first, two lines of people walk past each other. In the second,
# people walk round in a circle. Each particle looks at $K = 6$ neighbours.
#
# **By hand.** In both, every arrow has an opposite one. They cancel, so the order is 0. But everybody moves like the
# neighbours: in the lines $c = 1$; on a circle of 36, the six nearest are 10, 20 and 30 degrees off, on either side,
# so $c$ is the mean of the cosines of these angles.

# %%
n = np.arange(20)
lines = np.concatenate([np.stack([n, 0 * n], axis=1), np.stack([n, 0 * n + 12], axis=1)])
lines_velocity = np.repeat([[1.0, 0.0], [-1.0, 0.0]], 20, axis=0)
turn = 2 * np.pi * np.arange(36) / 36
circle = 10 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
circle_velocity = np.stack([-np.sin(turn), np.cos(turn)], axis=1)

fig, axes = plt.subplots(1, 2, figsize=(11, 4.8), layout="compressed")
shown = []
for ax, x, u, name in (
    (axes[0], lines, lines_velocity, "two lines"),
    (axes[1], circle, circle_velocity, "a circle"),
):
    of_each = mp.collectiveness(mp.crowd_graph(x, u, k=6))
    plot_crowd(x, u, of_each, ax, colorbar=x is circle)
    middle = (x.min(axis=0) + x.max(axis=0)) / 2
    ax.set(xlabel="x (m)", ylabel="y (m)", xlim=middle[0] + (-12, 12), ylim=middle[1] + (-12, 12))
    ax.set_title(f"{name}: v = {order(u):.2f}, Φ = {of_each.mean():.2f}", fontsize=14)
    shown.append((order(u), of_each.mean()))
show_with_alt(
    fig,
    "Left: two lines of particles that go opposite ways. Right: particles on a circle that go round. Both have"
    " order 0 and a high collectiveness, told in their titles.",
)

# %% [markdown]
# **What we saw.** The order is 0 in both, and the collectiveness is 1 and 0.87, what the formula says. Order asks
# whether all go the same way. Collectiveness asks whether everyone goes the way of the neighbours. Streets, crossings
# and bends are full of the second without the first, so it is the second that we want.

# %%
(v_lines, Phi_lines), (v_circle, Phi_circle) = shown
c = np.cos(np.radians([10, 20, 30])).mean()
claim("The order is 0 in both crowds.", max(v_lines, v_circle) < 1e-9)
claim(
    "The collectiveness is 1 in the lines and 0.87 on the circle, as the formula says.",
    np.isclose(Phi_lines, 1),
    np.isclose(Phi_circle, (c / 2) / (1 - c / 2)),
    round(Phi_circle, 2) == 0.87,
)

# %% [markdown]
# ## 4. What does $\kappa$ bound?
#
# Before any threshold, we must know the scale. How large can **one entry** of $Z$ be? Row $i$ of $W^{L-1}$ adds up to
# at most $K^{L-1}$, and the last step of a walk weighs at most 1. So an entry of $W^L$ is at most $K^{L-1}$, and
#
# $$ Z_{ij} \;\le\; z + z^2 K + z^3 K^2 + \dots \;=\; \frac{z}{1 - zK} \;=\; \kappa. $$
#
# How large can a **row sum** be, that is, $\phi_i$? The row of $W^L$ adds up to at most $K^L$, so
#
# $$ \phi_i \;\le\; zK + z^2 K^2 + \dots \;=\; \frac{zK}{1 - zK} \;=\; K \kappa. $$
#
# These are different scales. At $K = 20$ and $z = 1/(2K)$, entries of $Z$ go up to 0.05 and $\phi$ up to 1.

# %% tags=["nbval-check-output"]
K = 20
kappa = mp.kappa(1 / (2 * K), K)
print(f"entries of Z: at most kappa     = {kappa:.2f}")
print(f"phi:          at most K * kappa = {K * kappa:.2f}")
print(f"0.6 kappa                       = {0.6 * kappa:.2f}")

# %% [markdown]
# ## 5. What can "0.6 $\kappa$" mean?
#
# To clean the particles before it uses them, the paper does "collectiveness thresholding" with a threshold of 0.6
# $\kappa$. What is compared with it? Two readings offer themselves.
#
# - **Reading A, word by word.** "Collectiveness" is $\phi$. Drop the particle $i$ where $\phi_i \le 0.6\,\kappa$.
# - **Reading B, collective merging.** Compare the *entries* of $Z$, whose bound $\kappa$ is. Link $i$ and $j$ where
#   $Z_{ij} > 0.6\,\kappa$; drop whoever ends up in no sizeable group.
#
# A crowd with known outliers shows the difference. Self-driven particles again, a little noise, and 80 more that do
# not care: they keep their own random directions. (Zhou et al. tried their method on just such a mixture.)

# %%
(mixed_position, mixed_velocity) = at_steps(self_driven_particles(400, noise=0.1, outliers=80), (60,))[0]
stubborn = np.arange(480) >= 400
mixed_W = mp.crowd_graph(mixed_position, mixed_velocity, k=K)
axes = plot_readings(mixed_W, 0.6)
show_with_alt(
    axes,
    "Two histograms with the threshold 0.6 kappa. Left, phi of the particles: nearly all lie far above it. "
    "Right, entries of Z: it stands on the left flank of their heap, and 23 % lie below.",
)

# %% [markdown]
# On the left, $\phi$ of all particles. The dashed line is 0.6 $\kappa = 0.03$, at the very edge of a scale that goes
# to 1: it cuts off next to nothing. On the right, the entries of $Z$ on the edges of the graph, on a scale that goes
# to $\kappa$. There the line stands at the foot of the hill: pairs that agree are to its right, and to its left runs
# a long tail of pairs that do not.

# %% tags=["nbval-check-output"]
for name, reading in (("A: phi of particles", "literal"), ("B: entries of Z    ", "links")):
    dropped = drop_outliers(mixed_W, 0.6, reading)
    precision, recall = precision_recall(dropped, stubborn)
    print(f"{name}  drops {dropped.sum():2d} of 480   precision {precision:.2f}   recall {recall:.2f}")

# %% [markdown]
# An outlier that is dropped is a **hit**, one that is kept is a **miss**, and a particle that is dropped and is no
# outlier is a **false alarm**. Two numbers say how good that is. **Precision**: of those dropped, the share that are
# hits. **Recall**: of the outliers, the share that are hits.
#
# **What we saw.** Reading A drops few: it finds about one outlier in five. Reading B finds about two in three, with
# hardly a false alarm. The code that Zhou et al. published settles it: it compares the entries of $Z$ with 0.6
# $\kappa$ and calls this *collective merging*. (On self-driven particles their code takes 0.4 $\kappa$.) That is what
# `mp.collective_merging` does, and what this course means by 0.6 $\kappa$. One may also read it as a share of the
# largest possible $\phi$, which is $K \kappa = 1$; section 7 lets you try.

# %%
literal = drop_outliers(mixed_W, 0.6, "literal")
linked = drop_outliers(mixed_W, 0.6, "links")
on_edges = mp.regularized_path_similarity(mixed_W)[mixed_W.toarray() > 0]
claim(
    "The two readings are what they say: phi against 0.6 kappa, and the groups of the library.",
    np.array_equal(literal, mp.collectiveness(mixed_W) <= 0.6 * kappa),
    np.array_equal(linked, mp.collective_merging(mixed_W, threshold=0.6) == 0),
)
claim(
    "Reading A drops few, and finds about one outlier in five.",
    literal.mean() < 0.05,
    0.1 < precision_recall(literal, stubborn)[1] < 0.3,
)
claim(
    "On the edges, about a quarter of the entries of Z are below the threshold.",
    0.15 < (on_edges <= 0.6 * kappa).mean() < 0.35,
)
claim(
    "Reading B finds about two in three, with hardly a false alarm.",
    0.55 < precision_recall(linked, stubborn)[1] < 0.75,
    precision_recall(linked, stubborn)[0] > 0.95,
)

# %% [markdown]
# ## 6. How do links become groups?
#
# Collective merging has three steps: link, connect, drop the small.
#
# **By hand**, on the 480, with the dense $Z$ and networkx:

# %%
Z = mp.regularized_path_similarity(mixed_W)
links = 0.6 * kappa < Z
graph = nx.Graph()
graph.add_nodes_from(range(480))
graph.add_edges_from(np.argwhere(links))
groups = sorted(nx.connected_components(graph), key=len, reverse=True)
print("sizes of the connected components:", [len(group) for group in groups[:8]], "...")
print("of at least 10 particles:", sum(len(group) >= 10 for group in groups))

# %%
labels = mp.collective_merging(mixed_W, threshold=0.6, min_size=10)
fig, axes = plt.subplots(1, 2, figsize=(13.5, 5), layout="compressed")
plot_crowd(mixed_position, mixed_velocity, mp.collectiveness(mixed_W), axes[0])
axes[0].set_title("particles", fontsize=14)
axes[1].set_title("links and groups", fontsize=14)
ax = plot_links(mixed_position, links, labels, axes[1])
show_with_alt(
    fig,
    "Left: particles with arrows, coloured by collectiveness. Right: links above the threshold; 429 particles "
    "are joined into one group, and 51, scattered among them, are crosses: dropped.",
)

# %% [markdown]
# Crosses are dropped. Almost all of them stand alone: no link at all.
#
# **What we saw.** The components of networkx, without those under 10, are exactly the groups of
# `mp.collective_merging`. It finds them without $Z$ (notebook 02, section 7, proves how).

# %%
by_hand = np.zeros(480, dtype=int)
for number, group in enumerate((g for g in groups if len(g) >= 10), start=1):
    by_hand[list(group)] = number
claim(
    "The components by hand and the library keep the same particles, in as many groups.",
    np.array_equal(by_hand > 0, labels > 0),
    by_hand.max() == labels.max(),
)
claim(
    "Most of the dropped have no link at all.", np.median([graph.degree[i] for i in np.flatnonzero(labels == 0)]) == 0
)

# %% [markdown]
# ## 7. Whom does it find in a real scene?
#
# On the left of its Fig. 3 the paper shows the particles of a frame, with the outliers that the threshold removes. We
# do the same, but so that we can count: take the particles of a marathon (a bundled clip, drawn by the computer), and
# **plant** one outlier for every five particles. Each planted one stands somewhere in the frame and goes in a random
# direction, as fast as a runner.

# %%
video = mp.read_video(mp.sample_path("marathon_bend"))
particles = next(p for p in mp.track(video) if p.frame == 40)
_, frame = next(video.frames([particles.frame]))
planted_position, planted_velocity, planted = plant_outliers(particles, frame.shape[:2], share=0.2)
planted_W = mp.crowd_graph(planted_position, planted_velocity, k=K)

# %%
fig, axes = plt.subplots(1, 2, figsize=(14, 6), layout="compressed")
for ax, reading, name in ((axes[0], "literal", "A: φ > 0.6 κ"), (axes[1], "links", "B: links Z > 0.6 κ")):
    dropped = drop_outliers(planted_W, 0.6, reading)
    plot_outliers(frame, planted_position, planted_velocity, dropped, planted, ax)
    precision, recall = precision_recall(dropped, planted)
    ax.set_title(f"{name}: precision {precision:.2f}, recall {recall:.2f}", fontsize=15)
show_with_alt(
    fig,
    "The marathon with planted outliers. By phi most of the planted ones are kept; by links most are dropped. "
    "Neither drops a particle that was not planted.",
)

# %% [markdown]
# Whom does reading B miss? Look at the diamonds: they go the way of the runners near them. A planted particle
# draws its direction by lot, and some draw the right one. No method that compares directions can tell them apart. Let
# us measure, for each planted particle, the angle between its direction and the mean direction of its 20 neighbours.

# %%
dropped = drop_outliers(planted_W, 0.6, "links")
heading = planted_velocity / np.linalg.norm(planted_velocity, axis=1, keepdims=True)
company = heading[nearest_neighbours(planted_position, K)].mean(axis=1)
company = company / np.linalg.norm(company, axis=1, keepdims=True)
apart = np.degrees(np.arccos(np.clip((heading * company).sum(axis=1), -1, 1)))
missed, found = apart[planted & ~dropped], apart[planted & dropped]
print(f"missed {missed.size}: at most {missed.max():.0f} degrees off, half of them under {np.median(missed):.0f}")
print(f"found  {found.size}: at least {found.min():.0f} degrees off, half of them over {np.median(found):.0f}")

# %% [markdown]
# Now the same in all six bundled clips. One caution: what is tracked in them may hold outliers of its own, a bird or
# a corner that slipped. Dropping these is right, but here it counts as a false alarm. So this precision is a lower limit.

# %%
results = {}
print("clip             particles   planted   precision   recall   collectiveness")
for name in mp.sample_names():
    tracked = next(p for p in mp.track(mp.read_video(mp.sample_path(name))) if p.frame == 40)
    x, u, fake = plant_outliers(tracked, frame.shape[:2], share=0.2)
    results[name] = precision_recall(drop_outliers(mp.crowd_graph(x, u, k=K), 0.6), fake)
    Phi_clip = mp.collectiveness(mp.crowd_graph(tracked.position, tracked.velocity, k=K)).mean()
    p, r = results[name]
    print(f"{name:15} {len(tracked):10d} {fake.sum():9d} {p:11.2f} {r:8.2f} {Phi_clip:16.2f}")

# %% [markdown]
# **What we saw.** In the marathon nearly every dropped particle is a hit, and some three in four of the planted ones
# are hits. The misses go less than 60 degrees off their neighbours; most of the hits go more than 90 degrees off. On five of the six clips precision is 0.8 or more. On the crossing it is far lower: there, several
# streams meet, and people in the midst of them have neighbours who go elsewhere. They are a crowd, and the method
# drops them. Keep this in mind for the next notebook, where the particles that are left become a mask.

# %%
precision, recall = precision_recall(dropped, planted)
claim(
    "Nearly every dropped particle is a hit, and three in four of the planted ones are.",
    precision > 0.95,
    0.65 < recall < 0.9,
)
claim(
    "Reading A finds less than a third.", precision_recall(drop_outliers(planted_W, 0.6, "literal"), planted)[1] < 0.35
)
claim(
    "Misses go less than 60 degrees off their neighbours, most hits more than 90.",
    missed.max() < 60,
    np.median(found) > 90,
)
claim(
    "On five clips of six precision is 0.8 or more, and on the crossing far lower.",
    sum(p >= 0.8 for p, _ in results.values()) == 5,
    results["crossing"][0] < 0.6,
)
rising = [precision_recall(drop_outliers(planted_W, tau), planted)[1] for tau in (0.4, 0.6, 0.8)]
claim("With the threshold, recall rises.", rising == sorted(rising))

# %% [markdown]
# **Try this.** Change the threshold $\tau$, what it is compared with, and how many are planted. Raise $\tau$ and recall
# rises. At what $\tau$ does precision break down, and why so suddenly? (What share of $\kappa$ can a runner's link reach
# at most?)

# %%
outlier_explorer(frame, particles).show()

# %% [markdown]
# ## Exercises
#
# ### Exercise 1: from agreement to collectiveness
#
# Write `phi_of(c, z, k)`: the collectiveness of each particle in a crowd where everybody has $K$ neighbours and
# agrees with them by $c$ on average.


# %%
def phi_of(c, z, k):
    return None  # your code in place of None


# %%
mp.check("03.1", phi_of)

# %% [markdown]
# #### Solution of exercise 1


# %%
### BEGIN SOLUTION
def phi_of(c, z, k):
    return z * k * c / (1 - z * k * c)


mp.check("03.1", phi_of)
### END SOLUTION

# %% [markdown]
# ### Exercise 2: no order, much collectiveness (bonus)
#
# Make a crowd of at least 50 particles with an order below 0.01 and a collectiveness above 0.9 (at $K = 10$). It must
# be neither the two lines nor the circle of section 3, nor these shaken a little: let it go in three directions or more,
# and let not everybody have the same $\phi$. Write `my_crowd()`; it returns positions and velocities, both of shape
# $(N, 2)$.


# %%
def my_crowd():
    return None  # your code in place of None


# %%
mp.check("03.2", my_crowd)

# %% [markdown]
# #### Solution of exercise 2 (bonus)
#
# Four groups at the corners of a large square, each with its own direction. Within a group directions differ a
# little, and the opposite group has the opposite of each, so that the sum stays 0.


# %%
### BEGIN SOLUTION
def my_crowd():
    rng = np.random.default_rng(0)
    spread, error = rng.normal(size=(25, 2)), 0.2 * rng.normal(size=25)
    x = np.concatenate([spread + corner for corner in ((0, 0), (99, 99), (0, 99), (99, 0))])
    angle = np.concatenate([error + direction for direction in (0, np.pi, np.pi / 2, -np.pi / 2)])
    return x, np.stack([np.cos(angle), np.sin(angle)], axis=1)


mp.check("03.2", my_crowd)
### END SOLUTION

# %% [markdown]
# ### Exercise 3: merge by hand
#
# Write `merge(Z, limit, min_size)`: link particles where $Z_{ij}$ or $Z_{ji}$ is above the limit, take connected
# components, and return a list of sets, one for each component of at least `min_size` particles. networkx helps.


# %%
def merge(Z, limit, min_size):
    return None  # your code in place of None


# %%
mp.check("03.3", merge)

# %% [markdown]
# #### Solution of exercise 3


# %%
### BEGIN SOLUTION
def merge(Z, limit, min_size):
    graph = nx.Graph()
    graph.add_edges_from(np.argwhere(limit < Z).tolist())
    return [group for group in nx.connected_components(graph) if len(group) >= min_size]


mp.check("03.3", merge)
### END SOLUTION

# %% [markdown]
# ## Recap
#
# - $\phi = Z\mathbf{1}$ (Eq. 5) says how much a particle moves with its neighbours, and theirs, and so on. With
#   $z = 1/(2K)$ it lies between 0 and 1; random motion gets 0.19.
# - Order asks whether all go the same way; collectiveness, whether everyone goes the way of the neighbours.
# - $\kappa = z/(1 - zK)$ bounds the entries of $Z$, not $\phi$. So 0.6 $\kappa$ is a threshold for entries.
# - Collective merging links entries above it, connects, and drops groups under 10 particles.
# - It drops what disagrees with its neighbours: most outliers, not those that agree by chance, and sometimes people
#   in the midst of crossing streams.
#
# Next: [04 Circular region merging](04_circular_region_merging.ipynb), from the particles that are left to a mask.
#
# ## Further reading
#
# - B. Zhou, X. Tang, X. Wang: *Measuring Crowd Collectiveness*, CVPR 2013; extended with H. Zhang, IEEE TPAMI 36(8),
#   2014. Collectiveness, collective merging, self-driven particles with outliers.
# - T. Vicsek, A. Czirók, E. Ben-Jacob, I. Cohen, O. Shochet: *Novel type of phase transition in a system of
#   self-driven particles*, Physical Review Letters 75, 1995.
# - J. Yang, H. Yang: *MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd Segmentation in Video
#   Scenes*, ICIP 2021, [arXiv:2101.08609](https://arxiv.org/abs/2101.08609). *The paper*.
