"""Networks that others have designed, and often trained: built for our classes, with what one must know to use them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

import torch
from torch import nn
from torchvision import models as zoo
from torchvision.models import ResNet, WeightsEnum

from course_lib.data.transforms import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from course_lib.networks.efficientnet_lite import EfficientNetLite0, our_names
from course_lib.networks.packaged_weights import EFFICIENTNET_LITE0, PackagedWeights, installed
from course_lib.networks.weights import load_shipped, pretrained, shipped_card, shipped_names

Weights = Literal["imagenet", "phantom"]


@dataclass(frozen=True)
class Backbone:
    """What one must know about a network before using it."""

    name: str  #: as torchvision spells it, where it has the network
    network: type[nn.Module]  #: the class of a built model
    imagenet: WeightsEnum | PackagedWeights  #: always the first set that was published
    input_px: int  #: side of the images that the ImageNet weights were trained on
    head: str  #: path of the linear layer that names the classes
    grad_cam_layer: str  #: path of the last layer whose output is still a map: [batch, channels, height, width]
    source: str  #: the paper
    mean: tuple[float, ...] = IMAGENET_MEAN  #: what the ImageNet weights expect to be subtracted, per channel
    std: tuple[float, ...] = IMAGENET_STD  #: and to be divided by
    auxiliary_head: str = ""  #: path of a second head that only training uses; needs images of ``input_px``

    @property
    def min_px(self) -> int:
        """Side of the smallest image that the network can take."""
        smallest: tuple[int, int] = self.imagenet.meta["min_size"]
        return max(smallest)


_ALL = (
    Backbone(
        "resnet18",
        zoo.ResNet,
        zoo.ResNet18_Weights.IMAGENET1K_V1,
        224,
        head="fc",
        grad_cam_layer="layer4",
        source="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385",
    ),
    Backbone(
        "resnet50",
        zoo.ResNet,
        zoo.ResNet50_Weights.IMAGENET1K_V1,
        224,
        head="fc",
        grad_cam_layer="layer4",
        source="He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385",
    ),
    Backbone(
        "vgg16_bn",
        zoo.VGG,
        zoo.VGG16_BN_Weights.IMAGENET1K_V1,
        224,
        head="classifier.6",
        grad_cam_layer="features.42",  # the last ReLU; after it, the pooling halves the map
        source="Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015, "
        "arXiv:1409.1556",
    ),
    Backbone(
        "inception_v3",
        zoo.Inception3,
        zoo.Inception_V3_Weights.IMAGENET1K_V1,
        299,
        head="fc",
        grad_cam_layer="Mixed_7c",
        source="Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016, arXiv:1512.00567",
        auxiliary_head="AuxLogits.fc",
    ),
    Backbone(
        "mobilenet_v3_small",  # the large one is near EfficientNet-B0 in size and cost; this one is by far the cheapest
        zoo.MobileNetV3,
        zoo.MobileNet_V3_Small_Weights.IMAGENET1K_V1,
        224,
        head="classifier.3",
        grad_cam_layer="features.12",
        source="Howard et al., Searching for MobileNetV3, ICCV 2019, arXiv:1905.02244",
    ),
    Backbone(
        "efficientnet_b0",
        zoo.EfficientNet,
        zoo.EfficientNet_B0_Weights.IMAGENET1K_V1,
        224,
        head="classifier.1",
        grad_cam_layer="features.8",
        source="Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019, "
        "arXiv:1905.11946",
    ),
    Backbone(
        "densenet121",
        zoo.DenseNet,
        zoo.DenseNet121_Weights.IMAGENET1K_V1,
        224,
        head="classifier",
        grad_cam_layer="features.norm5",
        source="Huang et al., Densely Connected Convolutional Networks, CVPR 2017, arXiv:1608.06993",
    ),
    Backbone(
        "efficientnet_lite0",  # whose ImageNet weights come with a package, so that they need no network
        EfficientNetLite0,
        EFFICIENTNET_LITE0,
        224,
        head="classifier",
        grad_cam_layer="top",
        source="Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019, "
        "arXiv:1905.11946; the lite variant: Liu, TensorFlow blog, March 2020",
        mean=(127 / 255,) * 3,  # the grey levels from 0 to 255 less 127, divided by 128
        std=(128 / 255,) * 3,
    ),
)
BACKBONES: Mapping[str, Backbone] = MappingProxyType({backbone.name: backbone for backbone in _ALL})


def build_backbone(name: str, classes: int = 2, *, weights: Weights | None) -> nn.Module:
    """One of `BACKBONES` with a new, random linear layer for ``classes`` classes.

    ``weights`` has no default, so that the program says where the features come from: ``"imagenet"`` loads
    torchvision's (downloaded once, checked, and announced with their source and licence; those of
    ``efficientnet_lite0`` come with a package and need no network), ``"phantom"`` those that come with the course,
    learned from simulated radiographs alone; ``None`` starts at random.
    Takes float [batch, 3, height, width], normalised as `preprocessing_for` says; gives logits [batch, classes].
    Inception-v3 has a second, auxiliary head: in training mode it gives ``InceptionOutputs(logits, aux_logits)``.

    Raises:
        ValueError: no such network or weights, or fewer than two classes; later, when the model is called: the images
            are too small.
        ConnectionError: the ImageNet weights are not on this computer and can not be downloaded.
        WeightsError: the course's own weights, or those of a package, are missing or damaged.
    """
    backbone = _find(name, weights)
    if classes < 2:
        raise ValueError(f"A classifier needs at least two classes, got {classes}.")
    model = shipped_classifier(name) if weights == "phantom" else _standard_network(backbone, weights)
    _replace_heads(model, backbone, classes)
    return model


def resnet18_classifier(classes: int = 2, *, weights: Weights | None) -> ResNet:
    """ResNet-18 with a new, random linear layer for ``classes`` classes.

    The most used of `BACKBONES`; `build_backbone` says what ``weights`` means and what it raises.
    Takes float [batch, 3, height, width]; gives logits [batch, classes].

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385.
    """
    model: ResNet = build_backbone("resnet18", classes, weights=weights)
    return model


def shipped_classifier(name: str = "resnet18") -> nn.Module:
    """The network that comes with the course, whole: with the head that tells the classes of its card apart.

    It has seen simulated radiographs only. Prepare images as ``preprocessing_for(name, "phantom")`` says.

    Raises:
        ValueError: the course has no weights for this network.
        WeightsError: they are missing or damaged.
    """
    _find(name, "phantom")
    model = build_backbone(name, len(shipped_card(name).classes), weights=None)
    model.load_state_dict(load_shipped(name))
    return model


def imagenet_classifier(name: str = "efficientnet_lite0") -> nn.Module:
    """The network as it was published, whole: with the head that tells ImageNet's thousand kinds of things apart.

    Their names are ``BACKBONES[name].imagenet.meta["categories"]``, in the order of the logits. Prepare images as
    ``preprocessing_for(name, "imagenet")`` says. It raises what `build_backbone` raises.
    """
    return _standard_network(_find(name, "imagenet"), "imagenet")


def preprocessing_for(name: str, weights: Weights | None) -> Preprocessing:
    """How images must be prepared for a backbone: size and normalisation as when its weights were learned.

    With ``weights=None``, at the size the network was designed for, with the course's own normalisation. Another size
    works too, within `Backbone.min_px`; take ``dataclasses.replace(preprocessing_for(…), size=…)``.

    Raises:
        ValueError: no such network or weights.
        WeightsError: the course's own weights are missing.
    """
    backbone = _find(name, weights)
    if weights == "phantom":
        values: dict[str, Any] = {
            field: tuple(value) if isinstance(value, list) else value
            for field, value in shipped_card(name).preprocessing.items()
        }
        return Preprocessing(**values)
    if weights == "imagenet":
        return Preprocessing(backbone.input_px, mean=backbone.mean, std=backbone.std)
    return Preprocessing(backbone.input_px)


def head_of(model: nn.Module) -> nn.Module:
    """The part that turns features into one number per class: a linear layer, or what a model calls ``head``.

    Raises:
        ValueError: the model is none of `BACKBONES` and has no part of that name.
    """
    if isinstance(head := getattr(model, "head", None), nn.Module):
        return head
    return model.get_submodule(_backbone_of(model).head)


def grad_cam_layer(model: nn.Module) -> nn.Module:
    """The last layer whose output is still a map, which Grad-CAM weighs: [batch, channels, height, width].

    Raises:
        ValueError: the model is none of `BACKBONES`.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391.
    """
    return model.get_submodule(_backbone_of(model).grad_cam_layer)


def drop_auxiliary_head(model: nn.Module) -> None:
    """Leave out the second head of Inception-v3, which can not be trained on images below 299 px; others have none."""
    if isinstance(model, zoo.Inception3):
        model.aux_logits, model.AuxLogits = False, None


class _InputCheck:
    """Says what is wrong with a batch of images before a layer deep inside fails over it."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone

    def __call__(self, model: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        shape, name = list(inputs[0].shape), self.backbone.name
        if len(shape) != 4 or shape[1] != 3 or min(shape[2:]) < self.backbone.min_px:
            raise ValueError(
                f"{name} takes images of shape [batch, 3, height, width], at least {self.backbone.min_px} px high and "
                f"wide, but got {shape}. Add a missing axis with images[None], or make the transform's size larger."
            )
        if model.training and getattr(model, "AuxLogits", None) is not None and min(shape[2:]) < self.backbone.input_px:
            raise ValueError(
                f"The auxiliary head of {name} is trained on images of at least {self.backbone.input_px} px, but got "
                f"{shape}. Make the transform's size larger, or leave that head out with drop_auxiliary_head(model)."
            )


def _find(name: str, weights: str | None) -> Backbone:
    if name not in BACKBONES:
        raise ValueError(f"name must be one of {', '.join(BACKBONES)}, but is {name!r}.")
    if weights is not None and weights not in get_args(Weights):
        raise ValueError(f"weights must be one of {get_args(Weights)} or None, but is {weights!r}.")
    if weights == "phantom" and name not in shipped_names():
        raise ValueError(
            f"There are no phantom weights for {name}, only for {', '.join(shipped_names())}. "
            'Take one of these, or weights="imagenet" or None.'
        )
    return BACKBONES[name]


def _backbone_of(model: nn.Module) -> Backbone:
    for backbone in BACKBONES.values():  # networks of one class have their parts in the same places
        if isinstance(model, backbone.network):
            return backbone
    raise ValueError(f"Expected one of the networks {', '.join(BACKBONES)}, but got a {type(model).__name__}.")


def _standard_network(backbone: Backbone, weights: Weights | None) -> nn.Module:
    """The network as it was published, for ImageNet's 1,000 classes."""
    options = {}
    if backbone.network is zoo.Inception3:
        # Its file expects another mean and spread than the others; transform_input converts ImageNet's to them.
        options = {"init_weights": weights is None, "transform_input": weights == "imagenet"}
    is_ours = backbone.network is EfficientNetLite0
    model: nn.Module = EfficientNetLite0() if is_ours else zoo.get_model(backbone.name, weights=None, **options)
    model.register_forward_pre_hook(_InputCheck(backbone))
    if weights == "imagenet":
        model.load_state_dict(_imagenet_state(backbone))
    return model


def _imagenet_state(backbone: Backbone) -> dict[str, torch.Tensor]:
    if isinstance(backbone.imagenet, PackagedWeights):
        return our_names(installed(backbone.imagenet))
    state = pretrained(backbone.imagenet)
    if backbone.network is zoo.DenseNet:  # its file is older than the names of its layers: norm.1 is now norm1
        state = {re.sub(r"(denselayer\d+\.(?:norm|conv))\.(?=\d)", r"\1", key): value for key, value in state.items()}
    return state


def _replace_heads(model: nn.Module, backbone: Backbone, classes: int) -> None:
    for path in filter(None, (backbone.head, backbone.auxiliary_head)):
        head = model.get_submodule(path)
        if not isinstance(head, nn.Linear):
            raise TypeError(f"The head of {backbone.name} should be linear, but {path} is a {type(head).__name__}.")
        model.set_submodule(path, nn.Linear(head.in_features, classes))
