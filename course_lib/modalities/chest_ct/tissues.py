"""From tissues to what a scanner's rays meet: how dense each tissue is, in a usual patient and at random."""

from collections.abc import Mapping

import numpy as np

from course_lib.modalities.chest_ct.acquisition import Materials
from course_lib.modalities.simulated_chest.solid import Solid, Tissue

#: Usual Hounsfield units, and the spread among patients, set by hand near those of any textbook of radiology, for
#: example J. T. Bushberg et al., The Essential Physics of Medical Imaging, 3rd ed., 2012, chapter 10. The lung is that
#: after a full breath, which holds more air than the 0.26 g/cm3 of the film's lung.
USUAL: Mapping[Tissue, tuple[float, float]] = {
    Tissue.AIR: (-1000.0, 0.0),
    Tissue.SKIN: (40.0, 10.0),
    Tissue.FAT: (-100.0, 8.0),
    Tissue.MUSCLE: (55.0, 8.0),
    Tissue.LUNG: (-870.0, 25.0),
    Tissue.BLOOD: (45.0, 5.0),
    Tissue.VESSEL: (45.0, 5.0),
    Tissue.AIRWAY: (-1000.0, 0.0),
    Tissue.SPONGY_BONE: (-20.0, 20.0),  # its marrow: what is hard takes the place of a part of it
    Tissue.CORTICAL_BONE: (0.0, 0.0),  # nothing of this is left, all of it is hard
    Tissue.LIVER: (58.0, 6.0),
    Tissue.SPLEEN: (48.0, 5.0),
    Tissue.GAS: (-1000.0, 0.0),
    Tissue.NODULE: (35.0, 15.0),
}
IODINE_HU = (80.0, 200.0)  #: that a contrast agent adds to blood, from and to; set by hand
RANDOM_HU = (-1000.0, 300.0)  #: of a tissue whose density is drawn at random, from and to

Densities = Mapping[Tissue, float]  #: relative to water: 1 + HU / 1000


def draw_densities(rng: np.random.Generator, *, contrast: bool, randomise: float) -> Densities:
    """The density of each tissue in one patient, relative to water.

    ``randomise`` goes from 0 (as the physics says) to 1: then each tissue has any density, but for air and the hard
    part of bone.

    Source of the second: B. Billot et al., SynthSeg, Medical Image Analysis 86:102789, 2023.
    """
    iodine = rng.uniform(*IODINE_HU) * contrast
    densities = {}
    for tissue, (usual, spread) in USUAL.items():
        hounsfield = usual + spread * rng.normal() + iodine * (tissue in (Tissue.BLOOD, Tissue.VESSEL))
        anything = rng.uniform(*RANDOM_HU)
        if spread:
            hounsfield += randomise * (anything - hounsfield)
        densities[tissue] = max(0.0, 1 + hounsfield / 1000)
    return densities


def materials_of(solid: Solid, densities: Densities) -> Materials:
    """What the rays meet in every voxel: so much water, and so much of the hard part of bone, which displaces water."""
    water = sum(densities[tissue] * part for tissue, part in solid.fractions.items() if densities[tissue]) - solid.bone
    return Materials(np.maximum(water, 0).astype(np.float32), solid.bone, np.zeros_like(solid.bone))
