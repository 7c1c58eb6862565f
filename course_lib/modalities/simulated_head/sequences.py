"""One slice in any pulse sequence: what each tissue answers, and the picture that a map of tissues then gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from course_lib.modalities.simulated_head.physics import (
    T1_GROWS,
    Tissue,
    flair,
    relaxation,
    spin_echo,
    spoiled_gradient_echo,
)

SequenceName = Literal["spin echo", "spoiled gradient echo", "FLAIR"]
SEQUENCES: tuple[SequenceName, ...] = get_args(SequenceName)
TIMES = {"tr_ms": "TR", "te_ms": "TE", "ti_ms": "TI"}  #: what the field's letters are
USED_TIMES: dict[str, tuple[str, ...]] = {  #: by each sequence; the gradient echo's TE is so short that it is left out
    "spin echo": ("tr_ms", "te_ms"),
    "spoiled gradient echo": ("tr_ms",),
    "FLAIR": ("tr_ms", "te_ms", "ti_ms"),
}
HEADROOM = 1.25  #: of the greys, above the brightest of the `COMPARED` tissues
COMPARED = {  #: the tissues between which a radiologist wants contrast
    Tissue.GLIOMA: "glioma",
    Tissue.MENINGIOMA: "meningioma",
    Tissue.ADENOMA: "pituitary tumour",
    Tissue.CSF: "CSF",
    Tissue.GREY: "grey matter",
    Tissue.WHITE: "white matter",
}


@dataclass(frozen=True)
class PulseSequence:
    """How a scanner is set for one image. Times in ms.

    Raises:
        ValueError: no sequence has that name, a time that it needs is missing, or they do not fit into TR.
    """

    name: SequenceName
    tr_ms: float  #: repetition time
    te_ms: float = 0.0  #: echo time, of a spin echo and of FLAIR
    ti_ms: float = 0.0  #: inversion time, of FLAIR
    agent: bool = False  #: whether the patient was given contrast agent
    flip_degrees: float = 30.0  #: of the spoiled gradient echo
    field_t: float = 1.5  #: strength of the magnet, tesla

    def __post_init__(self) -> None:
        if self.name not in SEQUENCES:
            raise ValueError(f"Expected one of the sequences {', '.join(SEQUENCES)}, but got {self.name!r}.")
        if self.field_t not in T1_GROWS:
            raise ValueError(f"field_t must be one of {tuple(T1_GROWS)} T, but is {self.field_t}.")
        for time in self.used_times:
            if not getattr(self, time) > 0:
                raise ValueError(f"{time} of a {self.name} must be above 0, but is {getattr(self, time)}.")
        others = self.used_times[1:]
        if (waited := sum(getattr(self, time) for time in others)) >= self.tr_ms:
            raise ValueError(
                f"{' + '.join(TIMES[time] for time in others)} of this {self.name} is {waited:,.0f} ms, which does not "
                f"fit into a TR of {self.tr_ms:,.0f} ms. Choose a longer TR."
            )

    @property
    def used_times(self) -> tuple[str, ...]:
        """The fields that hold the times of this sequence; the first is TR."""
        return USED_TIMES[self.name]

    def signal(self, tissue: Tissue) -> float:
        """What a voxel of nothing but this tissue answers; 1 is the most that water can give."""
        facts = relaxation(tissue, self.field_t, float(self.agent))
        t1, t2, density = facts.t1_ms, facts.t2_ms, facts.proton_density
        if self.name == "spin echo":
            return spin_echo(t1, t2, density, self.tr_ms, self.te_ms)
        if self.name == "spoiled gradient echo":
            return spoiled_gradient_echo(t1, density, self.tr_ms, self.flip_degrees)
        return flair(t1, t2, density, self.tr_ms, self.te_ms, self.ti_ms)

    def __str__(self) -> str:
        times = ", ".join(f"{TIMES[time]} {getattr(self, time):,.0f} ms" for time in self.used_times)
        flip = f", flip angle {self.flip_degrees:g} degrees" if self.name == "spoiled gradient echo" else ""
        return f"{self.name}, {times}{flip}, {'with' if self.agent else 'without'} contrast agent"


def compared_signals(tissues: NDArray[np.uint8], sequence: PulseSequence) -> dict[str, float]:
    """What each of the `COMPARED` tissues answers that lies in the slice ``tissues`` [rows, columns], by name.

    Raises:
        ValueError: none of them does.
    """
    there = set(np.unique(tissues).tolist())
    signals = {name: sequence.signal(tissue) for tissue, name in COMPARED.items() if tissue in there}
    if not signals:
        raise ValueError(
            f"Expected a slice with some of {', '.join(COMPARED.values())}, as in Scan.tissues, but it holds none. "
            "Choose a slice through the brain."
        )
    return signals


def sequence_picture(tissues: NDArray[np.uint8], sequence: PulseSequence) -> NDArray[np.uint8]:
    """The slice as the sequence shows it, uint8 [rows, columns], without noise: black is no signal.

    ``tissues`` [rows, columns] holds values of `Tissue`. White is a quarter more than what the brightest of the
    `COMPARED` tissues in the slice answers.
    """
    white = white_signal(compared_signals(tissues, sequence))
    greys = np.array([255 * min(sequence.signal(tissue) / white, 1) for tissue in Tissue])
    picture: NDArray[np.uint8] = greys.round().astype(np.uint8)[tissues]
    return picture


def white_signal(signals: Mapping[str, float]) -> float:
    """The signal that is drawn white: there is room above the brightest of the `COMPARED` tissues, for fat."""
    return HEADROOM * max(signals.values())
