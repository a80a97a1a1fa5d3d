"""Questions that were asked at the bedside and answered wrongly at first: charts of their own, with what is wanted.

`FEBRILE` and the other words in capitals stand for entries that several charts share. In a question without a time the
call is the usual one. "says" stands somewhere in the answer, "never" nowhere; "orders" are those it suggests.
"""

from __future__ import annotations

from cards.choose import Advice
from cards.deciding.when_to_show import Showing
from example_patients.stories.chart import Resource
from example_patients.stories.stories import drafted_tocilizumab
from tests.support.orders import steroid_order
from tests.support.tables import NOW, answered, moment_of, patient, rows

SHARED = {
    "AXI": "car-t axicabtagene ciloleucel",
    "FEBRILE": "T 39 @D3 06:00",
    "ABOVE": "il6 8 @D0 08:00; il6 50 @D3 20:00; crp 10 @D0 08:00; crp 12 @D3 20:00",
    "WELL": "T 36.8 @D2 20:00; SBP 118 @D2 20:00; SpO2 98 @D2 20:00; device RA @D2 20:00",
    "AIR": "SpO2 97 @-1h; device RA @-1h",
    "PUSHES": "give phenylephrine 0.1 IV @-55m; give phenylephrine 0.1 IV @-45m; give phenylephrine 0.1 IV @-35m; "
    "give norepinephrine 0.008 IV @-25m",
}

