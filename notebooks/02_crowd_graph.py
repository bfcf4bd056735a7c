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
# # 02 The crowd graph
#
# Two people walk in the same crowd, far apart. They do not look at each other. Still, they move together, because
# each moves with a neighbour, who moves with a neighbour, and so on. This notebook turns *and so on* into a matrix.
#
# **You will** build the graph of a crowd by hand and on a video, count its walks one by one, add them all up, and see
# when that sum exists and when it does not.
#
# **You will learn**
# - how velocity correlation among nearest neighbours becomes a weighted, directed graph (Eq. 1);
# - how all chains of so many steps add up (Eq. 2), why that is a power of the matrix, and why an infinite sum of powers
#   has a simple closed form (Eq. 3, 4);
# - why the damping $z$ must stay below $1/K$, and what the spectral radius has to do with it;
# - that row sums of the closed form are Katz centrality, and that nobody needs a matrix inverse to get them.
#
# **You need** linear algebra (matrix products, eigenvalues). Equation numbers are those of Yang & Yang, *MPASNET*
# (ICIP 2021), which we call *the paper*.
#
# **Time:** 60 minutes, and 15 more with what is marked as bonus.

# %%
import importlib.util

if importlib.util.find_spec("mpas_lite") is None:
    raise SystemExit(
        "mpas_lite is not installed here. Run `pip install .` in the folder that holds its pyproject.toml, "
        "then restart this notebook."
    )

# %%
from itertools import pairwise
from time import perf_counter

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from scipy.sparse.csgraph import connected_components

import mpas_lite as mp
from mpas_lite.course import claim
from mpas_lite.plots import plot_graph, plot_particles, show_with_alt
from mpas_lite.course.widgets.graph import (
    partial_sum_distance,
    plot_reach,
    plot_series,
    plot_small_graph,
    reach_explorer,
    series_explorer,
    spectral_radius,
    walk_similarity,
)
from mpas_lite.course.widgets.walks import plot_partial_sums, plot_walks, walk_explorer, walks_between

plt.rcParams.update({"font.size": 13, "figure.dpi": 80})

# %% [markdown]
# ## 1. Who moves like whom?
#
# A *particle* is a point that moves: a position in the image and a velocity. (Notebook 01 finds them in a video.)
# Here are five. Three walk roughly the same way, close together; number 3 follows them from the right; number 4 walks
# the other way.
#
# Two rules make a graph of them.
#
# 1. **Who looks at whom.** Each particle $i$ looks at its $K$ nearest neighbours. Here $K = 2$. This is directed: 3
#    may look at 1 while 1 has nearer ones to look at.
# 2. **How alike they move.** The edge from $i$ to $j$ weighs as much as the cosine $C(i, j)$ of the angle between
#    their velocities: 1 for the same direction, 0 for a right angle. Opposite directions would be negative; they are
#    set to 0.
#
# $$
# w_{ij} = \begin{cases} \max\bigl(C(i, j),\, 0\bigr) &
# \text{if } j \text{ is one of the } K \text{ nearest neighbours of } i,\\
# 0 & \text{otherwise.}\end{cases} \tag{1}
# $$
#
# The matrix of all weights is $W$. Row $i$ says whom $i$ moves with.

# %%
position = np.array([[0.0, 0.0], [2.0, 0.9], [0.6, 2.2], [4.3, 1.2], [5.6, 2.6]])  # metres
velocity = np.array([[5.0, 0.0], [4.0, 3.0], [3.0, 4.0], [5.0, 0.0], [-4.0, 3.0]])  # decimetres per second
K = 2

# %% [markdown]
# **By hand.** Particle 0 goes $(5, 0)$ and particle 1 goes $(4, 3)$. Both are 5 long, so the cosine is
# $(5 \cdot 4 + 0 \cdot 3) / (5 \cdot 5) = 0.8$. That is $w_{01}$, as 1 is the nearest neighbour of 0.

# %% tags=["nbval-check-output"]
cosine_01 = velocity[0] @ velocity[1] / (np.linalg.norm(velocity[0]) * np.linalg.norm(velocity[1]))
print("C(0, 1) =", round(float(cosine_01), 3))

# %% [markdown]
# **The library** does this for all pairs. It gives a sparse matrix, because of the $N \times N$ entries only $N K$
# can differ from 0.

# %% tags=["nbval-check-output"]
W = mp.crowd_graph(position, velocity, k=K)
print(W.toarray())

# %%
ax = plot_small_graph(position, velocity, W)
show_with_alt(
    ax,
    "Five numbered particles with arrows for their velocities. Each is joined to its two nearest neighbours by"
    " lines with weights from 0.6 to 0.96; dotted lines to particle 4, which goes another way, weigh 0.",
)

# %% [markdown]
# Orange arrows are velocities. A line with two heads is an edge in both directions. Dotted lines are edges whose
# weight was set to 0: 4 looks at its neighbours and they walk against it.
#
# **What we saw.** The graph has 7 edges with a weight above 0. It is directed: 3 looks at 1, and 1 does not look
# back. Particle 4 moves with nobody.

