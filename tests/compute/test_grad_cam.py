"""Grad-CAM against its two equations, channel by channel and in numbers anyone can check."""

import torch

from mapcap.relevance.gradcam import grad_cam


def test_channels_weigh_by_their_mean_gradient_and_the_sum_is_clamped():
    activations = torch.tensor([[[[1.0, 2.0], [0.0, 3.0]], [[4.0, 0.0], [1.0, 1.0]]]])
    gradients = torch.tensor([[[[2.0, 2.0], [2.0, 2.0]], [[-4.0, 0.0], [0.0, 0.0]]]])
    # The channels weigh 2 and -1: 2 * 1 - 4, 2 * 2 - 0, 0 - 1 and 2 * 3 - 1.
    expected = torch.tensor([[[0.0, 4.0], [0.0, 5.0]]])
    torch.testing.assert_close(grad_cam(activations, gradients), expected)


def test_it_is_the_plain_sum_and_images_do_not_interact():
    draw = torch.Generator().manual_seed(0)
    activations, gradients = (torch.randn(3, 5, 4, 6, generator=draw) for _ in range(2))
    got = grad_cam(activations, gradients)
    for a, g, grid in zip(activations.double(), gradients.double(), got, strict=True):
        expected = torch.zeros(4, 6, dtype=torch.float64)
        for channel, of_channel in zip(a, g, strict=True):
            expected += of_channel.sum() / 24 * channel
        torch.testing.assert_close(grid.double(), expected.relu(), rtol=1e-5, atol=1e-6)


def test_half_precision_is_summed_in_float32():
    activations, gradients = torch.full((1, 512, 2, 2), 1.0), torch.full((1, 512, 2, 2), 1e-4)
    got = grad_cam(activations.half(), gradients.half())
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, torch.full((1, 2, 2), 0.0512), rtol=1e-3, atol=0)
