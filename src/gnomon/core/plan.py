"""Plan: what to audit, validated. One of the two border documents (the other is the Record).

A plan is a TOML file or the same thing built in Python. Unknown keys are refused with "did you mean".
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gnomon.core.data.augmentations import VERSION_WORDS, is_augmentation
from gnomon.core.documents.endpoint import (
    PROTOCOL_WORDS,
    PROTOCOLS,
    Address,
    Headers,
    Protocol,
    RequestsPlan,
    variables_in,
)
from gnomon.core.documents.record_parts import CanariesPlan, ReleasePlan, StructurePlan
from gnomon.core.documents.schema import EACH_ONCE, CodeName, FileName, PlanTable
from gnomon.core.errors import PlanError, UsageError, did_you_mean, expect, no_text
from gnomon.core.model_formats import MODEL_FILES
from gnomon.core.network_recipe import NETWORK_OPTIONS, NetworkRecipe, Precision, check_network_option

Table = TypeVar("Table", bound=PlanTable)


class CsvPlan(PlanTable):
    """[data.csv]: how csv files are written, where gnomon does not find it out."""

    separator: str | None = Field(
        None, min_length=1, max_length=1, description='between fields; default found out, ","'
    )
    decimal: Literal[".", ","] | None = Field(None, description="decimal sign of numbers; default found out")
    encoding: str | None = Field(None, description="of the text, e.g. latin-1; default found out, utf-8")
    numbers: Annotated[tuple[str, ...], EACH_ONCE] = Field(
        (), description='columns that are numbers although some begin with 0; others (codes such as "007") are text'
    )
    thousands: str | None = Field(
        None, min_length=1, max_length=1, description="what groups the digits of numbers (1,234); default found out"
    )
    missing: Annotated[tuple[str, ...] | None, EACH_ONCE] = Field(
        None, description='words for a missing value next to empty fields; default as pandas ("NA", "None", "nan", ...)'
    )

    @model_validator(mode="after")
    def _two_signs(self) -> CsvPlan:
        if self.thousands is not None and (self.thousands == self.decimal or self.thousands.isalnum()):
            raise ValueError(f'thousands = "{self.thousands}" can\'t group the digits of numbers; leave it out')
        return self


OF_NAMED_DATA = ("classes", "rows", "train_size")  # keys that have no effect on files of the user's own
OF_FILES = ("pool", "label", "id", "group", "csv")  # and those that have none on a data set by name


class DataPlan(PlanTable):
    """[data]: a data set by name, or files of the user's own."""

    source: str | None = Field(None, description="a data set by name (gnomon list datasets), e.g. baskets")
    members: FileName | None = Field(
        None, description="file of the rows that the target was trained on (csv, parquet, npz)"
    )
    nonmembers: FileName | None = Field(None, description="file of rows that it was not trained on")
    pool: FileName | None = Field(
        None, description="file of further rows that the attacker holds (data for shadow models)"
    )
    label: str | None = Field(None, description="name of the label column (npz: key; default y)")
    id: str | None = Field(None, description="name of the column with row ids")
    group: str | None = Field(None, description="name of the column with the person or household of a row")
    csv: CsvPlan = CsvPlan()  # how csv files are written, where gnomon does not find it out
    drop_overlap: bool = Field(
        False, description="leave out of the audit, on both sides, rows that stand among members and non-members"
    )
    split_by_group: bool = Field(
        False, description="for a target that is trained here: all rows of a person or household are members, or none"
    )
    classes: int | None = Field(None, ge=2, description="number of classes, where the data set offers several")
    features: tuple[dict[str, Any], ...] | None = Field(
        None,
        description="what a legal record is, as [[data.features]] tables with name, kind (binary, categorical, "
        "integer, real), columns, low, high, values; default inferred from the rows",
    )
    rows: int | None = Field(None, ge=2, description="use this many rows, drawn at random; default all")
    train_size: int | None = Field(None, ge=1, description="rows that the target is trained on, if it is trained here")
    nonmember_size: int | None = Field(
        None, ge=1, description="number of audited non-members; default as many as members if the data allow it"
    )
    keep_apart: bool | None = Field(
        None,
        description="adversary's view: keep audited non-members out of the attacker's pool; "
        "default true if the data allow it",
    )
    population_size: int | None = Field(
        None, ge=0, description="auditor's view: known non-members held out for the attacker"
    )
    reference_size: int | None = Field(
        None,
        ge=1,
        description="rows held out for fitting mitigations only; "
        "default none. Audits with the same number share their models",
    )

    @model_validator(mode="after")
    def _one_source(self) -> DataPlan:
        files = self.members is not None or self.nonmembers is not None
        if files == (self.source is not None):
            raise ValueError('expected either source = "NAME" or the files members and nonmembers')
        if files and (self.members is None or self.nonmembers is None):
            raise ValueError("expected both files, members and nonmembers")
        for key in OF_NAMED_DATA if files else OF_FILES:
            if getattr(self, key) != type(self).model_fields[key].default:
                why = "files hold the rows and their classes" if files else "the data set has its own rows and columns"
                raise ValueError(f"{key} does nothing here: {why}; leave it out")
        return self


