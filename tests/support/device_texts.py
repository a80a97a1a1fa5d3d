"""Texts of oxygen devices, written from memory of charts and of public guides before the vocabulary was.

The vocabulary is measured against them: of the first table it reads at least nine in ten, of the second none.
A cannula is row 2 whatever its flow: the flow makes row 3 of it later. Room air is row 0.
"""

from tests.support.tables import rows

READ_APART = rows("""
| text                                            | row | flow | FiO2 |
| Nasal cannula                                   | 2   |      |      |
| nasal cannula 2L                                | 2   | 2    |      |
| NC @ 3 LPM                                      | 2   | 3    |      |
| O2 via NC at 4 L/min                            | 2   | 4    |      |
| Nasal Cannula (NC)                              | 2   |      |      |
| 2 liters nasal cannula                          | 2   | 2    |      |
| nasal canula 1.5 lpm                            | 2   | 1.5  |      |
| Nasal prongs, 6 L/min                           | 2   | 6    |      |
| N/C 2 L                                         | 2   | 2    |      |
| Humidified nasal cannula 5 L/min                | 2   | 5    |      |
| nasal specs 2L                                  | 2   | 2    |      |
| Oxygen nasal cannula, adult                     | 2   |      |      |
| Blow-by                                         | 2   |      |      |
| blow by oxygen                                  | 2   |      |      |
| Simple mask                                     | 3   |      |      |
| Simple face mask 6L/min                         | 3   | 6    |      |
| Face mask (FM)                                  | 3   |      |      |
| FM 40%                                          | 3   |      | 0.40 |
| Aerosol mask                                    | 3   |      |      |
| Face tent 50%                                   | 3   |      | 0.50 |
| Non-rebreather mask                             | 3   |      |      |
| NRB 15 L                                        | 3   | 15   |      |
| 100% NRB                                        | 3   |      | 1.00 |
| Non rebreathing mask @15lpm                     | 3   | 15   |      |
| Nonrebreather                                   | 3   |      |      |
| NRBM 10 L/min                                   | 3   | 10   |      |
| Partial rebreather mask                         | 3   |      |      |
| Reservoir mask 15 l/min                         | 3   | 15   |      |
| Venturi mask 28%                                | 3   |      | 0.28 |
| Venti-mask, 40% FiO2                            | 3   |      | 0.40 |
| Hudson mask 8L                                  | 3   | 8    |      |
| Trach collar 28%                                | 3   |      | 0.28 |
| Trach mask FiO2 35%                             | 3   |      | 0.35 |
| Tracheostomy collar, humidified                 | 3   |      |      |
| High Flow Nasal Cannula (HFNC)                  | 3   |      |      |
| HFNC 40L/60%                                    | 3   | 40   | 0.60 |
| HFNC 50 L/min, FiO2 0.45                        | 3   | 50   | 0.45 |
| Heated high-flow NC 30 lpm 50%                  | 3   | 30   | 0.50 |
| Hi-flow nasal cannula                           | 3   |      |      |
| High flow O2                                    | 3   |      |      |
| Optiflow 45 L/min FiO2 0,5                      | 3   | 45   | 0.5  |
| AIRVO 2                                         | 3   |      |      |
| Vapotherm 25L 40%                               | 3   | 25   | 0.40 |
| HFNO                                            | 3   |      |      |
| BiPAP                                           | 4   |      |      |
| BiPAP mask                                      | 4   |      |      |
| BiPAP 12/6 40%                                  | 4   |      | 0.40 |
| BIPAP IPAP 14 EPAP 7 FiO2 50%                   | 4   |      | 0.50 |
| BiPAP/CPAP                                      | 4   |      |      |
| CPAP 8 cmH2O                                    | 4   |      |      |
| CPAP mask (full face)                           | 4   |      |      |
| NIV                                             | 4   |      |      |
| Non-invasive ventilation                        | 4   |      |      |
| Noninvasive positive pressure ventilation       | 4   |      |      |
| NIPPV                                           | 4   |      |      |
| Ventilator                                      | 4   |      |      |
| Mechanical Ventilator                           | 4   |      |      |
| Vent                                            | 4   |      |      |
| mech vent                                       | 4   |      |      |
| mechanically ventilated, sedated                | 4   |      |      |
| Invasive mechanical ventilation                 | 4   |      |      |
| Intubated                                       | 4   |      |      |
| Intubated and on ventilator                     | 4   |      |      |
| ETT                                             | 4   |      |      |
| Endotracheal tube                               | 4   |      |      |
| ET tube in situ                                 | 4   |      |      |
| Vent - AC/VC FiO2 40% PEEP 5                    | 4   |      | 0.40 |
| Ventilator SIMV PS 10 PEEP 8                    | 4   |      |      |
| Trach, on vent                                  | 4   |      |      |
| ECMO                                            | 4   |      |      |
| Room air                                        | 0   |      |      |
| Room Air (RA)                                   | 0   |      |      |
| RA                                              | 0   |      |      |
| on RA                                           | 0   |      |      |
| R/A                                             | 0   |      |      |
| Ambient air                                     | 0   |      |      |
| None                                            | 0   |      |      |
| None (room air)                                 | 0   |      |      |
| No oxygen                                       | 0   |      |      |
| No supplemental O2                              | 0   |      |      |
| Breathing room air, 21%                         | 0   |      | 0.21 |
| Nasenbrille 2 l/min                             | 2   | 2    |      |
| O2-Brille 3 l                                   | 2   | 3    |      |
| Nasensonde                                      | 2   |      |      |
| Sauerstoffmaske 8 l/min                         | 3   | 8    |      |
| Reservoirmaske                                  | 3   |      |      |
| Venturimaske 40 %                               | 3   |      | 0.40 |
| High-Flow-Sauerstofftherapie                    | 3   |      |      |
| High-Flow nasal 50 l/min FiO2 0,6               | 3   | 50   | 0.6  |
| NIV-Maske                                       | 4   |      |      |
| nichtinvasive Beatmung                          | 4   |      |      |
| Invasive Beatmung                               | 4   |      |      |
| intubiert und beatmet                           | 4   |      |      |
| Beatmungsgerät                                  | 4   |      |      |
| Raumluft                                        | 0   |      |      |
| kein Sauerstoff                                 | 0   |      |      |
| Lunettes à oxygène 2 L/min                      | 2   | 2    |      |
| lunettes nasales                                | 2   |      |      |
| Masque à haute concentration 15 L/min           | 3   | 15   |      |
| Masque simple                                   | 3   |      |      |
| Oxygénothérapie nasale à haut débit             | 3   |      |      |
| VNI                                             | 4   |      |      |
| Ventilation mécanique invasive                  | 4   |      |      |
| Intubé, ventilé                                 | 4   |      |      |
| Air ambiant                                     | 0   |      |      |
| Cánula nasal 3 lpm                              | 2   | 3    |      |
| Gafas nasales a 2 l/min                         | 2   | 2    |      |
| Puntas nasales                                  | 2   |      |      |
| Mascarilla con reservorio 15 L                  | 3   | 15   |      |
| Ventimask 35%                                   | 3   |      | 0.35 |
| Cánula nasal de alto flujo                      | 3   |      |      |
| Ventilación mecánica no invasiva                | 4   |      |      |
| Tubo orotraqueal                                | 4   |      |      |
| Aire ambiente                                   | 0   |      |      |
| Occhialini nasali 2 l/min                       | 2   | 2    |      |
| Maschera con reservoir                          | 3   |      |      |
| Maschera di Venturi 50%                         | 3   |      | 0.50 |
| Alti flussi nasali                              | 3   |      |      |
| CPAP con casco                                  | 4   |      |      |
| Ventilazione meccanica                          | 4   |      |      |
| Aria ambiente                                   | 0   |      |      |
| Cateter nasal 2 L/min                           | 2   | 2    |      |
| Óculos nasais                                   | 2   |      |      |
| Máscara não reinalante                          | 3   |      |      |
| Cateter nasal de alto fluxo                     | 3   |      |      |
| Ventilação mecânica                             | 4   |      |      |
| Ar ambiente                                     | 0   |      |      |
| Neusbril 2 l/min                                | 2   | 2    |      |
| Zuurstofmasker                                  | 3   |      |      |
| Invasieve beademing                             | 4   |      |      |
| Kamerlucht                                      | 0   |      |      |
| Grimma 2 l/min                                  | 2   | 2    |      |
| Reservoarmask                                   | 3   |      |      |
| Högflödesgrimma                                 | 3   |      |      |
| Respirator                                      | 4   |      |      |
| Rumsluft                                        | 0   |      |      |
| Iltbriller 2 l/min                              | 2   | 2    |      |
| Iltmaske                                        | 3   |      |      |
| Atmosfærisk luft                                | 0   |      |      |
| Nesekateter 2 l/min                             | 2   | 2    |      |
| Oksygenmaske                                    | 3   |      |      |
| Romluft                                         | 0   |      |      |
| Happiviikset 2 l/min                            | 2   | 2    |      |
| Happimaski                                      | 3   |      |      |
| Hengityskone                                    | 4   |      |      |
| Huoneilma                                       | 0   |      |      |
| Wąsy tlenowe 3 l/min                            | 2   | 3    |      |
| Maska tlenowa                                   | 3   |      |      |
| Wentylacja mechaniczna                          | 4   |      |      |
| Powietrze atmosferyczne                         | 0   |      |      |
| Kyslíkové brýle 2 l/min                         | 2   | 2    |      |
| Kyslíková maska                                 | 3   |      |      |
| Umělá plicní ventilace                          | 4   |      |      |
| Nazal kanül 2 L/dk                              | 2   | 2    |      |
| Rezervuarlı maske                               | 3   |      |      |
| Mekanik ventilatör                              | 4   |      |      |
| Oda havası                                      | 0   |      |      |
| 鼻カニューラ 2L/分                              | 2   | 2    |      |
| 酸素マスク 5L                                   | 3   | 5    |      |
| リザーバーマスク 10L                            | 3   | 10   |      |
| ネーザルハイフロー 40L FiO2 50%                 | 3   | 40   | 0.50 |
| 人工呼吸器                                      | 4   |      |      |
| 気管挿管                                        | 4   |      |      |
| 室内気                                          | 0   |      |      |
| 비강 캐뉼라 2L/min                              | 2   | 2    |      |
| 산소마스크                                      | 3   |      |      |
| 고유량 비강 캐뉼라                              | 3   |      |      |
| 인공호흡기                                      | 4   |      |      |
| 실내공기                                        | 0   |      |      |
| 鼻导管吸氧 3L/min                               | 2   | 3    |      |
| 面罩吸氧                                        | 3   |      |      |
| 储氧面罩                                        | 3   |      |      |
| 经鼻高流量氧疗                                  | 3   |      |      |
| 无创呼吸机                                      | 4   |      |      |
| 有创机械通气                                    | 4   |      |      |
| 气管插管                                        | 4   |      |      |
| 未吸氧                                          | 0   |      |      |
| 鼻導管 2L/min                                   | 2   | 2    |      |
| 氧氣面罩                                        | 3   |      |      |
| 呼吸器                                          | 4   |      |      |
| 室內空氣                                        | 0   |      |      |
""")

