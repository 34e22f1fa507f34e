"""What a plan puts under audit, loaded and checked before roles are drawn: rows, model or answers, recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gnomon.auditing.inputs.given_answers import read_as_it_is, united_answers
from gnomon.auditing.inputs.plugins import PlugIns, load_plugins
from gnomon.auditing.inputs.roles import RowSplit
from gnomon.auditing.settings import NOTHING, Trust, refuse_sending
from gnomon.core.arrays import Floats
from gnomon.core.data.dataset import Dataset
from gnomon.core.errors import PlanError, UsageError, did_you_mean
from gnomon.core.network_recipe import NETWORK_OPTIONS
from gnomon.core.outputs import Outputs
from gnomon.core.plan import DataPlan, Plan, TargetPlan, TrainerPlan, make_table
from gnomon.core.protocols import Gives, Model, ModelAbilities, Trainer, TrainerAbilities
from gnomon.core.system import content_digest
from gnomon.datasets import load_dataset
from gnomon.datasets.own_files.answer_files import AnswerTable, read_answers
from gnomon.datasets.own_files.csv_files import CsvFormat
from gnomon.datasets.own_files.files import Features
from gnomon.datasets.own_files.tables import read_tables
from gnomon.models import torch as networks
from gnomon.models.callable import CallableModel
from gnomon.models.command import CommandTrainer
from gnomon.models.endpoint.headers import read_headers
from gnomon.models.endpoint.model import open_endpoint
from gnomon.models.endpoint.trainer import ServiceTrainer
from gnomon.models.files import located, read_model
from gnomon.models.function import FunctionTrainer
from gnomon.models.plugins import estimator_from_path, import_object
from gnomon.models.readers.model_file import ModelFile, Use
from gnomon.models.sklearn import SklearnTrainer


@dataclass(frozen=True)
class AuditInputs:
    """What is audited.

    Attributes:
        data: all rows.
        parts: known members, known non-members, further rows; None if the target is to be trained here.
        own_ids: the row ids are the user's own.
        model: the target, if it is given.
        answers: (N, c) the target's answers on all rows, if only these are given.
        trainer: the target's recipe, or None if nobody knows it.
        shadow_trainer: the recipe that the attacker uses; usually the same object.
        tables: the files of answers as they were read.
        files: SHA-256 of the files that the target is read from, by what they are.
        plugins: what of other packages is used.
    """

    data: Dataset
    parts: RowSplit | None
    own_ids: bool
    model: Model | None
    answers: Floats | None
    trainer: Trainer | None
    shadow_trainer: Trainer | None
    tables: tuple[AnswerTable, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    plugins: PlugIns = field(default_factory=PlugIns)

    @property
    def gives(self) -> Gives:
        """What the target answers with by itself."""
        if self.model is None and self.answers is None:
            return TrainerAbilities.of(self.trainer).gives
        return ModelAbilities.of(self.model).gives


def load_inputs(plan: Plan, trusted: Trust = NOTHING) -> AuditInputs:
    """Loads what a plan names.

    Args:
        plan: the plan.
        trusted: what the user trusts.

    Raises:
        GnomonError: a missing or broken file, columns that differ, a model that can't be loaded, keys that clash.
    """
    trust = trusted.trust
    refuse_sending(plan, trusted)
    plugins = load_plugins(plan, trust=trust)
    if plan.target.model is not None:
        here = plan.target.model_copy(update={"model": str(located(plan.target.model))})
        plan = plan.model_copy(update={"target": here})
    given = _read_given(plan.target, trusted)
    data, parts = _load_rows(plan.data, plan.target, given)
    if data.bare and (plan.trainer.sets("kind") or plan.shadow.recipe is not None):
        raise PlanError(
            "trainer: there are labels and answers but no features, which shadow models would be trained on; give "
            "data.members and data.nonmembers with features, or leave the recipe out"
        )
    if plan.data.features is not None:
        data = data.declaring(plan.data.features)
    loaded = _load_model(plan.target, plan.trainer, given, data, parts, trust=trust)
    model = read_as_it_is(loaded, data, plan.target.reveals)
    answers, tables = _load_answers(plan.target, plan.data, data, parts)
    if model is not None and answers is not None:
        raise PlanError("target: give a model or its answers, not both")
    trainer = speaking(make_trainer(plan.trainer, model, trust=trust, outputs=_head(plan.target)), data)
    if plan.target.train_again:
        if trainer is None:
            raise PlanError(
                "target.train_again: nobody knows how the model was trained; give its recipe in [trainer], or name "
                "mitigations of answers"
            )
        model, answers, tables = None, None, []
    elif model is None and answers is None:
        if parts is not None and plan.trainer.kind in ("clone", "none"):
            raise PlanError(
                "target: give target.model, target.endpoint, target.callable, the answers files, or a recipe in "
                "[trainer]"
            )
        if plan.trainer.kind == "clone":
            raise PlanError(
                'trainer.kind: "clone" needs target.model; a target that is trained here needs a recipe, e.g. "torch"'
            )
    guessed = plan.shadow.recipe
    shadow_trainer = trainer if guessed is None else speaking(make_trainer(guessed, model, trust=trust), data)
    return AuditInputs(
        data,
        parts,
        plan.data.id is not None,
        model,
        answers,
        trainer,
        shadow_trainer,
        tuple(tables),
        _digests(plan.target),
        plugins,
    )


def _digests(target: TargetPlan) -> dict[str, str]:
    """SHA-256 of each file that the target is read from: they say later which model was audited."""
    if target.train_again:
        return {}
    given = {"model file": target.model, "member answers": target.member_answers}
    given["non-member answers"] = target.nonmember_answers
    return {f"{what} (SHA-256)": content_digest(Path(file)) for what, file in given.items() if file is not None}


def _read_given(target: TargetPlan, trusted: Trust) -> ModelFile | None:
    """The target's file or endpoint, if there is one."""
    if target.model is None:
        if trusted.trust_type:
            raise UsageError("--trust-type names types in the model's file: give --model")
        return None if target.endpoint is None else open_endpoint(target)
    if target.callable is not None:
        raise PlanError("target: give model or callable, not both")
    return read_model(target.model, trusted.trust, trusted.trust_type, target.reader)