SHOWN_BY = {"labels": "labels", "confidence": "top:1"}  # what answers of an endpoint show that are no probabilities


class TargetPlan(PlanTable):
    """[target]: the model under attack; without any key it is trained here with [trainer]."""

    model: FileName | None = Field(None, description=MODEL_FILES)
    reader: CodeName | None = Field(
        None, description="module:function that reads what target.model names, in place of gnomon's own (needs --trust)"
    )
    callable: CodeName | None = Field(
        None, description="module:function that maps rows to probabilities (needs --trust)"
    )
    train_again: bool = Field(
        False,
        description="audit what the recipe ([trainer]; by default the model's own) makes of the members in place "
        "of the model that is given: mitigations in training need it, and defend sets it for them",
    )
    endpoint: Address | None = Field(None, description="address of a service that answers for the model (endpoints.md)")
    protocol: Protocol | None = Field(None, description=f"how the endpoint is spoken to; {PROTOCOL_WORDS}")
    headers: Headers = Field(
        default_factory=dict,
        description='headers of each request, from environment variables: { Authorization = "Bearer env:TOKEN" }',
    )
    requests: RequestsPlan = Field(RequestsPlan(), description="how the endpoint is queried")
    outputs: Literal["probabilities", "logits", "log_probabilities"] | None = Field(
        None,
        description="what the callable, the endpoint, the ONNX model or the answers file gives (default "
        "probabilities), or the network of given weights (default logits)",
    )
    member_answers: FileName | None = Field(None, description="file of the model's probabilities for the members")
    nonmember_answers: FileName | None = Field(
        None, description="file of the model's probabilities for the non-members"
    )
    reveals: str = Field("full", description="what the target reveals: full, labels, top:K or rounded:D")
    repeats: int = Field(
        1, ge=1, description="number of targets that are trained and attacked, to show the spread between them"
    )
    checkpoints: int | None = Field(
        None,
        ge=1,
        description="for a target that is trained here: number of evenly spaced checkpoints that attackers see "
        "too; default none, or 10 if a named attack reads them",
    )
    query_budget: int | None = Field(
        None,
        ge=0,
        description="most further queries to the target, shared among the attacks that query it; without a budget only "
        "attacks in attacks.names may query it, without limit. For an endpoint: most records that are ever sent, those "
        "of the audit itself and of further tries included",
    )

    @property
    def given(self) -> bool:
        """Whether a model or its answers are given, so that nothing has to be trained for them."""
        return any((self.model, self.callable, self.endpoint, self.member_answers))

    @model_validator(mode="before")
    @classmethod
    def _labels_reveal_labels(cls, values: Any) -> Any:
        requests = values.get("requests") if isinstance(values, dict) else None
        shown = SHOWN_BY.get(str(requests.get("answers"))) if isinstance(requests, dict) else None
        return values if shown is None else {"reveals": shown, **values}

    @model_validator(mode="after")
    def _one_target(self) -> TargetPlan:
        if self.endpoint is None:
            for key in ("protocol", "headers", "requests"):
                if self.sets(key):
                    raise ValueError(f"{key} is for a model behind an endpoint: give endpoint, or leave {key} out")
            return self
        others = [key for key in ("model", "callable", "member_answers", "nonmember_answers") if getattr(self, key)]
        if others:
            raise ValueError(f"give endpoint or {others[0]}, not both")
        if self.protocol is None:
            raise ValueError(f"protocol is missing: an endpoint needs one of {', '.join(PROTOCOLS)}")
        self.requests.check_for(self.protocol)
        shown = SHOWN_BY.get(self.requests.answers)
        if shown is not None and self.reveals not in (shown, "labels"):
            raise ValueError(
                f'an endpoint whose answers are "{self.requests.answers}" reveals "{shown}", got reveals = '
                f'"{self.reveals}"'
            )
        return self