# %%
claim("The library's weight is the one that we found by hand.", np.isclose(W[0, 1], cosine_01))
claim("Seven edges have a weight above 0.", np.count_nonzero(W.toarray()) == 7)
claim("Particle 3 looks at 1, and 1 does not look back.", W[3, 1] > 0, W[1, 3] == 0)
claim("Particle 4 moves with nobody.", not W.toarray()[4].any())

# %% [markdown]
# ## 2. Who moves like whom, through others?
#
# Particle 3 does not look at particle 0. But it moves with 1, and 1 moves with 0. So there is a connection in two
# steps, $3 \to 1 \to 0$. Let its strength be the product of the weights on the way: $0.8 \cdot 0.8 = 0.64$. A weak
# link weakens the whole chain.
#
# Such a chain is called a **walk** of length $L$, where $L$ counts the steps. A walk may come back to where it has
# been; a *simple path* may not. We want walks, and we want all of them: list every walk, write down its product, and
# add up those with the same start and the same end. That is the paper's Eq. 2, the **path similarity** $\nu_L$. With
# $\mathcal{P}^{(L)}_{ij}$ for all walks of length $L$ from $i$ to $j$, and $n^{(p)}_0 = i,\; n^{(p)}_1,\; \dots,\;
# n^{(p)}_L = j$ for the particles that the walk $p$ visits, one after the other,
#
# $$ \nu_L(i, j) = \sum_{p \,\in\, \mathcal{P}^{(L)}_{ij}} \; \prod_{k=0}^{L-1}
# w_{n^{(p)}_k \, n^{(p)}_{k+1}} \tag{2} $$
#
# (The paper says *path* where we say *walk*; we shall see that it means the same.)
#
# networkx knows the graph; four lines of our own follow its edges, step by step.


# %%
def walks(graph, start, length):
    """Every walk of so many steps from a node, as a list of nodes."""
    if length == 0:
        yield [start]
        return
    for neighbour in graph.successors(start):
        for rest in walks(graph, neighbour, length - 1):
            yield [start, *rest]


def product(graph, walk):
    """The weights along a walk, multiplied."""
    return float(np.prod([graph.edges[step]["weight"] for step in pairwise(walk)]))


G = nx.from_numpy_array(W.toarray(), create_using=nx.DiGraph)
by_length = {length: [walk for i in G for walk in walks(G, i, length)] for length in (1, 2, 3)}

# %% tags=["nbval-check-output"]
for length, found in by_length.items():
    print(f"{len(found)} walks of length {length}")
    lines = [f"{'-'.join(map(str, walk)):8} {product(G, walk):.4f}" for walk in found]
    for row in range(0, len(lines), 4):
        print("   ", "    ".join(lines[row : row + 4]))

# %% [markdown]
# Look at `3-1-0-1` in the list of length 3: it visits 1 twice. It is a walk and no simple path.
#
# Now Eq. 2 as it is printed: entry $(i, j)$ of $\nu_L$ is the sum over all walks from $i$ to $j$ of their products.


# %%
def path_similarity_as_printed(graph, length):
    """Eq. 2, walk by walk, with no matrix product."""
    nu = np.zeros((len(graph), len(graph)))
    for start in graph:
        for walk in walks(graph, start, length):
            nu[walk[0], walk[-1]] += product(graph, walk)
    return nu


# %% [markdown]
# It needs no enumeration at all, because a matrix product does exactly this: entry $(i, j)$ of $W W$ is
# $\sum_k w_{ik} w_{kj}$, a sum over everyone in the middle, and with every further factor $W$ each walk grows by one
# step. So Eq. 2 has a **corollary**, for which the paper points to algebraic graph theory:
#
# $$ \nu_L = W^L $$
#
# `mp.path_similarity` is this power.

# %% tags=["nbval-check-output"]
for length in by_length:
    summed = path_similarity_as_printed(G, length)
    nu = mp.path_similarity(W, length)
    claim("Eq. 2 and the power of the matrix agree in every entry.", np.allclose(summed, nu.toarray()))
    print(f"length {length}: from 3 to 1, walks added up {summed[3, 1]:.4f}, power of the matrix {nu[3, 1]:.4f}")

# %% [markdown]
# **What we saw.** The powers $W, W^2, W^3$ and Eq. 2 agree in every entry. networkx counts the same number of walks. With
# simple paths alone the corollary would be false: of the 28 walks of length 3, only 2 are simple paths. So the paper's
# *paths* are walks.

# %%
for length, found in by_length.items():
    counted = nx.number_of_walks(G, length)
    claim(
        "We list as many walks as networkx counts.", len(found) == sum(sum(ends.values()) for ends in counted.values())
    )
simple = [walk for walk in by_length[3] if len(set(walk)) == len(walk)]
claim("Of the 28 walks of length 3, only 2 are simple paths.", len(by_length[3]) == 28, len(simple) == 2)
claim("3-1-0-1 is a walk and no simple path.", [3, 1, 0, 1] in by_length[3], [3, 1, 0, 1] not in simple)
without_return = np.zeros((5, 5))
for walk in simple:
    without_return[walk[0], walk[-1]] += product(G, walk)