def _load_rows(data: DataPlan, target: TargetPlan, given: ModelFile | None) -> tuple[Dataset, RowSplit | None]:
    if data.source is not None:
        if target.model or target.callable or target.endpoint or target.member_answers:
            raise PlanError(
                "target: a model of your own needs data.members and data.nonmembers (files), not data.source"
            )
        return load_dataset(data.source, classes=data.classes), None
    assert data.members is not None
    assert data.nonmembers is not None
    tables = read_tables(
        Path(data.members),
        Path(data.nonmembers),
        None if data.pool is None else Path(data.pool),
        label=data.label,
        id=data.id,
        group=data.group,
        known=None if given is None else given.known,
        columns=None if given is None else given.columns,
        csv=CsvFormat(**data.csv.model_dump()),
        features=_features(data, target),
    )
    found = tables.dataset
    if given is not None and (rows := given.rows(found.x)) is not found.x:
        found = found.with_rows(rows)
    return found, RowSplit(tables.members, tables.nonmembers, tables.pool)


def _features(data: DataPlan, target: TargetPlan) -> Features:
    """Whether the files of rows must hold features: answers are audited with labels alone, too."""
    if target.member_answers is None:
        return "needed"
    return "none" if data.members == target.member_answers else "optional"


def _load_model(
    target: TargetPlan,
    recipe: TrainerPlan,
    given: ModelFile | None,
    data: Dataset,
    parts: RowSplit | None,
    *,
    trust: bool,
) -> Model | None:
    if given is not None:
        network = make_trainer(recipe, None, trust=trust, outputs=_head(target)) if recipe.kind == "torch" else None
        return given.model(
            Use(
                data.classes,
                target.outputs or "probabilities",
                data.x,
                None if parts is None else len(parts.members),
                network,
            )
        )
    if target.callable is not None:
        return CallableModel(
            import_object(target.callable, trust=trust),
            outputs=target.outputs or "probabilities",
            n_classes=data.n_classes,
        )
    return None


