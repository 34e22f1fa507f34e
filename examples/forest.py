"""A random forest on handwritten digits, audited from Python; needs no torch."""

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

import gnomon

x, y = load_digits(return_X_y=True)
members, nonmembers = (x[:900], y[:900]), (x[900:], y[900:])
model = RandomForestClassifier(n_estimators=100, random_state=0).fit(*members)

record = gnomon.audit(target=model, members=members, nonmembers=nonmembers, trainer="clone", shadows=16)
print(record.verdict.headline)
gnomon.write_report(record, "forest.html")