claim(
    "Simple paths alone do not add up to the power.",
    not np.allclose(without_return, mp.path_similarity(W, 3).toarray()),
)

# %% [markdown]
# ## 3. How do we add up walks of every length?
#
# Which length is the right one? No single one. Take all of them, but let long walks count less: each step costs a
# factor $z$, a number above 0 called the **damping**. (Zhou et al., who invented this, took $z = 1/(2K)$. So do we.)
#
# $$ Z = \sum_{L=1}^{\infty} z^L W^L \tag{3} $$
#
# The sum is a geometric series, only with a matrix in it. For a number $a$ with $|a| < 1$, the sum
# $a + a^2 + a^3 + \dots$ is $\frac{1}{1 - a} - 1$. The same formula holds here:
#
# $$ Z = (I - zW)^{-1} - I \tag{4} $$
#
# **By hand.** Two particles that look only at each other, in perfect agreement, $K = 1$ and $z = \frac12$. From 0 to
# 1 there is one walk of each odd length, so $Z_{01} = \frac12 + \frac18 + \frac1{32} + \dots = \frac23$. From 0 back
# to 0 there is one of each even length: $Z_{00} = \frac14 + \frac1{16} + \dots = \frac13$.

# %% tags=["nbval-check-output"]
two = np.array([[0.0, 1.0], [1.0, 0.0]])
print((np.linalg.inv(np.eye(2) - 0.5 * two) - np.eye(2)).round(4))
print(mp.regularized_path_similarity(two, z=0.5).round(4))

# %% [markdown]
# Now the five. The partial sum $S_L$ counts the walks of up to $L$ steps and forgets the longer ones.

# %% tags=["nbval-check-output"]
z = 1 / (2 * K)
closed = np.linalg.inv(np.eye(5) - z * W.toarray()) - np.eye(5)
print("Z from particle 3, to 0, 1, 2, 3, 4:")
for L in (1, 2, 3, 5, 10):
    print(f"  walks of up to {L:2d} steps ", mp.regularized_path_similarity(W, z, max_length=L)[3].round(4))
print("  closed form, Eq. 4      ", closed[3].round(4))

# %% [markdown]
# These rows come from the library. **Now the same sum from the walks alone.** List them as in section 2, along the
# edges of the networkx graph, damp each product by $z$ to the power of its length, and add up, one length after the
# other. That is Eq. 2 put into Eq. 3, and cut after $L$ steps:
#
# $$ S_L(i, j) = \sum_{\ell=1}^{L} z^{\ell} \sum_{p \,\in\, \mathcal{P}^{(\ell)}_{ij}} \; \prod_{k=0}^{\ell-1}
# w_{n^{(p)}_k \, n^{(p)}_{k+1}} $$
#
# No power of $W$ and no inverse takes part. Does it close in on the inverse, entry by entry?

# %% tags=["nbval-check-output"]
S, missing = np.zeros((5, 5)), [closed]
print("  L   walks of L steps   S_L from 3 to 1   missing   most missing of all 25 entries")
for L in range(1, 11):
    listed = sum(1 for start in G for _ in walks(G, start, L))
    S = S + z**L * path_similarity_as_printed(G, L)
    missing.append(closed - S)
    print(f"{L:3d} {listed:12d} {S[3, 1]:20.5f} {missing[L][3, 1]:13.5f} {missing[L].max():17.5f}")
print(f"closed form {closed[3, 1]:24.5f}")

# %% [markdown]
# It does. There are twice as many walks with each further step, 7 of one step and 3,584 of ten, but with each step
# they are also damped by another $z = \frac14$. In none of the 25 entries does the missing part ever grow, and after
# ten steps it is below 0.0001 everywhere.

# %%
claim(
    "The library's partial sum is that of the walks.",
    np.allclose(S, mp.regularized_path_similarity(W, z, max_length=10)),
)
claim(
    "In no entry does the missing part grow from one step to the next.",
    all((later <= earlier + 1e-12).all() for earlier, later in pairwise(missing)),
)
claim("After ten steps less than 0.0001 is missing everywhere.", missing[10].min() > -1e-12, missing[10].max() < 0.0001)
claim(
    "There are 7 walks of one step and 3,584 of ten.",
    [sum(1 for start in G for _ in walks(G, start, L)) for L in (1, 10)] == [7, 3584],
)

# %% [markdown]
# How fast do the partial sums close in? What $S_L$ forgets are the walks of more than $L$ steps. A particle looks at
# $K$ others with weights of at most 1, so the weights in a row of $W$ add up to at most $K$, and those in a row of
# $W^L$ to at most $K^L$. Two things follow.
#
# - No entry of $Z$ exceeds $\kappa = \frac{z}{1 - zK}$ (*kappa*). An entry of $W^L$ is at most $K^{L-1}$, as its last
#   step weighs at most 1, and $z + z^2 K + z^3 K^2 + \dots = \kappa$.
# - What is missing after $L$ steps is a walk of $L$ steps and then any other: $Z - S_L = (zW)^L Z$. A row of $(zW)^L$
#   adds up to at most $(zK)^L$, so no missing entry exceeds $(zK)^L \kappa$. Each step multiplies this by $zK$.
#
# $(zK)^L \kappa$ is a **bound**: it holds for every graph with this $K$, before we have seen it. The rate at which
# *this* graph closes in is usually better. It is $z \rho(W)$, where $\rho(W)$, the **spectral radius**, is the
# largest absolute value of an eigenvalue of $W$. For high powers $W^L$ grows like $\rho(W)^L$.

