"""Another scanner: it changes greys as it says, and no given image."""

import torch

from course_lib.data.scanners import BURNT, OTHER_SCANNER, Scanner


def test_a_scanner_changes_greys_as_it_says() -> None:
    film = torch.tensor([0.0, 0.25, 1.0])
    assert torch.equal(Scanner()(film), film)
    torch.testing.assert_close(Scanner(gamma=0.5, black=0.2, white=0.8)(film), torch.tensor([0.2, 0.5, 0.8]))
    torch.testing.assert_close(BURNT(torch.tensor([0.2, 0.5])), torch.tensor([0.6, 1.0]))


def test_a_scanner_gives_images_back_in_their_shape_and_leaves_the_given_ones() -> None:
    films = torch.rand(3, 1, 8, 8)
    before = films.clone()
    seen = OTHER_SCANNER(films)
    assert seen.shape == films.shape
    assert 0 <= seen.min() <= seen.max() <= 1
    assert torch.equal(films, before)
