"""How long a network takes to be as good as the textbook's: its whole recipe against the course's, in one run.

The textbook's: three convolutions of 64, 128 and 256 channels, 64 px, plain SGD with a rate of 0.001, ten epochs, no
augmentation, files decoded in every epoch. The course's: `Net`, the pixel cache (made anew, its time counted), a
one-cycle schedule. Both start at random, on the same images, and are judged on the same validation patients.

python -m tests.benchmarks.time_to_quality [FOLDER]      FOLDER holds train/; without it, simulated radiographs
"""

import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import transforms

from course_lib.data.augmentation import NO_CHANGE
from course_lib.data.image_file import open_grey
from course_lib.data.image_folder import read_split, recognise_card
from course_lib.data.pixel_cache import PixelCache
from course_lib.data.samples import ImageDataset, LabelledImage
from course_lib.data.splits import split_by_patient
from course_lib.data.transforms import Preprocessing
from course_lib.evaluation.classification import auroc
from course_lib.modalities.chest_xray import simulator as phantom
from course_lib.networks.net import Net
from course_lib.support.runtime import seeded
from course_lib.training.config import TrainConfig
from course_lib.training.inference import predict
from course_lib.training.loop import fit

LEAST_RATIO = 10
EPOCHS = 10  #: of the textbook
OURS = TrainConfig(epochs=4, learning_rate=3e-3, batch_size=64, schedule="one-cycle", class_weights="balanced")
HOW = Preprocessing(48, "squeeze")
TEXTBOOK_CHAIN = transforms.Compose(
    [transforms.Resize((64, 64)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
)


class TextbookNet(nn.Module):
    """Three convolutions and two linear layers, for 64 x 64 pixels only."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(128, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        )
        self.linear = nn.Sequential(nn.Linear(256 * 8 * 8, 512), nn.ReLU(), nn.Linear(512, classes))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.linear(self.convolutions(images).flatten(1))
        return logits


def run(folder: Path | None) -> list[str]:
    """The two times and areas under the curve, as the lines of a Markdown table."""
    with tempfile.TemporaryDirectory() as scratch:
        root = folder or phantom.unpack_dataset(phantom.QUICK_ARCHIVE, Path(scratch) / "phantoms")
        radiographs, classes = read_split(root, "train", recognise_card(root))
        learning, held_out = split_by_patient(radiographs)
        started = time.perf_counter()
        textbook = train_textbook(learning, classes)
        textbook_seconds = time.perf_counter() - started
        started = time.perf_counter()
        ours = train_ours(*split_by_patient(learning, 0.1), classes, Path(scratch))
        our_seconds = time.perf_counter() - started
        theirs = ImageDataset(held_out, classes, lambda image: TEXTBOOK_CHAIN(image.convert("RGB")))
        areas = (
            auroc(predict(textbook, theirs)),
            auroc(predict(ours, PixelCache(held_out, classes, HOW, folder=Path(scratch)))),
        )
    return [
        f"{len(learning):,} training images, judged on {len(held_out):,} of other patients"
        f"{'' if folder else ' (simulated)'}:",
        "",
        "| | seconds | validation AUROC |",
        "|---|---|---|",
        f"| the textbook's recipe, {EPOCHS} epochs | {textbook_seconds:.0f} | {areas[0]:.4f} |",
        f"| the course's, {OURS.epochs} epochs of Net at {HOW.size} px | {our_seconds:.0f} | {areas[1]:.4f} |",
        "",
        f"{'At least as good' if areas[1] >= areas[0] else 'NOT as good'}, and {textbook_seconds / our_seconds:.1f} "
        f"times sooner (wanted: {LEAST_RATIO}).",
    ]


def train_textbook(radiographs: list[LabelledImage], classes: tuple[str, ...]) -> nn.Module:
    """The textbook's network after its ten epochs."""
    loader: DataLoader[tuple[torch.Tensor, torch.Tensor]] = DataLoader(
        [(r.path, r.label) for r in radiographs],  # type: ignore[arg-type]
        batch_size=32,
        shuffle=True,
        collate_fn=lambda items: (
            torch.stack([TEXTBOOK_CHAIN(open_grey(path).convert("RGB")) for path, _ in items]),
            torch.tensor([label for _, label in items]),
        ),
    )
    with seeded(0):
        model = TextbookNet(len(classes))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
        for _ in range(EPOCHS):
            for images, labels in loader:
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    return model


def train_ours(
    learning: list[LabelledImage], choosing: list[LabelledImage], classes: tuple[str, ...], cache: Path
) -> nn.Module:
    """`Net` as the course trains it, from cold files; the best epoch is chosen by some of the training patients."""
    with seeded(0):
        model = Net(len(classes))
    train = PixelCache(learning, classes, HOW, NO_CHANGE, folder=cache)
    fit(model, train, PixelCache(choosing, classes, HOW, folder=cache), OURS)
    return model


if __name__ == "__main__":
    print("\n".join(run(Path(sys.argv[1]) if sys.argv[1:] else None)))
