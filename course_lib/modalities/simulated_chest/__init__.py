"""The chest of a person who does not exist, as film and CT see it: healthy anatomy that varies, and disease.

In reading order: `people` (who it is), `geometry` (how far a ray runs inside simple bodies), `landmarks` (where things
lie in the chest), `organs`, `bones` and `anatomy` (the healthy body along the rays of a film), and `disease` (what
pneumonia puts into the lungs).
"""

from course_lib.modalities.simulated_chest.people import Kind, Patient, draw_patient

__all__ = ["Kind", "Patient", "draw_patient"]
