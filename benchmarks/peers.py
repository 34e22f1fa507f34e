"""The race: an audit of a network on Location-30 by gnomon and by its peers, in turns, on the same rows and recipe.

    python benchmarks/peers.py                              # 60 shadow models for Shokri, 64 for LiRA: an hour
    python benchmarks/peers.py --shokri 10 --lira 8         # a few minutes

Two audits are raced. *Shokri et al. (2017)*: shadow models on rows that the attacker holds (1,600 of 3,410 each),
against ART, whose attack is one network for all classes where the paper and gnomon fit one for each class. *LiRA*
(Carlini et al., 2022, online): shadow models on halves of the audited rows, against sacroml. Everybody attacks a
network 446-128-30 (tanh, Adam, batches of 32, 100 epochs), trained by its own side on the same 1,600 rows; it is judged
here, by one function, on the scores that it gives to 1,600 members and 1,600 other rows (Shokri: 800).

What differs: peers train with the loops that their documentation shows, one model after the other, and score with their
own code; gnomon trains stacks in two processes and writes a whole record with intervals (its report's figures are not
compared). Each contender runs in a process of its own, with one thread a process; wall time, processor time of it and
its children, and the largest memory are taken by the operating system. Peers get environments of their own, made once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PEERS = {
    "ART 1.20.1": ("adversarial-robustness-toolbox==1.20.1", "packaging", "torch==2.13.0"),
    "sacroml 2.0.1": ("sacroml==2.0.1", "torch==2.13.0"),
}
TRAIN, OTHERS = 1600, 1600
HIDDEN, BATCH, EPOCHS, RATE = 128, 32, 100, 1e-3
RACES = {"shokri": ("gnomon", "ART 1.20.1"), "lira": ("gnomon", "sacroml 2.0.1")}
NETWORK = f"""
import torch

class Network(torch.nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(width, {HIDDEN}), torch.nn.Tanh(), torch.nn.Linear({HIDDEN}, classes)
        )

    def forward(self, x):
        return self.layers(x)

def train(model, dataloader, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr={RATE})
    model.train()
    for _ in range(epochs):
        for x, y in dataloader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
"""


def main() -> None:
    """Runs all contenders in turns and prints the table; or, in a contender's own process, one of them."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shokri", type=int, default=60, help="shadow models; 0 for no such race")
    arguments.add_argument("--lira", type=int, default=64, help="shadow models; 0 for no such race")
    arguments.add_argument("--repeats", type=int, default=1)
    arguments.add_argument("--environments", type=Path, default=Path(".peers"), help="folder of the peers")
    arguments.add_argument("--one", nargs=4, metavar=("RACE", "WHO", "SHADOWS", "FOLDER"), help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.one:
        race, who, shadows, folder = options.one
        CONTENDERS[race, who](int(shadows), Path(folder))
        return
    pythons = {"gnomon": sys.executable} | {who: environment(who, options.environments) for who in PEERS}
    counts = {race: count for race, count in (("shokri", options.shokri), ("lira", options.lira)) if count}
    print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder))
        for _ in range(options.repeats):
            for race, count in counts.items():
                for who in RACES[race]:
                    found.setdefault((race, who), []).append(run(pythons[who], race, who, count, Path(folder)))
    print_table(found, counts)


def environment(who: str, folder: Path) -> str:
    """The interpreter of a peer's own environment, which is made where there is none."""
    place = (folder / who.replace(" ", "-")).resolve()
    python = place / "bin" / "python"
    if not (place / "ready").is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PEERS[who]], check=True)
        (place / "ready").touch()
    return str(python)