# %%
ax = plot_series(W, z, K)
show_with_alt(
    ax,
    "Distance of the partial sum from the closed form over the longest walk counted, on a log axis: dots fall "
    "along a straight line, below the dashed bound.",
)

# %% [markdown]
# The dashed line is the bound. The dots are measured. They lie along the continuous line, which falls by
# $z \rho(W)$ a step, and they end where a computer's numbers end, near $10^{-16}$.
#
# **What we saw.** The distance never exceeds the bound. Its own rate is 0.40 a step, while the bound allows 0.50.

# %%
distance = partial_sum_distance(W, z, longest=30)
steps = np.arange(31)
claim("The distance never exceeds the bound.", (distance <= (z * K) ** steps * mp.kappa(z, K)).all())
claim("The rate is 0.40 a step, and the bound allows 0.50.", round(z * spectral_radius(W), 2) == 0.40, z * K == 0.50)
claim(
    "The distance falls by z times the spectral radius a step.",
    np.isclose(distance[20] / distance[19], z * spectral_radius(W), rtol=1e-3),
)
claim("The library's Z is the closed form.", np.allclose(mp.regularized_path_similarity(W, z), closed))

# %% [markdown]
# Choose two particles and move $L$. On the left, the walks of exactly $L$ steps from $i$ to $j$ are lit. An edge is
# wide where much of their sum comes over it, and the steps of the strongest walk are numbered. On the right, the dots
# are $S_L(i, j)$, all walks of up to $L$ steps, damped. The bars say how much may still be missing at most, by the
# bound $(zK)^L \kappa$; the dashed line is the entry of the closed form.
#
# Go from 3 to 1, step by step. Then from 1 to 3. Then ask for particle 4.

# %%
walk_explorer(position, W, z, K, start=3, end=1, length=3).show()

# %% [markdown]
# If you read this where nothing can be moved, here is the other end of the slider: $L = 8$.

# %%
fig, axes = plt.subplots(1, 2, figsize=(14, 4.6), width_ratios=(3, 2), layout="compressed")
plot_walks(position, W, 3, 1, 8, axes[0])
axes[0].set_title(f"the {len(walks_between(G, 3, 1, 8))} walks of 8 steps from 3 to 1", fontsize=17)
ax = plot_partial_sums(W, z, K, 3, 1, 8, axes[1])
show_with_alt(
    fig,
    "Left: the small graph with all walks of 8 steps from particle 3 to particle 1 lit. Right: the walks added"
    " up to L steps rise to the closed form, a dashed line, and from five steps on lie on it; bars of what may"
    " be missing shrink with each step.",
)

# %% [markdown]
# **What we saw.** Walks go and return: most of the similarity of 3 to 1 comes from the single step between them, and
# the rest from detours that pass 1, leave, and come back. From 1 to 3 there is no walk of any length, because nobody
# looks at 3: $Z$ is not symmetric. No walk begins or ends at 4. Long walks are many, but each step costs $z$: the 86
# walks of 8 steps from 0 back to 0 have products that add up to 11.2, and damped they add 0.0002 to $Z_{00}$.

# %%
claim("Most of the similarity of 3 to 1 comes from the single step.", z * W[3, 1] > 0.8 * closed[3, 1])
claim(
    "The rest comes from detours that pass 1 and come back.",
    all(walk.count(1) > 1 for L in range(2, 9) for walk in walks_between(G, 3, 1, L)),
)
claim("From 1 to 3 there is no walk of any length.", not nx.has_path(G, 1, 3), np.isclose(closed[1, 3], 0))
claim("No walk begins or ends at 4.", not closed[4].any(), not closed[:, 4].any())
loops = walks_between(G, 0, 0, 8)
of_loops = sum(product(G, walk) for walk in loops)
claim(
    "The 86 walks of 8 steps from 0 back to 0 add up to 11.2, and damped to 0.0002.",
    len(loops) == 86,
    round(of_loops, 1) == 11.2,
    round(z**8 * of_loops, 4) == 0.0002,
)

# %% [markdown]
# ## 4. What happens past $1/K$?
#
# The argument above needs $zK < 1$, that is $z < 1/K$. The library insists on it, to be safe with every crowd.

# %% tags=["nbval-check-output"]
try:
    mp.regularized_path_similarity(W, z=0.58)
except ValueError as error:
    print(error)

# %% [markdown]
# Move $z$ and watch two things. On the left, does the partial sum still close in? On the right, where are the
# eigenvalues of $zW$? They are those of $W$, stretched by $z$. The sum converges exactly as long as all of them lie
# **inside** the circle of radius 1, which means $z \rho(W) < 1$: only then do the powers $(zW)^L$ die out.

# %%
explorer = series_explorer(W, K)
explorer.show()

# %% [markdown]
# If you read this where nothing can be moved, here are three positions of the slider.

