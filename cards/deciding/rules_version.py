"""The version of the clinical rules, by which a person cites them: in an answer, on the decision page, in a signature.

Raise the last number for words, the middle one for a changed number or code, the first for a row, card or step of the
grade that changed; CHANGELOG.md says what changed. The hash beside it also tells a site's own numbers and codes apart.
"""

from __future__ import annotations

CLINICAL_RULES = "clinical-rules"
CLINICAL_RULES_VERSION = "2.0.0"
CITED_RULES = f"{CLINICAL_RULES} {CLINICAL_RULES_VERSION}"
