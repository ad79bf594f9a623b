# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a fixture of Hi3D or SV3D, and comparing what it kept of a loop."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.parity import golden

if TYPE_CHECKING:
    import torch

    from backend.models.video_sampler import Evaluate

EMBEDDER = "conditioner.embedders."


@dataclass(frozen=True)
class Kept:
    """What the steps began with and were denoised to, in order."""

    inputs: "list[torch.Tensor]" = field(default_factory=list)
    denoised: "list[torch.Tensor]" = field(default_factory=list)

    def watch(self, _step: int, x: "torch.Tensor", clean: "torch.Tensor") -> None:
        """Keeps one step."""
        self.inputs.append(x)
        self.denoised.append(clean)

    def outputs(self, steps: list[int]) -> "dict[str, torch.Tensor]":
        """These steps, by the names of a fixture's outputs."""
        import torch

        return {
            "sampler_input": torch.stack([self.inputs[step] for step in steps]),
            "denoised": torch.stack([self.denoised[step] for step in steps]),
        }


def evaluate_of(fixture: golden.Fixture, frames: int) -> "Evaluate":
    """The fixture's network of frames."""
    from backend.models.video_unet import predict
    from backend.models.video_unet_names import video_unet_from_sgm

    network: Any = video_unet_from_sgm(fixture.weights("model.diffusion_model."), fixture.config["hc"], "the fixture")
    assert network.config["block_out_channels"][0] == fixture.config["mc"]
    assert network.config["cross_attention_dim"] == fixture.config["ctx"]
    return lambda sample, timestep, condition: predict(
        network, sample, timestep, condition.context, condition.vector, frames
    )


def vae_of(fixture: golden.Fixture, prefix: str) -> Any:
    from backend.models.ldm_names import vae_from_ldm

    network: Any = vae_from_ldm(fixture.weights(prefix), "the fixture")
    config = fixture.config
    assert list(network.config["block_out_channels"]) == [config["vch"] * times for times in config["vmult"]]
    assert network.config["layers_per_block"] == config["vres"]
    return network


def token_of(fixture: golden.Fixture, picture: "torch.Tensor") -> "torch.Tensor":
    """CLIP's token (1, 1, K) of a picture (1, 3, H, W)."""
    from backend.models.clip_pixels import clip_pixels
    from backend.models.clip_tower import features, tower_from_openai

    config, prefix = fixture.config, f"{EMBEDDER}0.open_clip.model.visual."
    tower: Any = tower_from_openai(fixture.weights(prefix), config["vh"], "gelu", "the fixture")
    assert (tower.config.hidden_size, tower.config.patch_size) == (config["vw"], config["vp"])
    return features(tower, clip_pixels(picture))[:, None]


def assert_loop(fixture: golden.Fixture, kept: Kept, latents: "torch.Tensor") -> None:
    """The kept steps and the latents are those of the fixture, to what a loop adds up to."""
    ours = {**kept.outputs(fixture.facts["kept_steps"]), "latents": latents}
    names = ["denoised", "latents"]
    golden.assert_outputs_close(fixture, {name: ours[name] for name in names}, names, absolute=1e-4, relative=0)
    # A step begins with up to 700 times the noise: what is rounded there grows with it.
    golden.assert_outputs_close(fixture, {"sampler_input": ours["sampler_input"]}, ["sampler_input"], 5e-6, 1e-4)