class PrivacyPlan(PlanTable):
    """[trainer.dp]: differentially private training (DP-SGD) of a torch recipe."""

    epsilon: float | None = Field(None, gt=0, description="target epsilon, which determines the noise (or give noise)")
    noise: float | None = Field(
        None, ge=0, description="noise multiplier: the noise's standard deviation over clip; 0 clips only"
    )
    delta: float | None = Field(
        None, gt=0, lt=1, description="default the largest power of ten below 1 / number of training rows"
    )
    clip: float = Field(1.0, gt=0, description="largest norm of a row's gradient")
    accountant: Literal["prv", "rdp"] = Field("prv", description="prv (tighter) or rdp (quicker)")

    @model_validator(mode="after")
    def _one_strength(self) -> PrivacyPlan:
        if (self.epsilon is None) == (self.noise is None):
            raise ValueError("expected either epsilon or noise")
        return self


NEEDED = {"command": ("train", "predict"), "service": ("address",)}
TRAINER_KEYS = {
    "command": ("train", "predict", "exchange"),
    "service": ("address", "headers", "max_jobs", "poll"),
}


class TrainerPlan(PlanTable):
    """[trainer]: the recipe of the target and of its shadow models."""

    kind: Literal["torch", "sklearn", "function", "command", "service", "clone", "none"] = Field(
        "clone",
        description="torch, sklearn, function, command (command lines), service (over HTTP), clone (of a scikit-learn "
        "target) or none",
    )
    module: CodeName = Field(
        NetworkRecipe.module,
        description="torch: mlp, cnn, or module:function returning a torch.nn.Module (needs --trust)",
    )
    hidden: tuple[int, ...] = Field(NetworkRecipe.hidden, description="mlp, cnn: units of the hidden layers")
    activation: Literal["tanh", "relu"] = Field(NetworkRecipe.activation, description="mlp, cnn: activation")
    dropout: float = Field(NetworkRecipe.dropout, description="mlp, cnn: dropout rate")
    optimizer: Literal["adam", "sgd"] = Field(NetworkRecipe.optimizer, description="torch: optimiser")
    learning_rate: float = Field(NetworkRecipe.learning_rate, description="torch: learning rate")
    weight_decay: float = Field(
        NetworkRecipe.weight_decay, description="torch: L2 penalty lambda, added to the gradient as lambda * theta"
    )
    momentum: float = Field(NetworkRecipe.momentum, description="torch: momentum of sgd")
    batch: int = Field(NetworkRecipe.batch, description="torch: rows in each step")
    epochs: int = Field(NetworkRecipe.epochs, description="torch: passes over the rows")
    patience: int | None = Field(
        NetworkRecipe.patience,
        description="torch: early stopping, epochs without a better loss on the tenth of the rows held out for it",
    )
    device: str = Field(NetworkRecipe.device, description="torch: cpu, cuda, cuda:N, or auto")
    precision: Precision = Field(
        NetworkRecipe.precision,
        description="torch, on a GPU: fp32 (exact), tf32 (products with 10 bits of fraction) or bf16 (with 7); faster, "
        "and another model, so that answers are stored apart",
    )
    graph: bool = Field(
        NetworkRecipe.graph,
        description="torch, on a GPU: run the steps of a stack as a CUDA graph, where they can be; stored apart",
    )
    estimator: CodeName | None = Field(
        None, description="sklearn: module:Class, e.g. sklearn.ensemble:RandomForestClassifier"
    )
    params: dict[str, Any] = Field(
        default_factory=dict,
        description="sklearn, function: keyword arguments; clone: parameters that the model's file does not hold",
    )
    function: CodeName | None = Field(
        None, description="function: module:function(x, y, n_classes, seed, **params) -> model (needs --trust)"
    )
    files: Annotated[tuple[FileName, ...], EACH_ONCE] = Field(
        (),
        description="files that code of your own reads (function, estimator, module, command): models are trained "
        "again when one of them changes",
    )
    train: str | None = Field(
        None,
        description="command: the command line that trains, with {rows}, {model} and {seed}, e.g. "
        '"Rscript fit.R {rows} {model} {seed}" (needs --trust; endpoints.md)',
    )
    predict: str | None = Field(None, description="command: the one that answers, with {model}, {rows} and {answers}")
    exchange: Literal["csv", "parquet", "npz"] = Field("csv", description="command: what its files of rows are")
    timeout: float = Field(
        3600.0, gt=0, description="command: seconds for one command; service: for the training of one model"
    )
    version: str = Field(
        "", description="command, service: what else decides what comes out; models are trained again when it changes"
    )
    address: Address | None = Field(None, description="service: where it is, e.g. https://host/v1 (endpoints.md)")
    headers: Headers = Field(
        default_factory=dict, description='service: as target.headers, e.g. { Authorization = "Bearer env:TOKEN" }'
    )
    max_jobs: int | None = Field(
        None, ge=1, description="service: most models that it may be told to train, in all runs into one folder"
    )
    poll: float = Field(
        5.0, gt=0, le=86400, description="service: seconds between two looks at a model that is being trained"
    )
    dp: PrivacyPlan | None = Field(
        None, description="torch: train with differential privacy (needs Opacus, gnomon's extra dp)"
    )

    @field_validator(*NETWORK_OPTIONS)
    @classmethod
    def _can_be(cls, value: Any, info: ValidationInfo) -> Any:
        try:
            check_network_option(str(info.field_name), value)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _of_its_kind(self) -> TrainerPlan:
        for kind, keys in TRAINER_KEYS.items():
            for key in keys:
                if self.sets(key) and self.kind != kind:
                    raise ValueError(f'trainer.{key} is for kind = "{kind}", got kind = "{self.kind}"')
                if self.kind == kind and getattr(self, key) is None and key in NEEDED[kind]:
                    raise ValueError(f'trainer.{key} is missing: kind = "{kind}" needs {" and ".join(NEEDED[kind])}')
        return self

    @model_validator(mode="after")
    def _private_torch(self) -> TrainerPlan:
        if self.dp is not None and self.kind != "torch":
            raise ValueError(f'trainer.dp is for kind = "torch", got kind = "{self.kind}"')
        return self