def _load_answers(
    target: TargetPlan, columns: DataPlan, data: Dataset, parts: RowSplit | None
) -> tuple[Floats | None, list[AnswerTable]]:
    files = (target.member_answers, target.nonmember_answers)
    if files == (None, None):
        return None, []
    if None in files or parts is None:
        raise PlanError(
            "target: member_answers and nonmember_answers belong together, with data.members and data.nonmembers"
        )
    tables: list[AnswerTable] = []
    ignored = [name for name in (columns.label, columns.group) if name is not None]
    for file, rows in zip(files, (parts.members, parts.nonmembers), strict=True):
        table = read_answers(
            str(file),
            target.outputs or "probabilities",
            data.classes,
            len(rows),
            columns.id,
            data.ids[rows],
            target.reveals,
            ignored,
            CsvFormat(**columns.csv.model_dump()),
        )
        tables.append(table)
    return united_answers(tables, data, (parts.members, parts.nonmembers)), tables


def _head(target: TargetPlan) -> Outputs:
    """What the network of given weights gives."""
    return "logits" if target.model is None or target.outputs is None else target.outputs


def make_trainer(
    plan: TrainerPlan, target: Model | None, *, trust: bool, outputs: Outputs = "logits"
) -> Trainer | None:
    """The trainer that a [trainer] table describes; None for kind "none", or a clone of what cannot be cloned.

    Args:
        plan: the table.
        target: the model under attack, if it is given; kind "clone" refits its estimator.
        trust: whether code that the plan names may be imported.
        outputs: what a network of the user's own gives.

    Raises:
        PlanError: a key that the kind needs is missing.
    """
    if plan.kind == "none":
        return None
    if plan.kind == "torch":
        plain = networks.TorchTrainer(**_torch_options(plan, trust), outputs=outputs)
        return plain if plan.dp is None else networks.DPTrainer(plain, **plan.dp.model_dump())
    if plan.kind == "sklearn":
        if plan.estimator is None:
            raise PlanError(
                'trainer.estimator is missing: kind = "sklearn" needs e.g. sklearn.ensemble:RandomForestClassifier'
            )
        return SklearnTrainer(estimator_from_path(plan.estimator, plan.params, trust=trust), files=plan.files)
    if plan.kind == "function":
        if plan.function is None:
            raise PlanError('trainer.function is missing: kind = "function" needs module:function')
        return FunctionTrainer(import_object(plan.function, trust=trust), dict(plan.params), files=plan.files)
    if plan.kind == "command":
        return _command(plan, trust)
    if plan.kind == "service":
        return _service(plan)
    cloned = ModelAbilities.of(target).clone_recipe(plan.params)
    return replace(cloned, files=plan.files) if isinstance(cloned, SklearnTrainer) else cloned


def speaking(trainer: Trainer | None, data: Dataset) -> Trainer | None:
    """The trainer with the data set's labels, where it hands labels on to code of the user's."""
    changed = TrainerAbilities.of(trainer).for_labels(data.classes, data.labels)
    return trainer if changed is None else changed


def trainer_from(value: Any, target: Model | None, *, trust: bool = True) -> Trainer | None:
    """A trainer from what a Python caller may give: a Trainer, "clone", None, or a [trainer] table as a dict."""
    if value is None or isinstance(value, Trainer):
        return value
    if isinstance(value, dict):
        return make_trainer(make_table(TrainerPlan, value, "trainer"), target, trust=trust)
    if value == "clone":
        return ModelAbilities.of(target).clone_recipe()
    if isinstance(value, str):
        raise UsageError(f'trainer: "{value}" is unknown{did_you_mean(value, ["clone"])}')
    raise UsageError(f'trainer: expected "clone", a Trainer, a table or None, got {type(value).__name__}')


def _command(plan: TrainerPlan, trust: bool) -> CommandTrainer:
    assert plan.train is not None
    assert plan.predict is not None
    if not trust:
        raise UsageError(f"trainer.train would run the command {plan.train}; give --trust to allow it")
    return CommandTrainer(
        plan.train,
        plan.predict,
        exchange=plan.exchange,
        timeout=plan.timeout,
        files=plan.files,
        version=plan.version,
    )


def _service(plan: TrainerPlan) -> ServiceTrainer:
    assert plan.address is not None
    read_headers(plan.headers, "trainer.headers")  # refuses what is not set before anything is trained
    return ServiceTrainer(
        plan.address,
        plan.headers,
        timeout=plan.timeout,
        poll=plan.poll,
        max_jobs=plan.max_jobs,
        version=plan.version,
    )


def _torch_options(plan: TrainerPlan, trust: bool) -> dict[str, Any]:
    options = {name: getattr(plan, name) for name in (*NETWORK_OPTIONS, "files")}
    if ":" in plan.module:
        import_object(plan.module, trust=trust)
    return options
