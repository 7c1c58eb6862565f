"""The explorer of pulse sequences: a slice of tissues in the sequence and with the times that a learner chooses."""

from functools import partial

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_lib.figures.contrast import plot_contrast
from course_lib.figures.style import text_alternative
from course_lib.figures.widgets.explorer import LAYOUT, Explorer, pixels_of
from course_lib.modalities.simulated_head import PulseSequence
from course_lib.modalities.simulated_head.sequences import SEQUENCES, TIMES, SequenceName

SIZE_INCHES, DPI = (6.6, 2.8), 100


def sequence_explorer(tissues: NDArray[np.uint8]) -> Explorer:
    """A choice of the sequence, sliders for TR, TE and TI, and a box for contrast agent, over the slice that they give.

    ``tissues`` [rows, columns] holds values of `Tissue`, as `Scan.tissues` does.

    Raises:
        ValueError: the slice holds no tissue of the brain.
    """
    style = {"description_width": "6em"}
    sliders = {
        "name": ipywidgets.RadioButtons(
            options=SEQUENCES, value="spin echo", description="sequence", layout=LAYOUT, style=style
        ),
        "tr_ms": ipywidgets.FloatLogSlider(
            value=4000, min=1, max=4, step=0.05, description="TR, ms", readout_format=".0f", layout=LAYOUT, style=style
        ),
    }
    for time, value, first, last, step in (("te_ms", 90, 5, 300, 5), ("ti_ms", 1700, 100, 4000, 50)):
        sliders[time] = ipywidgets.IntSlider(
            value=value, min=first, max=last, step=step, description=f"{TIMES[time]}, ms", layout=LAYOUT, style=style
        )
    sliders["agent"] = ipywidgets.Checkbox(value=False, description="contrast agent", layout=LAYOUT, style=style)
    return Explorer(sliders, partial(draw_sequence, tissues))


def draw_sequence(
    tissues: NDArray[np.uint8], name: SequenceName, tr_ms: float, te_ms: float, ti_ms: float, agent: bool
) -> tuple[NDArray[np.uint8], str]:
    """The slice and the signals of its tissues as a picture [280, 660, 3]; and in words.

    Where the times do not fit into TR the picture is black, and the words say why.
    """
    try:
        sequence = PulseSequence(name, tr_ms, te_ms, ti_ms, agent)
    except ValueError as impossible:
        width, height = (round(inches * DPI) for inches in SIZE_INCHES)
        return np.zeros((height, width, 3), dtype=np.uint8), str(impossible)
    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    panels = plot_contrast(tissues, sequence, "Simulated slice", panels=figure.subplots(1, 2, width_ratios=(1, 1.2)))
    times = {"tr_ms": tr_ms, "te_ms": te_ms, "ti_ms": ti_ms}
    unused = [f"{TIMES[time]} ({ms:,.0f} ms)" for time, ms in times.items() if time not in sequence.used_times]
    idle = f" Not used by a {name}: {' and '.join(unused)}." if unused else ""
    return pixels_of(figure), text_alternative(panels[0]) + idle