# %%
fig, axes = plt.subplots(1, 3, figsize=(14, 4.6), sharey=True, layout="compressed")
for ax, some_z, name in zip(axes, (0.25, 0.58, 0.75), ("z < 1/K", "1/K < z < 1/ρ(W)", "z > 1/ρ(W)"), strict=True):
    plot_series(W, some_z, K, ax)
    ax.set_title(f"z = {some_z}:  {name}", fontsize=14)
for ax in axes[1:]:
    ax.set_ylabel("")
show_with_alt(
    fig,
    "Distance from the closed form over the longest walk for three values of z. Below 1/K it falls fast, under"
    " the bound; between 1/K and 1/rho it falls slowly, and there is no bound; above 1/rho it grows.",
)

# %% [markdown]
# **What we saw.** Here $1/K = 0.5$, but the sum survives until $1/\rho(W) = 0.63$. Between the two the bound says
# nothing, and yet these five are safe, because they do not agree perfectly. So why does the library stop at $1/K$?
# Because a crowd in perfect agreement has $\rho(W) = K$ exactly (the vector of ones is an eigenvector: every row adds
# up to $K$), and a method should not fail the moment a crowd marches in step.
#
# Past $1/\rho(W)$ there is a trap: the formula of Eq. 4 still answers, without any error. But the answer has
# negative entries, and a sum of walks cannot be negative. The inverse exists; the sum does not.

# %%
rho = spectral_radius(W)
claim("The sum survives until z = 0.63.", round(1 / rho, 2) == 0.63)
between, beyond = partial_sum_distance(W, 0.58), partial_sum_distance(W, 0.75)
claim("Between 1/K and 1/ρ the sum still closes in.", 1 / K < 0.58 < 1 / rho, between[40] < between[20] < between[0])
claim("Past 1/ρ it runs away.", 1 / rho < 0.75, beyond[40] > beyond[20] > beyond[0])
in_step = mp.crowd_graph(position, np.ones((5, 2)), k=K)
claim("A crowd in perfect agreement has a spectral radius of K.", np.isclose(spectral_radius(in_step), K))
wrong = np.linalg.inv(np.eye(5) - 0.75 * W.toarray()) - np.eye(5)
claim("Past 1/ρ the formula answers with negative entries.", wrong.min() < 0)

# %% [markdown]
# ## 5. What does a real crowd's graph look like?
#
# Well, nearly real: a bundled clip, drawn by the computer, of people who cross a junction from two sides. `mp.track`
# finds particles in one frame of it, as in notebook 01. From here on $K = 20$, as in the paper.

# %%
video = mp.read_video(mp.sample_path("crossing"))
particles = next(p for p in mp.track(video) if p.frame == 40)
_, frame = next(video.frames([particles.frame]))
crowd_K = 20
crowd_W = mp.crowd_graph(particles.position, particles.velocity, k=crowd_K)
crowd_z = 1 / (2 * crowd_K)
print(f"{len(particles)} particles, {crowd_W.nnz} neighbours looked at, {np.count_nonzero(crowd_W.data)} edges above 0")

# %%
fig, axes = plt.subplots(1, 2, figsize=(14, 5.2), layout="compressed")
plot_particles(frame, particles, ax=axes[0])
axes[0].set_title("where they will be in 10 frames", fontsize=17)
ax = plot_graph(frame, particles.position, crowd_W, axes[1])
show_with_alt(
    fig,
    "Left: a rendered street crossing with its particles and lines to where they will be in 10 frames. Right: "
    "the crowd graph on the same frame: dense bundles of links within groups, few between them.",
)

# %% [markdown]
# Left: the particles. Right: their graph. Lines are drawn only where people agree. Where two streams meet, the lines
# do not join them: the neighbours are there, but their weights are small or 0. And some lines are long. A
# particle without 20 others close by looks far, from the car at the top left down to the people on the crossing. The
# graph knows neighbours, not distances.
#
# Follow one particle (the star). Its walks of one step end at its neighbours. With two and more steps they spread
# through everyone who moves along, each step at most $zK = \frac12$ as strong as the one before. The scale runs in
# powers of ten.

# %%
reach = np.array([(walk_similarity(crowd_W, crowd_z, i, 12) > 0).sum() for i in range(len(particles))])
on_the_road = particles.position[:, 1] > 90
start = int(np.where(on_the_road, reach, 0).argmax())
fig, axes = plt.subplots(1, 2, figsize=(14, 5), layout="compressed")
for ax, L in zip(axes, (1, 12), strict=True):
    similarity = walk_similarity(crowd_W, crowd_z, start, L)
    plot_reach(frame, particles.position, similarity / mp.kappa(crowd_z, crowd_K), start, ax)
    ax.set_title(f"up to L = {L} step{'s'[: L > 1]}: {(similarity > 0).sum()} reached", fontsize=17)
show_with_alt(
    fig,
    "The particles that one particle, a star, reaches, coloured by similarity. With one step 15 of its "
    "neighbours; with twelve steps 119, the less similar the farther.",
)

# %%
reach_explorer(frame, particles.position, crowd_W, crowd_z, crowd_K, start).show()