LONGEST_NAME = 100
IN_MEMORY = "(in memory)"  # in the place of a file, where Python objects were given
PLAN_BYTES = 16 * 2**20

ShadowSource = Annotated[
    str, StringConstraints(pattern=r"^(real|noisy(:(0?\.[0-9]+|0|1))?|marginals|climbing(:(plain|guided))?)$")
]


class ClimbingPlan(PlanTable):
    """[shadow.climbing]: Algorithm 1 of Shokri et al. (2017), and who searches."""

    searcher: Literal["plain", "guided"] = Field(
        "plain", description="plain: the paper's climb; guided: learns, and needs fewer queries"
    )
    guess: Literal["none", "marginals"] = Field(
        "none", description="guided: what the attacker knows of the features beforehand"
    )
    sharpness: float = Field(1.0, ge=0, description="guided: how far proposals are tilted towards the class")
    kmax: int = Field(
        128, ge=1, description="features redrawn in a proposal at first (recalled, not stated in the paper)"
    )
    kmin: int = Field(4, ge=1, description="features redrawn in a proposal at last (recalled)")
    rejmax: int = Field(10, ge=0, description="rejections in a row after which k is halved (recalled)")
    confmin: float = Field(
        0.2, ge=0, lt=1, description="least probability of the class that a record must have (recalled)"
    )
    itermax: int = Field(500, ge=1, description="most queries of one climber")
    failmax: int = Field(5, ge=1, description="a class is given up after failmax * (records found + 1) failed climbers")
    climbers: int = Field(1024, ge=1, description="climbers whose queries go into one batch")
    budget: int | None = Field(None, ge=1, description="most queries in all, never exceeded")


