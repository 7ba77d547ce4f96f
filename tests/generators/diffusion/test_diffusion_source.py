"""The diffusion photo source around its models: options, checkpoints, provenance, probes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from miniature_pictures import photo_rows

from bench.core.errors import DataError, UsageError, VeilBenchError
from generators.base import BuildOrder
from generators.registry import generators, make_generator
from scenarios.dataset import Dataset, load_dataset

Build = Callable[..., Dataset]
SaveReference = Callable[[Sequence[dict[str, Any]]], str]


@pytest.fixture
def options(sd: Path, adapter: Path) -> dict[str, Any]:
    return {"method": "ip-adapter", "checkpoint": str(sd), "adapter": str(adapter), "steps": 1}


def test_it_claims_nothing() -> None:
    generator = make_generator("diffusion", {})
    assert generator.names() == () and not generator.claims("veilbench-mini")
    assert generators.get("diffusion").source == "synthesized"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metod": "dreambooth"}, "unknown option of the generator 'diffusion', 'metod': did you mean 'method'"),
        ({"method": "lora"}, "option method: input should be 'embedded', 'ip-adapter' or 'dreambooth'"),
        ({"method": "ip-adapter"}, r"needs a checkpoint: checkpoint=sd15 \(stable-diffusion-v1-5/"),
        ({"references": 0}, "option references: input should be greater than or equal to 1"),
        ({"size": 100, "method": "dreambooth", "checkpoint": "sd15"}, "option size: .* multiple of 8"),
        ({"rank": 4}, "rank is an option of method=dreambooth, not embedded"),
        ({"offload": "model"}, "offload is an option of method=ip-adapter or dreambooth, not embedded"),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_generator("diffusion", given)


@pytest.mark.parametrize(
    ("checkpoint", "message"),
    [
        (
            "nobody/no-such-model",
            r"not on this machine and the hub cannot be reached: run `hf download nobody/no-such-m",
        ),
        ("nobody/no-such-model@v2", r"'nobody/no-such-model@v2' is not on this machine"),
        ("./no-such-folder", "is neither a folder nor a hub id"),
        ("no-such-name", "is neither a folder nor a hub id"),
    ],
)
@pytest.mark.parametrize("method", ["ip-adapter", "dreambooth"])
def test_a_checkpoint_that_cannot_be_had_is_one_sentence(
    build: Build, monkeypatch: pytest.MonkeyPatch, method: str, checkpoint: str, message: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(VeilBenchError, match=message) as error:
        build(method=method, checkpoint=checkpoint)
    assert "\n" not in str(error.value)


def test_an_adapter_that_cannot_be_had_is_one_sentence(
    build: Build, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        VeilBenchError, match=r"adapter 'nobody/none' is not on this machine .*`hf download nobody/none`"
    ):
        build(**{**options, "adapter": "nobody/none"})


def test_a_folder_that_is_no_usable_pipeline_is_refused(build: Build, tmp_path: Path, options: dict[str, Any]) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    with pytest.raises(UsageError, match=r"checkpoint 'other': there is no model_index\.json"):
        build(**{**options, "checkpoint": str(folder)})
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    with pytest.raises(UsageError, match="checkpoint 'other' is a FluxPipeline; usable are StableDiffusionPipeline"):
        build(**{**options, "checkpoint": str(folder)})
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    with pytest.raises(UsageError, match="checkpoint 'other' cannot be loaded"):
        build(**{**options, "checkpoint": str(folder)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device": "abacus"}, "device 'abacus' is not known to torch"),
        ({"device": "cpu", "offload": "model"}, "offload=model moves models off a GPU, and there is none"),
    ],
)
def test_a_device_that_does_not_fit_is_refused(
    build: Build, options: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        build(**options, **changes)


def test_people_stay_who_they_are_and_photos_say_where_they_come_from(
    build: Build, options: dict[str, Any], reference: str
) -> None:
    dataset = build(**options, seed=5)
    assert dataset.name == "tiny-people-synthesized"
    assert dataset.people.equals(load_dataset(reference).people)
    assert set(dataset.pairs["source"]) == {"synthesized"}
    (generator,) = set(dataset.pairs["generator"])
    for part in ("veilbench-diffusion/ip-adapter ", "checkpoint=tiny-sd,", "revision=", "steps=1,", "seed=5"):
        assert part in generator
    assert str(Path(options["checkpoint"]).parent) not in generator
    assert set(dataset.pairs["licence"]) == {"CC0-1.0"}
    assert set(dataset.pairs["consent"]) == {
        "not needed: the people are fictitious (synthesized from 2 of this person's photos)"
    }
    shown = dict(zip(dataset.pairs["pair_id"], dataset.pairs["shows"], strict=True))
    assert list(shown["evaluation-000-friends"]) == ["Goran", "Hana"]
    assert list(shown["evaluation-001-pet"]) == ["ferret"]


def test_the_reference_portraits_are_asked_about(build: Build, options: dict[str, Any], reference: str) -> None:
    original, dataset = load_dataset(reference).probes, build(**options).probes
    kept = dataset[dataset["kind"] != "member"].reset_index(drop=True)
    wanted = original[original["kind"] != "member"].reset_index(drop=True)
    assert kept.equals(wanted)
    assert set(dataset["kind"]) == {"held_out", "stranger", "utility", "member"}
    assert set(dataset[dataset["kind"] == "member"]["source"]) == {"synthesized"}


def test_portraits_can_be_synthesized_too(build: Build, options: dict[str, Any]) -> None:
    dataset = build(**options, probes="synthesized", portraits=3)
    assert set(dataset.probes["source"]) == {"synthesized"}
    held_out = dataset.probes[dataset.probes["kind"] == "held_out"]
    assert held_out.groupby("person_id")["image"].nunique().to_dict() == {"evaluation-000": 3, "evaluation-001": 3}
    utility = dataset.probes[dataset.probes["kind"] == "utility"]
    assert set(utility["scenario"]) == {"clothes", "surroundings"}
    assert utility.groupby("scenario")["answer"].nunique().to_dict() == {"clothes": 3, "surroundings": 3}


def test_more_photos_a_scenario_and_fewer_people(build: Build, options: dict[str, Any]) -> None:
    dataset = build(**options, photos_per_scenario=2, limit=1)
    assert sorted(dataset.pairs["pair_id"]) == [
        "evaluation-000-friends",
        "evaluation-000-friends-1",
        "evaluation-000-home",
        "evaluation-000-home-1",
    ]
    assert dataset.pairs["image"].nunique() == 4


def test_a_real_person_without_consent_is_no_reference(
    save_reference: SaveReference, options: dict[str, Any], tmp_path: Path
) -> None:
    rows = photo_rows()
    rows[2] |= {"source": "real", "consent": " "}
    order = BuildOrder(save_reference(rows), tmp_path / "build")
    with pytest.raises(DataError, match=rf"photo '{rows[2]['photo_id']}': consent is empty"):
        make_generator("diffusion", options).build(order)
    assert not (tmp_path / "build").exists()


def test_a_consent_that_is_stated_goes_with_the_photos(
    save_reference: SaveReference, options: dict[str, Any], tmp_path: Path
) -> None:
    rows = photo_rows()
    for row in rows:
        row |= {"source": "real", "licence": "own", "consent": f"written, {row['person_id']}"}
    dataset = make_generator("diffusion", options).build(BuildOrder(save_reference(rows), tmp_path / "build"))
    assert set(dataset.pairs["licence"]) == {"own"}
    for person, consent in zip(dataset.pairs["person_id"], dataset.pairs["consent"], strict=True):
        assert consent.startswith(f"written, {person} (synthesized from")


def test_an_unknown_reference_dataset_is_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no-such-dataset"):
        make_generator("diffusion", options).build(BuildOrder("no-such-dataset", tmp_path))


def with_safety_check(pipeline: Path, folder: Path, threshold: float) -> str:
    """The pipeline with a safety check that holds nothing (1) or everything (-1) to be unsafe beyond ``threshold``."""
    import torch
    from diffusers import StableDiffusionPipeline
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(vision_config={**vision, "image_size": 32, "patch_size": 8}, projection_dim=8)
    check = StableDiffusionSafetyChecker(config)
    check.concept_embeds_weights = torch.nn.Parameter(torch.full((17,), threshold), requires_grad=False)
    check.special_care_embeds_weights = torch.nn.Parameter(torch.ones(3), requires_grad=False)
    checked = StableDiffusionPipeline.from_pretrained(
        pipeline,
        safety_checker=check,
        feature_extractor=CLIPImageProcessor(size=32, crop_size=32),
        requires_safety_checker=True,
    )
    checked.save_pretrained(folder)
    return str(folder)


def test_a_photo_that_is_blackened_every_time_is_told(
    build: Build, sd: Path, options: dict[str, Any], tmp_path: Path
) -> None:
    lenient = with_safety_check(sd, tmp_path / "lenient", 2.0)
    assert len(build(**{**options, "checkpoint": lenient}, limit=1).pairs) == 2
    strict = with_safety_check(sd, tmp_path / "strict", -2.0)
    with pytest.raises(
        VeilBenchError, match=r"photo 'evaluation-000-\w+': the checkpoint's safety check blackened it 3"
    ):
        build(**{**options, "checkpoint": strict}, limit=1)