# %%
ax = plot_series(crowd_W, crowd_z, crowd_K)
show_with_alt(
    ax,
    "The same distance for the crowd of the crossing, on a log axis: dots fall along a straight line, below "
    "the dashed bound.",
)

# %% [markdown]
# **What we saw.** On a crowd graph, too, the partial sums keep below the bound $(zK)^L \kappa$, and their own rate is
# a little better, because people do not agree perfectly: $\rho(W)$ is below $K = 20$. Twelve steps reach far more
# particles than one. But most of the similarity comes from the first few steps.

# %%
Z = mp.regularized_path_similarity(crowd_W)
crowd_distance = partial_sum_distance(crowd_W, crowd_z, longest=20)
bound = (crowd_z * crowd_K) ** np.arange(21) * mp.kappa(crowd_z, crowd_K)
claim("The partial sums keep below the bound.", (crowd_distance <= bound + 1e-15).all())
claim("People do not agree perfectly.", spectral_radius(crowd_W) < crowd_K)
one, three, twelve = (walk_similarity(crowd_W, crowd_z, start, L) for L in (1, 3, 12))
edges = crowd_W.tocoo()
length = np.linalg.norm(particles.position[edges.row] - particles.position[edges.col], axis=1)
claim("Some lines between people who agree are long.", length[edges.data > 0.9].max() > 60)  # px
claim("Twelve steps reach more than twice as many particles as one.", (twelve > 0).sum() > 2 * (one > 0).sum())
claim("Most of the similarity comes from the first three steps.", three.sum() > 0.8 * Z[start].sum())

# %% [markdown]
# ## 6. How much does one particle move with the crowd, and who needs an inverse?
#
# Add up row $i$ of $Z$: the similarity of $i$ to everybody, over all walks. The paper calls it the collectiveness
# $\phi$ of the particle (Eq. 5; the next notebook is about it).
#
# $$ \phi_i = \sum_j Z_{ij}, \qquad \text{or} \qquad \phi = Z \mathbf{1}, $$
#
# where $\mathbf{1}$ is the vector of ones. Sociologists have known this sum since 1953: it is **Katz centrality**,
# and networkx computes it. Two conventions differ, and each is worth a look.
#
# - *Direction.* Katz asked how many walks **arrive** at a node. We count walks that **leave** it. So we give networkx
#   the graph with all its edges turned round.
# - *The walk of no step.* With the edges turned round, networkx solves $x = \alpha W x + \beta$. With $\alpha = z$
#   and $\beta = 1$ the solution is $x = (I - zW)^{-1} \mathbf{1} = \mathbf{1} + \phi$: the 1 is the walk of length 0,
#   from each node to itself.

# %% tags=["nbval-check-output"]
katz = nx.katz_centrality(G.reverse(), alpha=z, beta=1.0, normalized=False, weight="weight", tol=1e-12)
print("networkx, minus 1   ", np.array([katz[i] - 1 for i in range(5)]).round(4))
print("row sums of Z       ", closed.sum(axis=1).round(4))
print("mp.collectiveness   ", mp.collectiveness(W, z).round(4))
not_turned = nx.katz_centrality(G, alpha=z, beta=1.0, normalized=False, weight="weight", tol=1e-12)
print("edges not turned    ", np.array([not_turned[i] - 1 for i in range(5)]).round(4), "<- another question")

# %% [markdown]
# Three ways, one answer; and the last line shows what goes wrong with the edges the other way: nobody who looks at
# particle 3 moves with it, so it would count nothing, although it moves with the others.
#
# **No inverse is needed.** Read $\phi = zW\mathbf{1} + (zW)^2\mathbf{1} + \dots$ from the right: start with the
# vector of ones, multiply by the sparse matrix $zW$, add, repeat. Each round costs $N K$ multiplications. After 45
# rounds, at $zK = \frac12$, what is left is below $2^{-45}$, some $10^{-14}$. A dense inverse would cost about $N^3$.

# %%
rng = np.random.default_rng(0)
N = 30_000
many_W = mp.crowd_graph(rng.uniform(0, 3000, (N, 2)), rng.normal(size=(N, 2)) + np.array([1.0, 0.0]), k=20)
begin = perf_counter()
term, phi = np.ones(N), np.zeros(N)
for _ in range(45):
    term = (many_W @ term) / 40
    phi += term
seconds = perf_counter() - begin
claim("45 products give the library's collectiveness.", np.allclose(phi, mp.collectiveness(many_W)))
print(
    f"{N:,} particles: {seconds:.2f} s for 45 products. As a dense array, Z alone would take {8 * N**2 / 1e9:.1f} GB."
)

# %% [markdown]
# **What we saw.** networkx, the dense inverse and the library agree to the last digit printed, and a crowd whose $Z$
# would fill 7.2 GB is a matter of 45 sparse products.

# %%
claim(
    "Katz centrality, the row sums of Z and the library agree.",
    np.allclose([katz[i] - 1 for i in range(5)], mp.collectiveness(W, z), atol=1e-10),
    np.allclose(closed.sum(axis=1), mp.collectiveness(W, z)),
)
claim(
    "With the edges the other way particle 3 would count nothing, although it moves with others.",
    np.isclose(not_turned[3] - 1, 0),
    mp.collectiveness(W, z)[3] > 0.3,
)
claim("The dense Z of this crowd would fill 7.2 GB.", round(8 * N**2 / 1e9, 1) == 7.2)