class ShadowPlan(PlanTable):
    """[shadow]: how many shadow models, on which rows."""

    count: int = Field(16, ge=0, description="number of shadow models m")
    size: int | None = Field(
        None, ge=1, description="training rows of each shadow model; default as many as the target's"
    )
    source: Annotated[ShadowSource | tuple[ShadowSource, ...], EACH_ONCE] = Field(
        "real",
        description="where the rows of shadow models come from: real, noisy, marginals, climbing, also noisy:0.2 and "
        "climbing:guided; a list compares several sources",
    )
    noise: float = Field(0.1, ge=0, le=1, description="noisy: rate at which each feature is flipped or redrawn")
    rows: int | None = Field(
        None,
        ge=2,
        description="marginals, climbing: number of records to generate; default as many as the real pool holds",
    )
    marginals: FileName | None = Field(
        None, description="marginals: file of marginals (gnomon synth); default counted on the pool"
    )
    climbing: ClimbingPlan = ClimbingPlan()  # how records are searched for
    recipe: TrainerPlan | None = Field(None, description="the attacker's guess of the recipe; default the target's own")
    mitigated: bool = Field(
        True,
        description="whether the attacker knows the mitigations: shadow models are trained with them and answer "
        "through them",
    )

    @property
    def sources(self) -> tuple[ShadowSource, ...]:
        """The sources, the first of which the audit speaks of."""
        return (self.source,) if isinstance(self.source, str) else self.source


def _check_query(text: str) -> str:
    if not is_augmentation(text):
        raise ValueError(f'expected {VERSION_WORDS}, got "{text}"')
    return text


Query = Annotated[str, AfterValidator(_check_query)]


class AttacksPlan(PlanTable):
    """[attacks]: which, and with which options."""

    names: tuple[str, ...] | None = Field(
        None, description="attacks by name (gnomon list attacks); default all that apply"
    )
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="options by attack: [attacks.options.shokri] hidden = 64"
    )
    queries: Annotated[tuple[Query, ...], EACH_ONCE] = Field(
        (),
        description="augmentations: changed copies of each record with which all models are queried too (for LiRA, "
        "RMIA, BaVarIA, calibrated): "
        '"mirror" and "shift:1" (four shifts) of images, "flips:0.02x4" (four patterns of flipped bits or changed '
        'categories), "noise:0.1" of numbers in units of their spread; joined with + they change one copy',
    )
    ladder: bool = Field(
        True,
        description="with shadow models: what attackers gain who know more, how far attacks agree, and whether "
        "more shadow models would help",
    )
    rehearsals: int = Field(4, ge=0, description="shadow models that stand in for the target to calibrate thresholds")


class StatisticsPlan(PlanTable):
    """[statistics]: what is estimated."""

    fprs: Annotated[tuple[Annotated[float, Field(ge=1e-6, lt=1)], ...], EACH_ONCE] = Field(
        (0.1, 0.01, 0.001, 0.0001), description="false-positive rates at which the true-positive rate is measured"
    )
    slices: Annotated[tuple[str, ...], EACH_ONCE] = Field(
        (), description='leakage by part: "class", a column ("sex"), or a column cut into quantiles ("age:4")'
    )
    confidence: float = Field(0.95, gt=0.5, le=0.999999, description="confidence level of every interval")


