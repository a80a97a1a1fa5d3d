"""The rows of the patient's product and the third line in words."""

from __future__ import annotations

from cards.deciding.protocol import AT_EVERY_GRADE, ProductLine, Protocol, product_lines
from cards.deciding.tocilizumab_gate import Bar, tocilizumab_gate
from cards.sentences.escaping import escaped_words
from cards.sentences.phrases import phrase
from cards.wording.context import WordingContext
from fhir_mappings.facts.thresholds import Status


def of_protocol(x: WordingContext) -> dict[str, str]:
    """The placeholders about the product and the protocol of the site."""
    lines = product_lines(x.facts, x.t, x.protocol)
    of_grade_1 = [line for line in lines if line.situation not in AT_EVERY_GRADE]
    allergic = x.facts.tocilizumab_hypersensitivity is not None
    said = " ".join(map(_line, of_grade_1))
    of_fever = " ".join(_line(line) for line in lines if line.situation in AT_EVERY_GRADE)
    return {
        "product_lines": f"{said} {phrase('product_line', 'allergic')}" if said and allergic else said,
        "fever_lines": of_fever,
        "fever_first": f"{of_fever} " if of_fever else "",
        "third_line": third_line(x.protocol),
        # where tocilizumab is used up, severe CRS needs the next line by name
        "third_line_now": f" {third_line(x.protocol)}" if _is_used_up(x) else "",
    }


def _is_used_up(x: WordingContext) -> bool:
    gate = tocilizumab_gate(x.facts, x.t)
    return gate.bar in (Bar.NUMBER, Bar.HYPERSENSITIVITY)


def _line(line: ProductLine) -> str:
    variant = "unconfirmed" if line.status is Status.UNCONFIRMED else "confirmed"
    product = "" if line.situation in AT_EVERY_GRADE else f"{escaped_words(line.product.capitalize())}: "
    text = escaped_words(line.text)
    return phrase("product_line", variant, product=product, text=text if product else text[:1].upper() + text[1:])


def third_line(protocol: Protocol) -> str:
    """The third line in the words of the site; else that of an institution's protocol."""
    if not protocol.third_line:
        return phrase("third_line", "none")
    return phrase("third_line", "site", texts="; ".join(map(escaped_words, protocol.third_line)))
