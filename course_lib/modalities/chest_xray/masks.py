"""Where the disease is in a simulated radiograph, as a network sees it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from torchvision.transforms import v2

from course_lib.data.samples import LabelledImage
from course_lib.data.transforms import Preprocessing, fit_to_square
from course_lib.explain.maps import Masks
from course_lib.modalities.chest_xray.simulator import read_mask


def masks_of(radiographs: Sequence[LabelledImage], how: Preprocessing) -> Masks:
    """The true places of the disease as the network sees them, [images, size, size]; phantoms only.

    Raises:
        PhantomError: a radiograph is no phantom, or its mask is missing.
    """
    fit = v2.Compose(fit_to_square(how))
    grey = [np.asarray(fit(Image.fromarray(255 * read_mask(r.path).astype(np.uint8)))) for r in radiographs]
    return np.stack(grey) > 127