class PreflightPlan(PlanTable):
    """[preflight]: findings to ignore."""

    override: Annotated[tuple[str, ...], EACH_ONCE] = Field((), description="preflight errors to ignore, by code")


def check_name(name: str) -> str:
    """The name of a run, which is also the name of its folder: nothing that leads out of ``runs/``.

    >>> check_name("forest-2.1")
    'forest-2.1'
    >>> check_name("../forest")
    Traceback (most recent call last):
    ValueError: expected a name of 1 to 100 letters, digits, -, _ and ., not with a dot first, got '../forest'
    """
    if 0 < len(name) <= LONGEST_NAME and not name.startswith(".") and all(c.isalnum() or c in "-_." for c in name):
        return name
    raise ValueError(
        f"expected a name of 1 to {LONGEST_NAME} letters, digits, -, _ and ., not with a dot first, got "
        f"{name[: LONGEST_NAME + 1]!r}"
    )


def split_names(names: Any) -> Any:
    """Names of attacks, from a text with commas between them, or as they are.

    >>> split_names("lira, rmia")
    ['lira', 'rmia']
    """
    return [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else names


def name_of(file: Path) -> str:
    """The name of a run whose plan gives none: its file's, with what a name can't hold replaced.

    >>> name_of(Path("plans/my plan.toml"))
    'my-plan'
    """
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in file.stem).lstrip(".")
    return name[:LONGEST_NAME] or "audit"


class Plan(PlanTable):
    """What to audit."""

    name: Annotated[str, AfterValidator(check_name)] = Field(
        "audit", description="run name shown in reports: letters, digits, - _ and ., at most 100"
    )
    seed: int = Field(0, ge=0, description="root of all random streams")
    view: Literal["adversary", "auditor"] = Field(
        "auditor", description="adversary: shadows never see audited rows; auditor: they do (worst case)"
    )
    mitigations: Annotated[tuple[str, ...], EACH_ONCE] = Field(
        (),
        description='mitigations of the target\'s training and answers, in order: "top3", "temperature5", ... '
        "(mitigations.md)",
    )
    data: DataPlan  # the rows
    target: TargetPlan = TargetPlan()  # the model under attack
    trainer: TrainerPlan = TrainerPlan()  # the recipe of the target and of its shadow models
    shadow: ShadowPlan = ShadowPlan()  # how many shadow models, on which rows
    attacks: AttacksPlan = AttacksPlan()  # which attacks, and their options
    statistics: StatisticsPlan = StatisticsPlan()  # what is estimated
    preflight: PreflightPlan = PreflightPlan()  # findings to ignore
    release: ReleasePlan = ReleasePlan()  # what the model is to be released for
    structure: StructurePlan = StructurePlan()  # what is held against a risk appetite
    canaries: CanariesPlan | None = Field(None, description="a lower bound on epsilon from one more training")

    @model_validator(mode="before")
    @classmethod
    def _answers_are_rows(cls, values: Any) -> Any:
        """Files of answers that hold the true labels, too, stand for the files of rows where none are named."""
        target, data = (values.get(name) or {} for name in ("target", "data")) if isinstance(values, dict) else ({}, {})
        files = [target.get(key) for key in ("member_answers", "nonmember_answers")] if isinstance(target, dict) else []
        given = not isinstance(data, dict) or any(data.get(key) for key in ("source", "members", "nonmembers"))
        if given or None in files or not files:
            return values
        return {**values, "data": {**data, "members": files[0], "nonmembers": files[1]}}

    def sends(self) -> Iterator[tuple[str, str, list[str]]]:
        """Each key that names an address, the address, and variables of the environment whose values are sent there."""
        if self.target.endpoint is not None:
            yield "target.endpoint", self.target.endpoint, variables_in(self.target.headers)
        for key, recipe in (("trainer", self.trainer), ("shadow.recipe", self.shadow.recipe)):
            if recipe is not None and recipe.address is not None:
                yield f"{key}.address", recipe.address, variables_in(recipe.headers)