# %% [markdown]
# ## 7. Can we decide who belongs together without $Z$? (bonus)
#
# The next notebook groups particles: $i$ and $j$ are *linked* where $Z_{ij} > 0.6\,\kappa$ (or $Z_{ji}$), and a crowd
# is everyone connected by links. This time we ask for single entries of $Z$, not for sums. Do we need the inverse
# now?
#
# No. We do not need the *value* of an entry, only whether it is above $t = 0.6\,\kappa$. Write $A = zW$, and let
# $S_m = A + A^2 + \dots + A^m$ be the partial sum. What is missing is
#
# $$ Z - S_m = A^{m+1} + A^{m+2} + \dots = A^m Z. $$
#
# All entries are at least 0, so $S_m$ alone can already prove a link. And the missing part is bounded in two ways:
#
# 1. By $(zK)^m \kappa$, as in section 3. Take $m = 1$ and $z = 1/(2K)$. Where $W$ has no edge, $S_1$ is 0 and the
#    missing part is at most $\frac12 \kappa$. That is below $0.6\,\kappa$. **So every link is an edge of $W$**, and
#    there are only $N K$ candidates instead of $N^2$.
# 2. By $(A^m Z)_{ij} = \sum_k (A^m)_{ik} Z_{kj} \le \max_k (A^m)_{ik} \cdot \psi_j$, where $\psi_j = \sum_k Z_{kj}$
#    is the column sum. Column sums are as cheap as row sums.
#
# So after $m$ steps each candidate is **certain** ($S_m$ is above $t$), **impossible** ($S_m$ plus the bound is not),
# or **open**. Take another step until nothing is open. This is a certificate: every decision is proved, none is
# rounded. Here it is by hand, dense for once, on the crowd of section 5.

# %%
A = crowd_z * crowd_W.toarray()
t = 0.6 * mp.kappa(crowd_z, crowd_K)
psi = np.zeros(len(A))
for _ in range(60):
    psi = (1 + psi) @ A  # column sums of A + A**2 + ...

candidate = A > 0
power, S, history = np.eye(len(A)), np.zeros_like(A), []
while not history or history[-1][3]:
    power = power @ A
    S = S + power
    rest = power.max(axis=1)[:, None] * psi[None, :]
    certain = candidate & (t < S)
    impossible = candidate & (S + rest <= t)
    still_open = candidate & ~certain & ~impossible
    history.append((len(history) + 1, certain.sum(), impossible.sum(), still_open.sum()))

print("steps   certain   impossible   open")
for row in history:
    print("{:5d} {:9d} {:12d} {:6d}".format(*row))

# %% [markdown]
# The links that are certain at the end are those of the dense inverse, all of them and no others.
#
# `mp.collective_merging` does the same with sparse matrices, and it saves more: it follows only rows that still have
# an open link, and it drops an open link whose two ends are already connected in another way. Let us race it against
# the definition, written with the inverse.


# %%
def merge_with_the_inverse(W, z, k, min_size=10):
    """The definition: links, components, and 0 for those in small ones."""
    Z = np.linalg.inv(np.eye(W.shape[0]) - z * W.toarray()) - np.eye(W.shape[0])
    component = connected_components(0.6 * mp.kappa(z, k) < Z, directed=False)[1]
    return np.where(np.bincount(component)[component] >= min_size, component + 1, 0)