NOT_READ_APART = rows("""
| text                                            | because                                      |
| off BiPAP                                       | removed                                      |
| BiPAP off                                       | removed                                      |
| NC removed                                      | removed                                      |
| mask taken off                                  | removed                                      |
| CPAP discontinued                               | ended                                        |
| D/C NC                                          | ended                                        |
| extubated                                       | the past                                     |
| extubated to NC                                 | a change                                     |
| self-extubated                                  | the past                                     |
| s/p extubation                                  | the past                                     |
| weaned from HFNC                                | the past                                     |
| previously on BiPAP                             | the past                                     |
| BiPAP last night                                | the past                                     |
| NC (was HFNC)                                   | a change                                     |
| HFNC → NC                                       | a change                                     |
| HFNC -> NC                                      | a change                                     |
| HFNC to NC                                      | a change                                     |
| wean to RA                                      | a plan                                       |
| weaning to room air                             | a plan                                       |
| room air trial                                  | a trial                                      |
| trial of CPAP                                   | a trial                                      |
| refuses CPAP                                    | refused                                      |
| Patient refused CPAP                            | refused                                      |
| declined NIV                                    | refused                                      |
| CPAP not tolerated                              | refused                                      |
| NC prn                                          | on demand                                    |
| NC 2L if SpO2 <92%                              | a condition                                  |
| BiPAP as needed                                 | on demand                                    |
| BiPAP at bedside                                | not in use                                   |
| NRB at bedside                                  | not in use                                   |
| ventilator on standby                           | not in use                                   |
| NC available                                    | not in use                                   |
| plan to intubate                                | a plan                                       |
| may need BiPAP                                  | a plan                                       |
| awaiting HFNC                                   | a plan                                       |
| for intubation                                  | a plan                                       |
| BiPAP?                                          | a question                                   |
| ?NIV                                            | a question                                   |
| no BiPAP                                        | denied                                       |
| not intubated                                   | denied                                       |
| not on ventilator                               | denied                                       |
| without mask                                    | denied                                       |
| w/o mask                                        | denied                                       |
| no oxygen mask                                  | denied                                       |
| BiPAP: none                                     | denied                                       |
| CPAP (-)                                        | denied                                       |
| DNI                                             | a limit of care                              |
| do not intubate                                 | a limit of care                              |
| no mask, no NC                                  | denied                                       |
| NC or mask                                      | undecided                                    |
| surgical mask                                   | another sense                                |
| mask for isolation                              | another sense                                |
| N95 mask                                        | another sense                                |
| wearing mask                                    | may be an infection mask                     |
| laryngeal mask                                  | an airway                                    |
| PAP mean 25 mmHg                                | the pulmonary artery                         |
| PAP 35/15                                       | the pulmonary artery                         |
| IV cannula                                      | another sense                                |
| arterial cannula left                           | another sense                                |
| Tracheostomy                                    | an airway alone                              |
| trach                                           | an airway alone                              |
| Tracheostomy tube, size 6                       | an airway alone                              |
| oral airway                                     | an airway alone                              |
| Nasopharyngeal airway                           | an airway alone                              |
| nasogastric tube                                | another device                               |
| chest tube                                      | another device                               |
| nebulizer                                       | a treatment, no device of oxygen             |
| incentive spirometer                            | another device                               |
| Other                                           | says nothing                                 |
| Other (see comment)                             | says nothing                                 |
| unknown                                         | says nothing                                 |
| N/A                                             | says nothing                                 |
| not assessed                                    | says nothing                                 |
| unchanged                                       | says nothing                                 |
| none of the above                               | says nothing                                 |
| oxygen                                          | no device                                    |
| supplemental oxygen therapy                     | no device                                    |
| 97% RA                                          | a saturation                                 |
| SpO2 95% on RA                                  | a saturation                                 |
| RA sat 88%                                      | a saturation                                 |
| NC 2L 98%                                       | a saturation, or not                         |
| room temperature                                | another sense                                |
| air leak                                        | another sense                                |
| air mattress                                    | another sense                                |
| eye mask                                        | another sense                                |
| Vent settings unchanged                         | more than the vocabulary knows               |
| SBT passed on vent                              | a trial                                      |
| BiPAP abgesetzt                                 | ended, German                                |
| CPAP abgelehnt                                  | refused, German                              |
| extubiert                                       | the past, German                             |
| nicht beatmet                                   | denied, German                               |
| keine Beatmung                                  | denied, German                               |
| Nasenbrille bei Bedarf                          | on demand, German                            |
| Maske entfernt                                  | removed, German                              |
| FFP2-Maske                                      | another sense, German                        |
| Z. n. Beatmung                                  | the past, German                             |
| VNI arrêtée                                     | ended, French                                |
| sevrage de la VNI                               | a plan, French                               |
| refuse le masque                                | refused, French                              |
| lunettes                                        | spectacles, French                           |
| pas de ventilation                              | denied, French                               |
| extubado                                        | the past, Spanish                            |
| sin mascarilla                                  | denied, Spanish                              |
| rechaza CPAP                                    | refused, Spanish                             |
| destete de ventilación mecánica                 | a plan, Spanish                              |
| NIV sospesa                                     | ended, Italian                               |
| rifiuta maschera                                | refused, Italian                             |
| sem VNI                                         | denied, Portuguese                           |
| desmame da ventilação mecânica                  | a plan, Portuguese                           |
| weigert CPAP                                    | refused, Dutch                               |
| mondmasker                                      | another sense, Dutch                         |
| vägrar CPAP                                     | refused, Swedish                             |
| extuberad                                       | the past, Swedish                            |
| nægter maske                                    | refused, Danish                              |
| ekstubert                                       | the past, Norwegian                          |
| ei happimaskia                                  | denied, Finnish                              |
| odmawia CPAP                                    | refused, Polish                              |
| po ekstubacji                                   | the past, Polish                             |
| bez masky                                       | denied, Czech                                |
| odmítá NIV                                      | refused, Czech                               |
| CPAP reddetti                                   | refused, Turkish                             |
| ekstübe                                         | the past, Turkish                            |
| 抜管                                            | the past, Japanese                           |
| 人工呼吸器離脱                                  | ended, Japanese                              |
| 酸素マスク除去                                  | removed, Japanese                            |
| 挿管予定                                        | a plan, Japanese                             |
| NPPV拒否                                        | refused, Japanese                            |
| マスク着用                                      | an infection mask, Japanese                  |
| 발관                                            | the past, Korean                             |
| 인공호흡기 이탈                                 | ended, Korean                                |
| 拔管                                            | the past, Chinese                            |
| 撤呼吸机                                        | ended, Chinese                               |
| 停用呼吸机                                      | ended, Chinese                               |
| 拒绝无创通气                                    | refused, Chinese                             |
| 拟行气管插管                                    | a plan, Chinese                              |
| 无呼吸机                                        | denied, Chinese                              |
| 必要时鼻导管吸氧                                | on demand, Chinese                           |
| 口罩                                            | another sense, Chinese                       |
| ИВЛ                                             | a script without a table                     |
| маска                                           | a script without a table                     |
""")
