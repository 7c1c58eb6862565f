"""The chest of a person who does not exist, as film and CT see it: healthy anatomy that varies, and disease.

In reading order: `people` (who it is), `geometry` (how far a ray runs inside simple bodies), `landmarks` (where things
lie in the chest), `organs`, `bones` and `anatomy` (the healthy body along the rays of a film), `silhouette` (an adult's
heart as films show it), and `disease` (what pneumonia puts into the lungs, and fluid and air around them). The same in
three dimensions, for CT: `volume` (boxes of voxels), `middle` (between which surfaces a ray runs inside what),
`skeleton`, `lung_tree`, `nodules` (which films show too), and `solid` (all of it but what lies around the lungs). At
last, for films: `distractors` (what readers take for nodules) and `findings` (people with any of them).
"""

from course_lib.modalities.simulated_chest.people import Kind, Nodule, Patient, draw_patient

__all__ = ["Kind", "Nodule", "Patient", "draw_patient"]
