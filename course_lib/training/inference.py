"""What a model says about every image: the one way from a network to predictions."""

import numpy as np
import torch
from torch import nn

from course_lib.data.samples import ImageData
from course_lib.evaluation.predictions import Predictions, check_class_count
from course_lib.networks.modes import evaluating
from course_lib.support.runtime import progress


def predict(
    model: nn.Module, data: ImageData, *, device: torch.device | str = "cpu", batch_size: int = 64
) -> Predictions:
    """The model's class probabilities for every image. Each layer is left in the mode it was in.

    Raises:
        ValueError: the model answers with another number of classes than the data have.
    """
    model.to(device)
    batches = torch.arange(len(data)).split(batch_size)  # type: ignore[no-untyped-call]
    with evaluating(model), torch.inference_mode():
        logits = [
            model(data.inputs(chosen, device)).float().cpu() for chosen in progress(batches, "Predicting", "batch")
        ]
    probabilities = torch.cat(logits).double().softmax(dim=1).numpy()
    check_class_count(probabilities.shape, data.classes)
    return Predictions(
        probabilities=probabilities,
        labels=np.array(data.labels),
        patients=np.array(data.patients),
        files=tuple(radiograph.path.name for radiograph in data.radiographs),
        classes=data.classes,
    )
