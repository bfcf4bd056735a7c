from .batch import pseudo_label_many as pseudo_label_many
from .circles import circular_region_merging as circular_region_merging
from .frames import label_frames as label_frames
from .pseudolabel import pseudo_label as pseudo_label
from .refine import Refinement as Refinement
from .refine import estimate_background as estimate_background
from .refine import refine_clip as refine_clip
from .settings import LabelSettings as LabelSettings
