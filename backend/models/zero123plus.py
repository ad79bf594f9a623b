# SPDX-License-Identifier: GPL-3.0-or-later
"""Six views of an object from one picture, in one sheet: the networks of Zero123++ (Shi et al. 2023), version 1.2.

The sheet is three rows of two views. The picture comes in three ways: as CLIP's embedding, added to the embedded empty
text; as a latent with as much noise as the sheet has, whose tokens the sheet's self-attentions read; and, for normals,
as the sheet of colours, through a ControlNet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..nn.checkpoint import damaged, described, fill, read_description, read_tensors
from .depth_diffusion import build_vae
from .prompts import load_text_encoder
from .published import dtype_of
from .reference_attention import ReferenceAttention, attach, forget, remembering

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.controlnets.controlnet import ControlNetModel
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPVisionModelWithProjection

_UNUSED = ("vision_model.embeddings.position_ids",)  # a buffer that older versions of the library stored
_WEIGHTS = "diffusion_pytorch_model"


@dataclass(frozen=True)
class Moments:
    """What the VAE's encoder says of a picture's latent: mean and deviation, each float32 (B, 4, h, w) on the CPU."""

    mean: Tensor
    deviation: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """The latent for standard normal noise (B, 4, h, w)."""
        return self.mean + self.deviation * noise


@dataclass(frozen=True)
class Painter:
    """The UNet, whose self-attentions read a reference, and a ControlNet if there is one."""

    unet: "UNet2DConditionModel"
    references: list[ReferenceAttention]
    control: "ControlNetModel | None" = None

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Painter":
        """Moves the networks to the device and the dtype that they compute in."""
        for network in (self.unet, self.control):
            if network is not None:
                nn.Module.to(network, device=device, dtype=dtype)  # diffusers' own method warns without a reason
        return self

    def look(self, reference: Tensor, level: Tensor, context: Tensor) -> None:
        """Makes the self-attentions keep the tokens of a reference (B, 4, h, w), which has the noise of a `level`."""
        with remembering(self.references):
            self._unet(reference, level, context)

    def predict(self, latent: Tensor, level: Tensor, context: Tensor, hint: "Hint | None" = None) -> Tensor:
        """The prediction, float32 (B, 4, h, w), for the latent of a sheet, beside the reference that was looked at.

        level: how noisy it is, of 1000. context: (B, N, C). hint: for the ControlNet, which has to be there then.
        """
        more: dict[str, Any] = {}
        if hint is not None:
            control: Any = self.control
            features, middle = control(
                *self._placed(latent, level, context),
                controlnet_cond=self._placed(hint.pixels)[0].expand(len(latent), -1, -1, -1),
                conditioning_scale=hint.scale,
                return_dict=False,
            )
            more = {"down_block_additional_residuals": features, "mid_block_additional_residual": middle}
        return self._unet(latent, level, context, **more)

    def forget(self) -> None:
        """Lets go what was kept of the last reference."""
        forget(self.references)

    def _unet(self, latent: Tensor, level: Tensor, context: Tensor, **more: Any) -> Tensor:  # noqa: ANN401
        made: Any = self.unet(*self._placed(latent, level, context), **more)
        return made.sample.float()

    def _placed(self, *tensors: Tensor) -> list[Tensor]:
        """Tensors where the networks are; a scalar keeps its precision."""
        weight = next(self.unet.parameters())
        return [tensor.to(weight.device, weight.dtype if tensor.ndim else tensor.dtype) for tensor in tensors]


@dataclass(frozen=True)
class Hint:
    """What the ControlNet sees: pixels (1, 3, H, W) in [-1, 1], and how much its features count."""

    pixels: Tensor
    scale: float = 1.0


def load_painter(folder: Path, control: Path | None = None) -> Painter:
    """The UNet in `folder`, laid out as sudo-ai/zero123plus-v1.2, and the ControlNet in the folder `control`.

    Raises UserError if a file is missing or damaged, or if a tensor is missing, unknown or of another shape.
    """
    unet = folder / "unet"
    configs, tensors = [read_description(unet / "config.json")], [_tensors(unet, _WEIGHTS)]
    if control is not None:
        configs.append(read_description(control / "config.json"))
        tensors.append(_tensors(control, _WEIGHTS))
    return build_painter(configs, tensors, str(folder))


def build_painter(configs: Sequence[dict[str, Any]], tensors: Sequence[Mapping[str, Tensor]], source: str) -> Painter:
    """The networks that one or two `configs` describe, UNet and ControlNet, each with its weights of one dtype.

    Raises UserError, which names the tensor and `source`, if one is missing, unknown or of another shape.
    """
    from diffusers.models.controlnets.controlnet import ControlNetModel  # noqa: PLC0415
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415

    unet: Any = _built(UNet2DConditionModel.from_config, configs[0], tensors[0], f"{source}/unet")
    control: Any = None
    if len(configs) > 1:
        control = _built(ControlNetModel.from_config, configs[1], tensors[1], f"{source}, ControlNet")
    return Painter(unet, attach(unet), control)


def load_vae(folder: Path) -> "AutoencoderKL":
    """The VAE in `folder`; errors as of `load_painter`."""
    tensors = _tensors(folder / "vae", _WEIGHTS)
    return build_vae(read_description(folder / "vae" / "config.json"), tensors, dtype_of(tensors), f"{folder}/vae")


def load_vision(folder: Path) -> "CLIPVisionModelWithProjection":
    """CLIP's picture tower in `folder`; errors as of `load_painter`."""
    part = folder / "vision_encoder"
    return build_vision(read_description(part / "config.json"), _tensors(part, "model"), str(part))


