"""The chosen mitigation as something that a service can load.

That is a folder with the model, with what its answers go through, with a description, and with a manifest of hashes. A
folder is data: nothing in it runs code when it is read, unless it holds a pickle or names code and is trusted. No
training row is in it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from gnomon.auditing.inputs.loading import load_inputs
from gnomon.auditing.prepare import Prepared, mitigated_target, prepare, train_target
from gnomon.auditing.results.threat_model import mitigation_facts
from gnomon.auditing.settings import NOTHING, Progress, Silent, Trust
from gnomon.core import VERSION
from gnomon.core.arrays import is_frame, take_rows
from gnomon.core.documents.record import MitigationFacts
from gnomon.core.documents.schema import Part
from gnomon.core.errors import DataError, ModelError, UsageError
from gnomon.core.generations import MANIFEST, read_published, seal
from gnomon.core.mitigations import AnswerMap
from gnomon.core.model_formats import format_of
from gnomon.core.plan import Plan
from gnomon.core.protocols import Model, ModelAbilities, Trainer, TrainerAbilities
from gnomon.core.system import cannot_write, write_text
from gnomon.defending.combinations import Combination
from gnomon.defending.run import mitigated
from gnomon.engines.local import LocalEngine, one_thread
from gnomon.mitigations.stored import mitigation_from_json, mitigation_to_json
from gnomon.models import torch as networks
from gnomon.models.files import located, read_model
from gnomon.models.plugins import import_object
from gnomon.models.readers.model_file import Use
from gnomon.models.target import MitigatedModel
from gnomon.store.arrays import ArrayStore

DESCRIPTION, ANSWERS = "service.json", "answers.json"
CHECKED_ROWS = 100
SAME = 1e-5  # in probability


class NetworkShape(Part):
    """What decides a network's weights, where the model's file holds these only."""

    module: str
    hidden: tuple[int, ...]
    activation: Literal["tanh", "relu"]
    dropout: float


class Service(Part):
    """What is in the folder."""

    version: Literal[1] = 1
    name: str
    made: str  # ISO 8601, UTC
    gnomon: str
    mitigations: list[MitigationFacts]
    classes: list[str]
    row_shape: list[int] | None  # of one row; None for a data frame
    row_type: str | None = None  # what an array's numbers are; None for a data frame
    columns: dict[str, str] = Field(default_factory=dict)  # of a data frame: name -> what it holds
    model: str  # file
    network: NetworkShape | None = None
    answers: str | None = None  # file of what answers go through
    recipe: dict[str, Any] = Field(default_factory=dict)  # that it was trained by here


def apply_mitigation(
    plan: Plan,
    combination: Combination,
    folder: Path,
    trusted: Trust = NOTHING,
    *,
    progress: Progress | None = None,
) -> Service:
    """Puts a mitigation on a plan's model and writes the result; a mitigation in training trains the model anew.

    Args:
        plan: whose target it is.
        combination: the mitigation.
        folder: to write; it must not exist yet.
        trusted: what the user trusts.
        progress: who is told.

    Raises:
        UsageError: the folder exists, or the model can't be written to a file.
        GnomonError: bad input, in one line; nothing is left behind.
    """
    if folder.exists():
        raise UsageError(f"{folder}: exists already; name a folder that does not, or remove this one")
    owned = make_owned(mitigated(plan, combination, knows=True), trusted, progress=progress)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as place:
            whole = Path(place) / "service"
            whole.mkdir()
            service = _write(owned, plan.name, whole)
            _check_same(owned, load_service(whole, trust=trusted.trust, trust_type=trusted.trust_type))
            whole.rename(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None
    return service


def load_service(folder: Path, *, trust: bool = False, trust_type: Collection[str] = ()) -> Model:
    """The model of a folder that `apply_mitigation` wrote, behind the mitigations of its answers.

    Args:
        folder: the folder.
        trust: it comes from a hand that the user trusts. Without it nothing from the folder is run: a pickle, types
            that are not scikit-learn's and a network that is code of the user's are refused.
        trust_type: without that, types in the model's file that are taken all the same, by their names.

    Raises:
        DataError: no such folder, or one whose files are damaged or do not belong together.
        ModelError: a damaged model.
        UsageError: trust is needed.
    """
    service, answers = _read(folder)
    recipe = None if service.network is None else _network(service.network, trust=trust)
    use = Use(service.classes, x=np.empty((0, *(service.row_shape or ()))), recipe=recipe)
    model = read_model(folder / service.model, trust, trust_type).model(use)
    return model if answers is None else MitigatedModel(model, _read_answers(folder / str(service.answers), answers))


def read_service(folder: Path) -> Service:
    """What `apply_mitigation` says of a folder that it wrote.

    Raises:
        DataError: no such folder, or one whose files are damaged or do not belong together.
    """
    return _read(folder)[0]


def _read(folder: Path) -> tuple[Service, bytes | None]:
    """A folder's description, and what its answers go through."""
    published = read_published(folder)
    try:
        if published is None or published.kind != "service":
            raise KeyError(MANIFEST)
        service = Service.model_validate_json(published.files[DESCRIPTION])
        answers = None if service.answers is None else published.files[service.answers]
        _ = published.files[service.model]
    except (KeyError, ValidationError):
        raise DataError(
            f"{folder}: expected a folder that gnomon defend --apply wrote, with {MANIFEST}, {DESCRIPTION} and the "
            "files that they name"
        ) from None
    return service, answers


