from .klt import Particles as Particles
from .klt import track as track
from .tracklets import Tracklet as Tracklet
from .tracklets import particles_of_tracklets as particles_of_tracklets
from .tracklets import read_tracklets as read_tracklets
from .vicsek import at_steps as at_steps
from .vicsek import order as order
from .vicsek import self_driven_particles as self_driven_particles