def make_plan(values: dict[str, Any], source: str = "plan") -> Plan:
    """A checked plan from nested dictionaries.

    Raises:
        PlanError: one line that names the key, what was expected and what came.
        UsageError: no tables.
    """
    expect("values", values, dict, "the tables of a plan as a dict (read_plan reads a file)")
    strange = no_text(_texts(values))
    if strange is not None:
        raise PlanError(f"{source}: {strange} is no text that a plan can hold; rename what is called so")
    if any("\0" in text for text in _texts(values)):
        raise PlanError(f"{source}: a NUL stands in a text, which no file or column can be called")
    try:
        return Plan.model_validate(values)
    except ValidationError as error:
        raise PlanError(f"{source}: {_first_problem(error)}") from None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def make_table(table: type[Table], values: dict[str, Any], name: str) -> Table:
    """A checked table of a plan.

    Args:
        table: which one.
        values: its keys.
        name: what messages call it.

    Raises:
        PlanError: one line that names the key, what was expected and what came.
    """
    try:
        return table.model_validate(values)
    except ValidationError as error:
        raise PlanError(f"{name}: {_first_problem(error, table)}") from None


def read_plan(path: str | Path) -> Plan:
    """Reads and checks a TOML plan; paths in it are relative to the file.

    Raises:
        PlanError: a missing file, broken TOML, an unknown key ("did you mean"), a value out of range.
    """
    expect("path", path, (str, Path), "the name of a plan file")
    place = Path(path)
    return plan_in(place.resolve().parent, read_toml(place), str(path))


def read_toml(path: Path, what: str = "plan file") -> dict[str, Any]:
    """The tables of a TOML file, unchecked.

    Args:
        path: the file.
        what: it should be, for messages.

    Raises:
        PlanError: a missing file, or broken TOML.
    """
    try:
        with path.open("rb") as file:  # perhaps a pipe
            content = file.read(PLAN_BYTES + 1)
        if len(content) > PLAN_BYTES:
            raise PlanError(f"{path}: expected a {what}, got more than {PLAN_BYTES // 2**20} MB")
        return tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError:
        raise PlanError(f"{path}: no such {what}") from None
    except IsADirectoryError:
        hint = "; gnomon init plan.toml with the flags of an audit writes one" if what == "plan file" else ""
        raise PlanError(f"{path}: expected a {what}, got a folder{hint}") from None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise PlanError(f"{path}: cannot be read ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{path}: not valid TOML: {error}") from None


def plan_in(folder: Path, values: dict[str, Any], source: str) -> Plan:
    """A checked plan whose paths are relative to a folder.

    Raises:
        PlanError: one line that names the key, what was expected and what came.
    """
    return make_plan(values, source).with_files_in(folder)


_WORDS = dict.fromkeys(("model_type", "dict_type"), "expected a table such as { key = 1 }") | {
    "tuple_type": 'expected a list such as ["a", "b"]'
}


def _first_problem(error: ValidationError, root: type[BaseModel] = Plan) -> str:
    problem = error.errors()[0]
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        section = _section_at(root, problem["loc"][:-1])
        return f'unknown key "{place}"{did_you_mean(str(problem["loc"][-1]), section.model_fields)}'
    message = _WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    if problem["type"] == "missing":
        return f'"{place}" is missing'
    value = "" if problem["type"] == "value_error" else f", got {problem['input']!r}"
    return f"{place}: {message[:1].lower() + message[1:]}{value}" if place else message


def _section_at(root: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    section = root
    for part in location:
        annotation = section.model_fields[str(part)].annotation
        options = [annotation, *getattr(annotation, "__args__", ())]
        section = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), section)
    return section
