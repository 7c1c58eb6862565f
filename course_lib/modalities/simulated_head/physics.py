"""What each tissue answers to a pulse sequence: relaxation times, and the signal equations of MRI.

Source of the equations: M. A. Bernstein, K. F. King, X. J. Zhou, Handbook of MRI Pulse Sequences, Elsevier 2004.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np


class Tissue(IntEnum):
    """What a voxel may hold; the values of `Scan.tissues`."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    BONE = 4
    MARROW = 5
    CSF = 6
    GREY = 7
    WHITE = 8
    DEEP_GREY = 9
    HIPPOCAMPUS = 10
    DURA = 11
    VESSEL = 12
    PITUITARY = 13
    VITREOUS = 14
    OEDEMA = 15
    NECROSIS = 16
    GLIOMA = 17
    MENINGIOMA = 18
    ADENOMA = 19


@dataclass(frozen=True)
class Relaxation:
    """What decides a tissue's signal, at 1.5 T."""

    t1_ms: float
    t2_ms: float
    proton_density: float  #: of water = 1
    uptake_mmol_l: float = 0.0  #: contrast agent in it some minutes after 0.1 mmol/kg
    texture: float = 0.03  #: how much its signal varies from place to place, standard deviation over mean
    t1_grows: bool = True  #: with the field; fat's hardly does


#: BrainWeb gives fat, muscle and skin, CSF, grey and white matter. Its bone has no signal; ours has a little. The
#: others are set between these by how they look beside grey matter: in T1 deep grey a little brighter, tumours darker;
#: in T2 tumours brighter.
#: Source: C. A. Cocosco et al., BrainWeb, NeuroImage 5(4):S425, 1997 (its tissue_mr_parameters.txt).
TISSUES: dict[Tissue, Relaxation] = {
    Tissue.AIR: Relaxation(1000, 50, 0, texture=0),
    Tissue.SKIN: Relaxation(700, 47, 0.9, 0.15, 0.1),
    Tissue.FAT: Relaxation(350, 70, 1.0, 0, 0.1, t1_grows=False),
    Tissue.MUSCLE: Relaxation(900, 47, 1.0, 0.1, 0.1),
    Tissue.BONE: Relaxation(900, 5, 0.06, 0, 0.1),
    Tissue.MARROW: Relaxation(450, 60, 0.6, 0.05, 0.15),
    Tissue.CSF: Relaxation(2569, 329, 1.0, 0, 0.01),
    Tissue.GREY: Relaxation(833, 83, 0.86, 0.02, 0.04),
    Tissue.WHITE: Relaxation(500, 70, 0.77, 0.01, 0.03),
    Tissue.DEEP_GREY: Relaxation(740, 76, 0.84, 0.02, 0.04),
    Tissue.HIPPOCAMPUS: Relaxation(815, 85, 0.86, 0.02, 0.07),
    Tissue.DURA: Relaxation(800, 40, 0.7, 0.2, 0.05),
    Tissue.VESSEL: Relaxation(1300, 25, 0.9, 0.7, 0.05),
    Tissue.PITUITARY: Relaxation(700, 80, 0.86, 0.4, 0.05),
    Tissue.VITREOUS: Relaxation(2400, 400, 1.0, 0, 0.01),
    Tissue.OEDEMA: Relaxation(1050, 130, 0.9, 0.01, 0.05),
    Tissue.NECROSIS: Relaxation(1900, 220, 0.95, 0.01, 0.06),
    Tissue.GLIOMA: Relaxation(1150, 115, 0.9, 0.3, 0.12),
    Tissue.MENINGIOMA: Relaxation(900, 90, 0.87, 0.35, 0.04),
    Tissue.ADENOMA: Relaxation(900, 95, 0.87, 0.3, 0.06),
}
#: r1 of gadobutrol in plasma at 37 °C, L/(mmol s), by field strength, T.
#: Source: P. Szomolanyi et al., Invest Radiol 54:559, 2019.
RELAXIVITY = {1.5: 4.78, 3.0: 4.97}
#: T1 over that at 1.5 T. White matter comes to 800 ms at 3 T; published values reach from 699 to 1735 ms.
#: Source: J. Z. Bojorquez et al., Magn Reson Imaging 35:69, 2017.
T1_GROWS = {1.5: 1.0, 3.0: 1.6}


def spoiled_gradient_echo(t1_ms: float, proton_density: float, tr_ms: float, flip_degrees: float) -> float:
    """PD sin(a) (1 - E1) / (1 - E1 cos a), E1 = exp(-TR/T1): bright where T1 is short. T2* is left out (short TE)."""
    e1, angle = np.exp(-tr_ms / t1_ms), np.deg2rad(flip_degrees)
    return float(proton_density * np.sin(angle) * (1 - e1) / (1 - e1 * np.cos(angle)))


def spin_echo(t1_ms: float, t2_ms: float, proton_density: float, tr_ms: float, te_ms: float) -> float:
    """PD (1 - exp(-TR/T1)) exp(-TE/T2): with long TR and TE bright where T2 is long."""
    return float(proton_density * (1 - np.exp(-tr_ms / t1_ms)) * np.exp(-te_ms / t2_ms))


def flair(t1_ms: float, t2_ms: float, proton_density: float, tr_ms: float, te_ms: float, ti_ms: float) -> float:
    """PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2): a spin echo in which CSF, crossing 0 at TI, is dark."""
    recovered = abs(1 - 2 * np.exp(-ti_ms / t1_ms) + np.exp(-tr_ms / t1_ms))
    return float(proton_density * recovered * np.exp(-te_ms / t2_ms))


def csf_null_ms(tr_ms: float, field_t: float) -> float:
    """The inversion time at which CSF has no signal, ms: where 1 - 2 exp(-TI/T1) + exp(-TR/T1) is 0."""
    t1_ms = TISSUES[Tissue.CSF].t1_ms * T1_GROWS[field_t]
    return float(t1_ms * np.log(2 / (1 + np.exp(-tr_ms / t1_ms))))


def mprage(t1_ms: float, proton_density: float, tr_ms: float, ti_ms: float) -> float:
    """PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)|: an inversion before a fast gradient echo, strong contrast by T1.

    What the many small pulses of the read-out do to the magnetisation is left out.
    Source: J. P. Mugler, J. R. Brookeman, Magn Reson Med 15:152, 1990.
    """
    return float(proton_density * abs(1 - 2 * np.exp(-ti_ms / t1_ms) + np.exp(-tr_ms / t1_ms)))


def add_contrast_agent(t1_ms: float, concentration: float, relaxivity: float) -> float:
    """T1 in ms with so many mmol/l of contrast agent: 1/T1' = 1/T1 + r1 C, with r1 in L/(mmol s): see `RELAXIVITY`."""
    return float(1000 / (1000 / t1_ms + relaxivity * concentration))


def relaxation(tissue: Tissue, field_t: float, agent: float = 0.0) -> Relaxation:
    """What decides a tissue's signal at a field strength in tesla, with ``agent`` times the usual contrast agent in it.

    The agent shortens T1; that it shortens T2 a little too is left out.
    """
    facts = TISSUES[tissue]
    t1_ms = facts.t1_ms * (T1_GROWS[field_t] if facts.t1_grows else 1)
    if agent:
        t1_ms = add_contrast_agent(t1_ms, facts.uptake_mmol_l * agent, RELAXIVITY[field_t])
    return replace(facts, t1_ms=t1_ms)
