"""A random forest on handwritten digits, audited from Python; needs no torch."""

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

import gnomon

# Members and non-members by coin flip from one source. (The first half against the second would be a mistake: other
# people wrote the later digits, and the audit would refuse with "distribution-shift".)
x, x_out, y, y_out = train_test_split(*load_digits(return_X_y=True), test_size=0.5, random_state=0)
model = RandomForestClassifier(n_estimators=100, random_state=0).fit(x, y)

outcome = gnomon.audit(target=model, members=(x, y), nonmembers=(x_out, y_out), trainer="clone", shadows=16)
print(outcome.verdict.headline)
gnomon.write_report(outcome.record, "forest.html")