def _network(shape: NetworkShape, *, trust: bool) -> Any:
    if ":" in shape.module:
        import_object(shape.module, trust=trust)
    return networks.TorchTrainer(**shape.model_dump())


def _write(owned: Owned, name: str, folder: Path) -> Service:
    network, file = _write_model(owned, folder)
    answers = None
    if isinstance(owned.model, MitigatedModel):
        write_text(folder / ANSWERS, mitigation_to_json(owned.model.mitigation) + "\n")
        answers = ANSWERS
    x = owned.prepared.data.x
    service = Service(
        name=name,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        gnomon=VERSION,
        mitigations=mitigation_facts(owned.prepared.mitigations, dict(ModelAbilities.of(owned.plain).facts)),
        classes=list(owned.prepared.data.classes),
        row_shape=None if is_frame(x) else [int(n) for n in x.shape[1:]],
        row_type=None if is_frame(x) else str(x.dtype),
        columns={str(name): _held(x[name]) for name in x.columns} if is_frame(x) else {},
        model=file,
        network=network,
        answers=answers,
        recipe=owned.trainer.recipe() if owned.trainer is not None else {},
    )
    write_text(folder / DESCRIPTION, service.model_dump_json(indent=1) + "\n")
    seal(folder, "service")
    return service


def _write_model(owned: Owned, folder: Path) -> tuple[NetworkShape | None, str]:
    """What decides the network, if only weights are written, and the file's name."""
    plan = owned.prepared.plan
    given = None if plan.target.model is None or plan.target.train_again else located(plan.target.model)
    if given is not None and given.is_file():
        file = f"model{given.suffix.lower()}"
        shutil.copyfile(given, folder / file)
        found = format_of(file)
        return _shape_of(plan.trainer) if found is not None and found.recipe else None, file
    written = ModelAbilities.of(owned.plain).write(folder / "model")
    if written is None:
        raise UsageError(
            f"a {type(owned.plain).__name__} can't be written to a file; --apply works on scikit-learn estimators, "
            "torch networks of gnomon's own trainer, and model files"
        )
    network = TrainerAbilities.of(owned.trainer).network
    return None if network is None else _shape_of(network), written.name


def _shape_of(recipe: Any) -> NetworkShape:
    """What decides a network's weights, from its recipe or from the plan's."""
    return NetworkShape(**{name: getattr(recipe, name) for name in NetworkShape.model_fields})


def _held(column: Any) -> str:
    """What a column of a data frame holds: integer, real, boolean, date or text."""
    kinds = {"i": "integer", "u": "integer", "f": "real", "b": "boolean", "M": "date"}
    return kinds.get(getattr(column.dtype, "kind", "O"), "text")


def _read_answers(file: Path, content: bytes) -> AnswerMap:
    try:
        return mitigation_from_json(content.decode("utf-8"))
    except (UnicodeDecodeError, ModelError) as error:
        raise ModelError(f"{file}: {error}") from None


def _check_same(owned: Owned, loaded: Model) -> None:
    rows = take_rows(owned.prepared.data.x, owned.prepared.roles.audited[:CHECKED_ROWS])
    with np.errstate(invalid="ignore"):
        gaps = np.abs(np.exp(owned.model.log_probs(rows)) - np.exp(loaded.log_probs(rows)))
    if float(gaps.max()) > SAME:
        raise ModelError("the model that was written answers otherwise than the one that was audited; nothing is kept")


@dataclass(frozen=True)
class Owned:
    """The model of a plan as its owner has it, not yet queried by anybody.

    Attributes:
        prepared: the rows, the roles and the mitigations.
        plain: the model that was given, or trained with the mitigations in training.
        model: the same behind the mitigations of its answers.
    """

    prepared: Prepared
    plain: Model
    model: Model

    @property
    def trainer(self) -> Trainer | None:
        """What it was trained by; None for a model that was given."""
        return self.prepared.inputs.trainer if self.prepared.inputs.model is None else None


def make_owned(
    plan: Plan,
    trusted: Trust = NOTHING,
    *,
    progress: Progress | None = None,
) -> Owned:
    """The very model that an audit of this plan attacks.

    Args:
        plan: with its mitigations.
        trusted: what the user trusts.
        progress: who is told.

    Raises:
        UsageError: only answers of the model are given, or a mitigation that can't be put on it.
        GnomonError: bad input, in one line.
    """
    told = progress or Silent()
    if plan.target.endpoint is not None:
        raise UsageError("a mitigation needs the model itself, but the plan gives an endpoint, which can't be changed")
    with one_thread():  # as in the audit, whose target must come out the same
        inputs = load_inputs(plan, trusted)
        if inputs.answers is not None:
            raise UsageError("a mitigation needs the model itself, but the plan gives only its answers")
        prepared = prepare(plan, inputs, ArrayStore(Path()), LocalEngine(1), told)
        advance = told.stage("target", 1)
        plain = inputs.model if inputs.model is not None else train_target(prepared)
        advance(1)
        return Owned(prepared, plain, mitigated_target(plain, prepared))