def same_groups(one, other):
    """Whether two labellings make the same groups, whatever their numbers, and have the same outliers."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    matched = len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    return matched and bool(((one == 0) == (other == 0)).all())


def stopwatch(job, repeats=3):
    """What the job returns, and the seconds it took: the median of a few runs."""
    taken = []
    for _ in range(repeats):
        begin = perf_counter()
        result = job()
        taken.append(perf_counter() - begin)
    return result, float(np.median(taken))


N, groups = 1500, 12
group = rng.integers(0, groups, N)
places = rng.uniform(0, 800, (groups, 2))[group] + 60 * rng.normal(size=(N, 2))
angle = rng.uniform(0, 2 * np.pi, groups)[group] + 0.3 * rng.normal(size=N)
race_W = mp.crowd_graph(places, np.stack([np.cos(angle), np.sin(angle)], axis=1), k=20)

fast, fast_seconds = stopwatch(lambda: mp.collective_merging(race_W))
slow, slow_seconds = stopwatch(lambda: merge_with_the_inverse(race_W, 1 / 40, 20))
print(f"{N} particles, {fast.max()} crowds, {(fast == 0).sum()} outliers; the same labels: {same_groups(fast, slow)}")
print(f"with the inverse   {slow_seconds:.3f} s")
print(f"certificate        {fast_seconds:.3f} s")
print(f"ratio              {slow_seconds / fast_seconds:.0f}, on this machine, now")

# %% [markdown]
# The ratio is what your machine measured just now; it grows with the number of particles, because the inverse takes
# $N^3$ steps and the certificate about $N$.
#
# **What we saw.** Every link lies on an edge of $W$. The certificate settles every candidate after a few steps, it
# finds the very links of the inverse, and the library's groups are those of the definition.

# %%
claim(
    "Every link lies on an edge of W; off the edges Z is at most half of κ.",
    ((t < Z) <= (crowd_W.toarray() > 0)).all(),
    Z[crowd_W.toarray() == 0].max() <= mp.kappa(crowd_z, crowd_K) / 2,
)
claim(
    "The certificate settles every candidate and finds the very links of the inverse.",
    history[-1][3] == 0,
    (certain == (t < Z)).all(),
)
claim(
    "The library's groups are those of the definition.",
    same_groups(mp.collective_merging(crowd_W), merge_with_the_inverse(crowd_W, crowd_z, crowd_K)),
    same_groups(fast, slow),
)

# %% [markdown]
# ## Exercises
#
# Each has a place to write, and a check that tells you what is still missing.
#
# ### Exercise 1: from here to there
#
# Write `walk_sum(graph, start, end, length)`: the products of all walks of `length` steps from `start` to `end`,
# added up. Use `walks` and `product` from section 2, and no matrix.


# %%
def walk_sum(graph, start, end, length):
    return None  # your code in place of None


# %%
mp.check("02.1", walk_sum)

# %% [markdown]
# #### Solution of exercise 1


# %%
### BEGIN SOLUTION
def walk_sum(graph, start, end, length):
    return sum(product(graph, walk) for walk in walks(graph, start, length) if walk[-1] == end)


mp.check("02.1", walk_sum)
### END SOLUTION

# %% [markdown]
# ### Exercise 2: how many steps are enough?
#
# Write `steps_needed(z, k, share)`: the smallest $L$ for which the bound of section 3 **guarantees** that no entry of
# the partial sum $S_L$ is off by more than `share` times $\kappa$, whatever the crowd. It is a count: return an `int`.


# %%
def steps_needed(z, k, share):
    return None  # your code in place of None


# %%
mp.check("02.2", steps_needed)

# %% [markdown]
# #### Solution of exercise 2
#
# $(zK)^L \kappa \le \text{share} \cdot \kappa$ where $L \ge \log(\text{share}) / \log(zK)$. (Both logarithms are
# negative, which turns the sign round.) At the default $z$ a millionth takes 20 steps.


# %%
### BEGIN SOLUTION
def steps_needed(z, k, share):
    return int(np.ceil(np.log(share) / np.log(z * k) - 1e-9))


mp.check("02.2", steps_needed)
### END SOLUTION

# %% [markdown]
# ### Exercise 3: who is looked at? (bonus)
#
# $\phi$ adds up rows of $Z$: walks that leave. Write `looked_at(W, z)`: the column sums of $Z$, walks that arrive,
# for each particle, without an inverse and without turning $W$ dense. (They are the $\psi$ of section 7.)


# %%
def looked_at(W, z):
    return None  # your code in place of None


# %%
mp.check("02.3", looked_at)

# %% [markdown]
# #### Solution of exercise 3 (bonus)


# %%
### BEGIN SOLUTION
def looked_at(W, z, rounds=45):
    term, total = np.ones(W.shape[0]), np.zeros(W.shape[0])
    for _ in range(rounds):
        term = z * (term @ W)
        total += term
    return total


mp.check("02.3", looked_at)
### END SOLUTION

# %% [markdown]
# ## Recap
#
# - The crowd graph $W$ (Eq. 1) joins each particle to its $K$ nearest neighbours; an edge weighs as much as they
#   agree.
# - Powers of $W$ add up walks (Eq. 2). Walks may come back; simple paths may not.
# - $Z = (I - zW)^{-1} - I$ adds up all walks, damped by $z$ a step (Eq. 3, 4). It is safe below $z = 1/K$, and
#   diverges from $1/\rho(W)$ on, where the formula still answers and is wrong.
# - Row sums of $Z$ are Katz centrality: a few dozen sparse products, no inverse.
# - Links $Z_{ij} > 0.6\,\kappa$ can be decided exactly without $Z$: at $z = 1/(2K)$ they lie on the graph, and
#   partial sums with a bound on the rest settle each of them.
#
# Next: [03 Collectiveness](03_collectiveness.ipynb), what $\phi$ and the links are good for.
#
# ## Further reading
#
# - B. Zhou, X. Tang, X. Wang: *Measuring Crowd Collectiveness*, CVPR 2013; extended with H. Zhang, IEEE TPAMI 36(8),
#   2014. Where Eq. 1 to 5 come from.
# - L. Katz: *A new status index derived from sociometric analysis*, Psychometrika 18, 1953.
# - J. Yang, H. Yang: *MPASNET: Motion Prior-Aware Siamese Network for Unsupervised Deep Crowd Segmentation in Video
#   Scenes*, ICIP 2021, [arXiv:2101.08609](https://arxiv.org/abs/2101.08609). *The paper*.
# - A. Hagberg, D. Schult, P. Swart: *Exploring network structure, dynamics, and function using NetworkX*, SciPy 2008.
