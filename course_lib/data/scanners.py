"""Machines that make of a film another one, so that a change of scanner can be measured."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Scanner:
    """A machine that makes of a film, 0 black to 1 white, another one; at its defaults it changes nothing.

    A stand-in for a change of scanner: real ones differ in more than a curve of greys.
    """

    gain: float = 1.0  #: brighter by this factor; what would be whiter than white is lost
    gamma: float = 1.0  #: exponent of the grey curve, below 1 brighter in the middle
    black: float = 0.0  #: grey of what was black
    white: float = 1.0  #: grey of what was white
    noise: float = 0.0  #: grain, standard deviation

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """The images as this machine would show them, the same shape; the given tensor stays as it is.

        Takes float of any shape from 0 to 1. The grain comes from torch's global generator.
        """
        grey = (self.gain * images).clamp(0, 1).pow(self.gamma)
        grey = self.black + (self.white - self.black) * grey
        if self.noise:
            grey = grey + self.noise * torch.randn_like(grey)
        return grey.clamp(0, 1)


OTHER_SCANNER = Scanner(gamma=0.6, black=0.15, white=0.85, noise=0.03)  #: brighter, flatter, grainier
BURNT = Scanner(gain=3.0)  #: far too bright: much of the chest is white, and stays so whatever one does later