def processor() -> str:
    """The processor's name, with AVX-512 where it has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return (
        f"{facts.get('model name', platform.machine())}, {'' if 'avx512f' in facts.get('flags', '') else 'no '}AVX-512"
    )


def write_rows(folder: Path) -> None:
    """Location-30, drawn once: members, other rows, and the rest, which is the attacker's."""
    from gnomon import load_dataset

    data = load_dataset("location30")
    order = np.random.default_rng(0).permutation(len(data.y))
    members, others, rest = np.split(order, [TRAIN, TRAIN + OTHERS])
    x, y = np.asarray(data.x, dtype=np.float32), np.asarray(data.y)
    pool = np.concatenate([rest, others[OTHERS // 2 :]])  # Shokri: half of the others are the attacker's too
    for name, rows in (("members", members), ("others", others), ("pool", pool)):
        np.savez(folder / f"{name}.npz", x=x[rows], y=y[rows])
    (folder / "peers_network.py").write_text(NETWORK, encoding="utf-8")


def read_rows(folder: Path, name: str) -> tuple[Any, Any]:
    """Rows and labels of one role."""
    with np.load(folder / f"{name}.npz") as found:
        return found["x"], found["y"]


def run(python: str, race: str, who: str, shadows: int, folder: Path) -> dict[str, float]:
    """One contender in a process of its own: what it took, and how good its scores are."""
    command = [python, __file__, "--one", race, who, str(shadows), str(folder)]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    start = time.perf_counter()
    done = subprocess.Popen(command, env={**os.environ, **threads}, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(done.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"{who} failed in the race {race}")
    scores = np.load(folder / "scores.npz")
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return {
        "wall": wall,
        "processor": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss / 1024,
        **judge(scores["members"], scores["others"]),
        "train": facts["train"],
        "test": facts["test"],
    }


def judge(members: Any, others: Any) -> dict[str, float]:
    """AUC and true-positive rates of scores, ties counted half."""
    ranks = (
        np.searchsorted(np.sort(others), members, side="left"),
        np.searchsorted(np.sort(others), members, side="right"),
    )
    cuts = {fpr: np.sort(others)[::-1][int(fpr * len(others))] for fpr in (0.01, 0.1)}
    return {
        "auc": float((ranks[0] + ranks[1]).mean() / 2 / len(others)),
        **{f"tpr@{fpr:g}": float((members > cut).mean()) for fpr, cut in cuts.items()},
    }


def leave(folder: Path, members: Any, others: Any, **facts: float | None) -> None:
    """Leaves what a contender found where the race reads it."""
    np.savez(folder / "scores.npz", members=np.asarray(members).ravel(), others=np.asarray(others).ravel())
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def gnomon_contender(shadows: int, folder: Path, *, race: str) -> None:
    """Trains the target and audits it with the one attack."""
    import gnomon

    members, others, pool = (read_rows(folder, name) for name in ("members", "others", "pool"))
    trainer = gnomon.TorchTrainer(
        hidden=(HIDDEN,), activation="tanh", learning_rate=RATE, batch=BATCH, epochs=EPOCHS, device="cpu"
    )
    audited = tuple(part[: OTHERS // 2] for part in others) if race == "shokri" else others
    outcome = gnomon.audit(
        None,
        members,
        audited,
        trainer=trainer,
        pool=pool if race == "shokri" else None,
        view="adversary" if race == "shokri" else "auditor",
        shadows=shadows,
        attacks=(race,),
        plan={"shadow": {"size": TRAIN}} if race == "shokri" else None,
    )
    scores, member, facts = outcome.scores[race], np.asarray(outcome.member, bool), outcome.record.target
    leave(folder, scores[member], scores[~member], train=facts.train_accuracy, test=facts.test_accuracy)


def art_contender(shadows: int, folder: Path) -> None:
    """ART: shadow models, then its network attack, as its documentation shows."""
    sys.path.insert(0, str(folder))
    import torch
    from art.attacks.inference.membership_inference import MembershipInferenceBlackBox, ShadowModels
    from art.estimators.classification import PyTorchClassifier
    from art.utils import to_categorical
    from peers_network import Network

    (x, y), (x_out, y_out), (x_pool, y_pool) = (read_rows(folder, name) for name in ("members", "others", "pool"))
    x_out, y_out, c = x_out[: OTHERS // 2], y_out[: OTHERS // 2], int(y.max()) + 1

    def new() -> Any:
        network = Network(x.shape[1], c)
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        return PyTorchClassifier(network, torch.nn.CrossEntropyLoss(), x.shape[1:], c, optimizer, clip_values=(0, 1))

    torch.manual_seed(0)
    target = new()
    target.fit(x, to_categorical(y, c), batch_size=BATCH, nb_epochs=EPOCHS)
    template = new()
    template.fit = _with_epochs(template.fit)
    models = ShadowModels(_Template(template), num_shadow_models=shadows, random_state=0)
    inside, outside = models.generate_shadow_dataset(x_pool, to_categorical(y_pool, c), TRAIN / len(x_pool))
    attack = MembershipInferenceBlackBox(target, attack_model_type="nn")
    attack.fit(inside[0], inside[1], outside[0], outside[1], inside[2], outside[2])
    found = [
        attack.infer(rows, to_categorical(labels, c), probabilities=True) for rows, labels in ((x, y), (x_out, y_out))
    ]
    accuracy = [float((target.predict(rows).argmax(1) == labels).mean()) for rows, labels in ((x, y), (x_out, y_out))]
    leave(folder, found[0], found[1], train=accuracy[0], test=accuracy[1])


def sacroml_contender(shadows: int, folder: Path) -> None:
    """sacroml: its online LiRA on the target and the rows."""
    sys.path.insert(0, str(folder))
    import torch
    from peers_network import Network, train
    from sacroml.attacks.likelihood_attack import LIRAAttack
    from sacroml.attacks.target import Target

    (x, y), (x_out, y_out) = (read_rows(folder, name) for name in ("members", "others"))
    c = int(max(y.max(), y_out.max())) + 1
    torch.manual_seed(0)
    network = Network(x.shape[1], c)
    rows = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y).long())
    train(network, torch.utils.data.DataLoader(rows, batch_size=BATCH, shuffle=True), EPOCHS)
    target = Target(
        model=network,
        model_module_path="peers_network.py",
        model_name="Network",
        model_params={"width": x.shape[1], "classes": c},
        train_module_path="peers_network",
        train_params={"epochs": EPOCHS},
        batch_size=BATCH,
        X_train=x,
        y_train=y,
        X_test=x_out,
        y_test=y_out,
    )
    with tempfile.TemporaryDirectory() as made:
        attack = LIRAAttack(
            output_dir=made, write_report=False, n_shadow_models=shadows, mode="online-carlini", report_individual=True
        )
        attack.attack(target)
    scores, member = np.asarray(attack.result["member_prob"]), np.asarray(attack.result["member"], bool)
    accuracy = [float((target.model.predict(r) == labels).mean()) for r, labels in ((x, y), (x_out, y_out))]
    leave(folder, scores[member], scores[~member], train=accuracy[0], test=accuracy[1])


class _Template:
    """ART refits a clone of its template without saying for how long; this one says it."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def clone_for_refitting(self) -> Any:
        made = self._model.clone_for_refitting()
        made.fit = _with_epochs(made.fit)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def _with_epochs(fit: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y, **more: fit(x, y, batch_size=BATCH, nb_epochs=EPOCHS, **more)


CONTENDERS: dict[tuple[str, str], Callable[[int, Path], None]] = {
    ("shokri", "gnomon"): lambda shadows, folder: gnomon_contender(shadows, folder, race="shokri"),
    ("lira", "gnomon"): lambda shadows, folder: gnomon_contender(shadows, folder, race="lira"),
    ("shokri", "ART 1.20.1"): art_contender,
    ("lira", "sacroml 2.0.1"): sacroml_contender,
}


def print_table(found: dict[tuple[str, str], list[dict[str, float]]], counts: dict[str, int]) -> None:
    """Minima of the times; what was found is that of the first run, with which the others agree up to their seeds."""
    print("| audit | by | wall s | processor s | memory MB | accuracy in / out | AUC | TPR at 1% / 10% FPR |")
    print("|---|---|---|---|---|---|---|---|")
    for (race, who), runs in found.items():
        first = runs[0]
        least = {name: min(one[name] for one in runs) for name in ("wall", "processor", "memory")}
        print(
            f"| {race}, {counts[race]} shadow models | {who} | {least['wall']:.1f} | {least['processor']:.1f} | "
            f"{least['memory']:.0f} | {first['train']:.3f} / {first['test']:.3f} | {first['auc']:.3f} | "
            f"{first['tpr@0.01']:.3f} / {first['tpr@0.1']:.3f} |"
        )
    for race in counts:
        ours, theirs = (min(one["processor"] for one in found[race, who]) for who in RACES[race])
        walls = [min(one["wall"] for one in found[race, who]) for who in RACES[race]]
        print(f"\n{race}: {theirs / ours:.1f} times the processor time, {walls[1] / walls[0]:.1f} times the wall time")


if __name__ == "__main__":
    main()