QUESTIONS = rows("""
| id  | chart                                                                                                              | drafted | steroid | born | at | cards | orders | says | never | because |
| 13a | AXI @D0 10:00; il6 10 @D0 07:00; crp 10 @D0 07:00; weight 80 @D0 07:00; T 39.5 @-40h; il6 200 @-30h; crp 50 @-30h; T 39.2 @-28h; SBP 84 @-28h; SpO2 96 @-28h; device RA @-28h; toci 640 @-27h; toci 640 @-17h; start norepinephrine 0.3 @-10h; start epinephrine 0.1 @-10h; infuse methylprednisolone 40 mg/h @-6h; T 36.6 @-1h; SBP 92 @-1h; SpO2 92 @-1h; device ventilator @-1h | | | | | severe-crs (c), infection-surveillance (w), crs-grade | tocilizumab, service:blood-culture, service:urine-culture, service:complete-blood-count, service:c-reactive-protein, service:chest-imaging | methylprednisolone 40 mg/h infusing since 06:00 | corticosteroids now | an infusion of 960 mg a day is the regimen of grade 4 |
| 17a | car-t lisocabtagene maraleucel @D0 10:00; ABOVE; weight 66 @-20h; T 38.9 @-5h; T 38.9 @-1h; SBP 85 @-1h; AIR; PUSHES | | | | | toci-recommended (w), crs-grade | tocilizumab | 3 pushes of phenylephrine since 11:05, 1 push of norepinephrine at 11:35 | grade 3 | pushes are no infusion |
| 20a | AXI @D-8 10:00; il6 5 @D-8 08:00; crp 47 @D-8 08:00; weight 66 @D-8 07:00; T 39 @D-5 10:00; SBP 86 @D-5 10:00; il6 60 @D-4 06:00; toci 528 @D-4 09:00; T 39.1 @-2h; SBP 88 @-2h; SpO2 96 @-2h; device RA @-2h; anc 0.1 @-5h; crp 140 @-5h; culture Escherichia coli @-3h | | | | | infection-first (w), crs-grade | service:urine-culture, service:complete-blood-count, service:chest-imaging | Escherichia coli in blood 6 Mar 09:00: treat sepsis first; CRS grade 2 only if not explained by it | recommend | E. coli in blood at grade 2 |
| 20b | AXI @D-8 10:00; il6 5 @D-8 08:00; crp 47 @D-8 08:00; weight 66 @D-8 07:00; T 39 @D-5 10:00; SBP 86 @D-5 10:00; il6 60 @D-4 06:00; toci 528 @D-4 09:00; T 39.1 @-2h; SBP 88 @-2h; SpO2 96 @-2h; device RA @-2h; anc 0.1 @-5h; crp 140 @-5h; culture Escherichia coli @-3h | 528 | | | | infection-first (w), crs-grade | service:urine-culture, service:complete-blood-count, service:chest-imaging | tocilizumab drafted: treat sepsis first | recommend | the same with tocilizumab drafted |
| 25a | il6 5 @D0 08:00; crp 12 @D0 08:00; weight 58 @-20h; T 38.9 @-8h; il6 30 @-6h; crp 1.9 mg/dL @-6h; crp 38 @-6h; T 38.9 @-1h; SBP 84 @-1h; AIR | 464 | | | | toci-recommended (w), data-quality, crs-grade | – | two results of one time differ: ask the laboratory | below or above a limit | two results of CRP of one minute |
| 28a | il6 8 @D0 08:00; crp 10 @D0 08:00; weight 75 @D0 08:00; T 38.9 @-14h; SBP 112 @-14h; SpO2 96 @-14h; device RA @-14h; give paracetamol 1000 @-13h; il6 50 @-4h; crp 12 @-4h | | | | | grade1-supportive (w), crs-grade | – | CRS at least grade 1; blood pressure and oxygen not charted for 14 h: measure now | no hypotension | nothing charted for 14 h after a fever |
| 34a | AXI @D1 10:00; il6 8 @D1 08:00; crp 10 @D1 08:00; weight 70 @D1 08:00; T 39.2 @-8h; start norepinephrine 0.1 @-6h; toci 560 @-4h; give dexamethasone 10 @-3h; T 39.2 @-1h; SBP 95 @-1h; AIR | | dexamethasone 10 every 6 @-1m | | | severe-crs (c), steroid-check (w), crs-grade | – | dexamethasone 10 mg given 09:00, next due 15:00 | corticosteroids now | one more is drafted three hours after a dose |
| 37a | car-t ciltacabtagene autoleucel @D-27 10:00; il6 100 @D-27 08:00; crp 10 @D-27 08:00; weight 70 @D-27 08:00; T 39.2 @-1h; SBP 84 @-1h; AIR | | | | | other-cause-first (w), crs-grade | service:blood-culture, service:complete-blood-count | Fever and SBP 84 on day 31: sepsis first; CRS this late is rare | 560 mg | day 31 |
| 39a | FEBRILE; ABOVE; T 39 @-1h; SBP 84 @-1h; AIR; weight 71 @D0 08:00; weight 17.1 @-7h | | | | | toci-recommended (w), crs-grade | – | 17.1 kg on 6 Mar, 71 kg on 2 Mar. Weigh again. | 205 mg | 71 kg, then 17.1 kg |
| 39b | FEBRILE; ABOVE; T 39 @-1h; SBP 84 @-1h; AIR; weight 71 @D0 08:00; weight 17.1 @-7h | 568 | | | | toci-recommended (w), toci-dose-check (w), crs-grade | – | Not checked: 17.1 kg on 6 Mar, 71 kg on 2 Mar; weigh again. | 205 mg | the right draft is not corrected |
| 47a | il6 5 @D0 08:00; weight 24 @-9h; T 39.2 @-8h; give methylprednisolone 48 @-2h; T 39 @-1h; SBP 98 @-1h; SpO2 93 @-1h; device BiPAP @-1h | | | 2019-01-10 | | severe-crs (c), crs-grade | tocilizumab, service:interleukin-6 | methylprednisolone 48 mg given 10:00 | corticosteroids now | 24 kg: 2 mg/kg two hours ago are running |
| 49a | FEBRILE; ABOVE; T 39 @-1h; SBP 74 @-1h; AIR; weight 12.4 @D0 08:00; weight 124 @-7h | | | 2023-01-15 | | toci-recommended (w), crs-grade | – | 124 kg on 6 Mar, 12.4 kg on 2 Mar. Weigh again. | IV over 60 min | 12.4 kg, then 124 kg |
| 49b | FEBRILE; ABOVE; T 39 @-1h; SBP 74 @-1h; AIR; weight 12.4 @D0 08:00; weight 124 @-7h | 149 | | 2023-01-15 | | toci-recommended (w), toci-dose-check (w), crs-grade | – | Not checked: 124 kg on 6 Mar, 12.4 kg on 2 Mar; weigh again. | it is 800 mg | the right draft of a child |
| 50a | AXI @D-1 10:00; il6 8 @D-1 08:00; crp 10 @D-1 08:00; weight 70 @D-1 08:00; T 38.6 @-1h; SBP 118 @-1h; AIR; coded G92.04 @-2h | | | | | icans-steroid (c), grade1-supportive, crs-grade | corticosteroid, service:interleukin-6 | ICU and airway, methylprednisolone 1,000 mg IV once a day, imaging at once | every 6 h | ICANS 4 |
| 52a | AXI @D-1 08:00; il6 8 @D-1 07:00; weight 70 @D-1 07:00; T 38.8 @-39h; SBP 84 @-39h; SpO2 97 @-39h; device RA @-39h; il6 80 @-27h; toci 560 @-25h; T 38.2 @-13h; SBP 86 @-13h; T 38.1 @-1h; SBP 84 @-1h; AIR | | | | | toci-recommended (w), crs-grade | tocilizumab, corticosteroid | tocilizumab 560 mg IV as dose 2 and dexamethasone 10 mg IV every 6 h | – | 25 h after dose 1 and no better |
| 54a | AXI @D-1 08:00; il6 8 @D-1 07:00; crp 10 @D-1 07:00; weight 70 @D-1 07:00; T 39.8 @-35h; SBP 84 @-35h; SpO2 97 @-35h; device RA @-35h; il6 80 @-23h; crp 12 @-23h; toci 560 @-21h; toci 560 @-9h; T 38.1 @-1h; SBP 118 @-1h; AIR | | | | | reassess-window, crs-grade | – | better since dose 2, reassess at 7 Mar 03:00 | consider | nine hours after dose 2 and improving |
| 61a | AXI @D-4 10:00; il6 5 @D-4 07:00; weight 66 @D-4 07:00; T 39 @D-1 10:00; SBP 86 @D-1 10:00; il6 60 @D0 06:00; toci 528 @D0 09:00; WELL; T 35.8 @D5 11:00; SBP 82 @D5 11:00; SpO2 97 @D5 11:00; device RA @D5 11:00; anc 0 @D5 10:00 | | | | D5 12:00 | crs-possible-masked (w), crs-grade | – | Neutropenic: cultures and empirical antibiotics now | recommend | well for days, then cold and in shock with an ANC of 0: the waiver has lapsed |
| 65a | AXI @D3 10:00; il6 5 @D3 07:00; il6 60 @-6h; weight 70 @D3 07:00; T 38.9 @-1h; SBP 118 @-1h; AIR; ice 5 @-1h | 560 | | | | icans-steroid (w), grade1-supportive, crs-grade | corticosteroid | ASCO adds tocilizumab with concurrent CRS | does not treat | ICANS 2 with CRS 1, tocilizumab drafted |
| 65b | AXI @D3 10:00; il6 5 @D3 07:00; il6 60 @-6h; weight 70 @D3 07:00; T 38.9 @-1h; SBP 118 @-1h; AIR; ice 5 @-1h | | | | | icans-steroid (w), grade1-supportive, crs-grade | corticosteroid | ASCO adds tocilizumab with concurrent CRS | does not treat | the same as the chart is opened |
| 68a | AXI @D3 10:00; il6 5 @D3 07:00; weight 70 @D3 07:00; toci 560 @D3 09:00; il6 900 @-6h; T 38.9 @-1h; SBP 84 @-1h; AIR | | | | | toci-guideline (w), crs-grade | tocilizumab | Also given: tocilizumab 560 mg IV, 5 Mar 09:00. | – | tocilizumab as prophylaxis 27 h ago |
| 72a | il6 5 @D0 08:00; crp 10 @D0 08:00; weight 70 @D0 08:00; anc 0 @-3h; T 36.4 @-1h; SBP 78 @-1h; SpO2 86 @-1h; device RA @-1h | | | | | other-cause-first (w), crs-grade | service:blood-culture, service:complete-blood-count | SBP 78, SpO2 86 %, no fever: not CRS. Sepsis, bleeding, heart, embolism now | grade 0 | never febrile, in shock and hypoxic |
""")  # fmt: skip


def chart_of_question(row: dict[str, str]) -> list[Resource]:
    words = row["chart"]
    for name, entries in SHARED.items():
        words = words.replace(name, entries)
    return patient(words, infused="car-t" not in words, birth_date=row["born"] or "1980-01-01")


def answer_to(row: dict[str, str]) -> Advice:
    """The answer to a question: with what is drafted in it, or as the chart is opened."""
    now = moment_of(row["at"]) if row["at"] else NOW
    drafts = [drafted_tocilizumab("p", int(row["drafted"]), now)] if row["drafted"] else []
    drafts += [steroid_order(row["steroid"], "draft", "draft")] if row["steroid"] else []
    showing = Showing.ORDERS if drafts else Showing.STATE
    return answered(chart_of_question(row), drafts=drafts, showing=showing, as_of=now)
