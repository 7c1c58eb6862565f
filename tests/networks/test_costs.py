"""What a network costs: also where a convolution's channels are in groups, which torch's own counter overlooks."""

import pytest
import torch

from course_lib.networks.backbones import build_backbone
from course_lib.networks.costs import costs_of_unfreezing, gflops


@pytest.mark.slow
def test_the_way_back_costs_twice_the_way_there_in_depthwise_convolutions_too() -> None:
    with torch.device("meta"):
        network = build_backbone("efficientnet_lite0", weights=None)
    costs = costs_of_unfreezing(network, 64)
    assert costs[0].stages == ("classifier",)
    assert costs[0].gflops == pytest.approx(gflops(network, 64), rel=0.001)  # the way back ends at the head
    assert costs[-1].gflops == pytest.approx(3 * gflops(network, 64), rel=0.02)


def test_convolutions_in_groups_are_counted_as_by_hand() -> None:
    """On 8 x 8 pixels: 3 channels to 4, each with one weight; then 3 x 3 weights in each of the 4 by itself."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(4, 4, 3, padding=1, groups=4))
    first, second = 64 * 3 * 4, 64 * 4 * 9
    assert gflops(network, 8) == pytest.approx((first + second) / 1e9)
    # each has gradients of its weights; only the second needs those of its input, since the image learns nothing
    assert costs_of_unfreezing(network, 8)[-1].gflops == pytest.approx((2 * first + 3 * second) / 1e9)