def build_vision(config: dict[str, Any], tensors: Mapping[str, Tensor], source: str) -> "CLIPVisionModelWithProjection":
    """The tower that `config` describes, with weights of one dtype; errors as of `build_painter`."""
    from huggingface_hub.errors import StrictDataclassError  # noqa: PLC0415
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection  # noqa: PLC0415

    with described(source, "picture tower", (StrictDataclassError,)), torch.device("meta"):
        sizes = CLIPVisionConfig.from_dict(config)
        network: Any = CLIPVisionModelWithProjection(sizes)
    fill(nn.Module.to(network, dtype_of(tensors)), tensors, source, _UNUSED)
    count = (sizes.image_size // sizes.patch_size) ** 2 + 1  # type: ignore[operator]  typed as numbers or pairs
    network.vision_model.embeddings.position_ids = torch.arange(count)[None]  # counted, not stored
    return network


def load_empty_text(folder: Path) -> Tensor:
    """The empty text as the text encoder in `folder` embeds it, float32 (1, 77, C) on the CPU."""
    return load_text_encoder(folder).embed([""])


def load_ramp(folder: Path) -> Tensor:
    """How much of the picture's embedding is added to each of the text's tokens, float32 (77,), from model_index.json.

    Raises UserError if the file is missing or says nothing of it.
    """
    path = folder / "model_index.json"
    try:
        return torch.tensor([float(value) for value in read_description(path)["ramping_coefficients"]])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(f"{path} holds no ramping coefficients") from error


@torch.inference_mode()
def encode(vae: "AutoencoderKL", pixels: Tensor) -> Moments:
    """The latent (B, 4, h/8, w/8) of `pixels` (B, 3, h, w), not scaled."""
    weight = next(vae.parameters())
    coded: Any = vae.encode(pixels.to(weight.device, weight.dtype))
    return Moments(coded.latent_dist.mean.float().cpu(), coded.latent_dist.std.float().cpu())


@torch.inference_mode()
def embed(vision: "CLIPVisionModelWithProjection", pixels: Tensor) -> Tensor:
    """CLIP's embedding, float32 (B, C) on the CPU, of normalised `pixels` (B, 3, S, S)."""
    weight = next(vision.parameters())
    return vision(pixels.to(weight.device, weight.dtype)).image_embeds.float().cpu()


def contexts(text: Tensor, embedding: Tensor, ramp: Tensor) -> Tensor:
    """What the cross-attentions read, (2, N, C): first without the picture, then with it.

    text: (1, N, C), the empty text. embedding: (1, C), the picture's. ramp: (N,).
    """
    return torch.cat([text, text + embedding[:, None] * ramp[:, None]])


@torch.inference_mode()
def decode(vae: "AutoencoderKL", latent: Tensor) -> Tensor:
    """The pixels of a sheet's latent (B, 4, h, w): float32 (B, 3, 8h, 8w) in [0, 1] on the CPU."""
    weight, config = next(vae.parameters()), vae.config
    plain = unscale_latents(latent) / config["scaling_factor"]
    decoded: Any = vae.decode(plain.to(weight.device, weight.dtype))
    return (unscale_image(decoded.sample.float()) / 2 + 0.5).clamp(0, 1).cpu()


# The UNet learned sheets whose latents and pixels were shifted and scaled before; what it makes is brought back.


def unscale_latents(latents: Tensor) -> Tensor:
    """Latents of the UNet as those of the VAE, times its scaling factor."""
    return latents / 0.75 + 0.22


def unscale_image(pixels: Tensor) -> Tensor:
    """Pixels that the VAE decodes of a sheet as pixels in [-1, 1]."""
    return pixels / 0.5 * 0.8


def _tensors(folder: Path, stem: str) -> dict[str, Tensor]:
    return read_tensors(folder / f"{stem}.safetensors")


def _built(
    build: Callable[[dict[str, Any]], Any], config: dict[str, Any], tensors: Mapping[str, Tensor], source: str
) -> nn.Module:
    with described(source, "network"), torch.device("meta"):
        network: nn.Module = build(config)
    fill(nn.Module.to(network, dtype_of(tensors)), tensors, source)
    return network
