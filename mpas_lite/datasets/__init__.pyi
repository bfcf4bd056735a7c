from .downloads import download as download
from .public import Clip as Clip
from .public import cdnet as cdnet
from .public import collective_motion as collective_motion
from .public import cuhk_crowd as cuhk_crowd
from .public import paper_scenes as paper_scenes
from .public import video_folder as video_folder
