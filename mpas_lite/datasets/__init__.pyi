from .change_detection import cdnet as cdnet
from .crowd_databases import collective_motion as collective_motion
from .crowd_databases import cuhk_crowd as cuhk_crowd
from .crowd_databases import paper_scenes as paper_scenes
from .downloads import download as download
from .video_folders import video_folder as video_folder
