"""CIFAR-10 as two npz files, from a folder of lossless WebP strips of 500 images (train_*.webp) and train_labels.npy.

python examples/cifar10_files.py STRIPS FOLDER
gnomon audit examples/cifar10.toml            # after FOLDER's files lie beside the plan
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

MEMBERS = 5_000
NONMEMBERS = 5_000


def main(strips: Path, folder: Path) -> None:
    """Writes members.npz and nonmembers.npz: x uint8 (n, 32, 32, 3), y class ids, ids positions among the strips."""
    folder.mkdir(parents=True, exist_ok=True)
    images = np.concatenate(
        [np.asarray(Image.open(p)).reshape(-1, 32, 32, 3) for p in sorted(strips.glob("train_*.webp"))]
    )
    labels = np.load(strips / "train_labels.npy", allow_pickle=False).astype(np.int64)
    order = np.random.default_rng(0).permutation(len(images))
    parts = {"members": order[:MEMBERS], "nonmembers": order[MEMBERS : MEMBERS + NONMEMBERS]}
    for name, rows in parts.items():
        np.savez(folder / f"{name}.npz", x=images[rows], y=labels[rows], ids=rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
