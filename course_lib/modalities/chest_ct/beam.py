"""The beam of a CT scanner: its energies, how water, bone and metal weaken them, and Hounsfield units.

Sources: NIST, X-Ray Mass Attenuation Coefficients (SRD 126) for the coefficients; J. T. Bushberg et al., The Essential
Physics of Medical Imaging, 3rd ed., 2012, chapters 3 (attenuation) and 10 (CT: Hounsfield units, beam hardening).
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

# Five energies stand for the spectrum of a tungsten tube at 120 kV behind 10 mm of aluminium, whose mean is 64 keV. In
# the model's spectrum, each photon was shared between the two energies nearest to its own, and the shares rounded, by
# hand. Each photon counts one; a real detector adds up energies.
# Source: J. M. Boone, J. A. Seibert, Med Phys 24:1661, 1997 (TASMIP).
ENERGIES = (40.0, 50.0, 60.0, 80.0, 100.0)  #: keV
SPECTRUM = (0.15, 0.18, 0.34, 0.22, 0.11)  #: the share of the photons at each

# NIST's cm2/g at these energies, times the density that NIST gives: 1.00, 1.92 and 4.54 g/cm3.
WATER = tuple(1.00 * m for m in (0.2683, 0.2269, 0.2059, 0.1837, 0.1707))  #: liquid water, 1/cm
BONE = tuple(1.92 * m for m in (0.6655, 0.4242, 0.3148, 0.2229, 0.1855))  #: cortical bone (ICRU-44), 1/cm
METAL = tuple(4.54 * m for m in (2.214, 1.213, 0.7661, 0.4052, 0.2721))  #: titanium, 1/cm

#: Water for the whole beam, before anything has weakened it: the scale of water-corrected projections, 1/cm.
MU_WATER = float(np.dot(SPECTRUM, WATER))

_TABLE_CM = np.linspace(-20, 150, 3401)  #: below 0 for rays in air that counted a few photons too many


def attenuate(water_cm: Values, bone_cm: Values, metal_cm: Values) -> Values:
    """The share of the photons that come through so many cm of each material, 0 to 1: Beer-Lambert at each energy."""
    through = np.zeros(np.shape(water_cm), dtype=np.float32)
    for share, water, bone, metal in zip(SPECTRUM, WATER, BONE, METAL, strict=True):
        exponent = np.float32(-water) * water_cm - np.float32(bone) * bone_cm - np.float32(metal) * metal_cm
        through += np.float32(share) * np.exp(exponent)
    return through


def correct_for_water(attenuation: Values) -> Values:
    """What -ln(photons) would be if water weakened all energies by `MU_WATER`: the water correction of a scanner.

    Water weakens low energies more. So the beam hardens on its way, a long path weakens it less per cm than a short
    one, and the middle of a body would look too dark. A table of water paths undoes that for water; for bone and metal
    some of it remains, and makes dark bands between them.
    """
    through = sum(share * np.exp(-mu * _TABLE_CM) for share, mu in zip(SPECTRUM, WATER, strict=True))
    return np.interp(attenuation, -np.log(through), MU_WATER * _TABLE_CM).astype(np.float32)


def effective_attenuation(material: tuple[float, ...], behind_cm: float = 20.0) -> float:
    """The attenuation that corrected projections show of a thin piece of a material, 1/cm, behind so much water.

    Of water this is `MU_WATER`, whatever lies before it; of bone it falls with the way that the beam has come.
    """
    left = np.array(SPECTRUM) * np.exp(-np.array(WATER) * behind_cm)
    return float(MU_WATER * np.dot(left, material) / np.dot(left, WATER))


def hounsfield(mu: Values, mu_water: float = MU_WATER) -> Values:
    """Hounsfield units of attenuation in 1/cm: 0 for water, -1000 for air, by definition."""
    return np.asarray(1000 * (mu - mu_water) / mu_water, dtype=np.float32)
