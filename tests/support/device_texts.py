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
| BBO2                                            | 2   |      |      |
| mascherina con reservoir 12 L/min               | 3   | 12   |      |
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

# ---- written beside the vocabulary

READ = rows("""
| text                                            | row | flow | FiO2 |
| NASAL_CANNULA                                   | 2   |      |      |
| Nasal Cannula - 2 LPM                           | 2   | 2    |      |
| cannula, nasal                                  | 2   |      |      |
| 2L O2 NC                                        | 2   | 2    |      |
| Oxymizer 4 L                                    | 2   | 4    |      |
| NC 1/2 L                                        | 2   | 0.5  |      |
| NC 2-4 L/min                                    | 2   | 4    |      |
| NC 500 mL/min                                   | 2   | 0.5  |      |
| NC 0 L                                          | 2   | 0    |      |
| Nasal cannula 3 L/min, sedated, left nare       | 2   | 3    |      |
| Ｎａｓａｌ ｃａｎｎｕｌａ　２Ｌ                  | 2   | 2    |      |
| ﾘｻﾞｰﾊﾞｰﾏｽｸ 10L                                  | 3   | 10   |      |
| Aerosol-cool                                    | 3   |      |      |
| Medium conc mask                                | 3   |      |      |
| Mask - Venturi 40 %                             | 3   |      | 0.40 |
| Venturi 28% (white)                             | 3   |      | 0.28 |
| OxyMask 10 L                                    | 3   | 10   |      |
| NRB 15L 100%                                    | 3   | 15   | 1    |
| Tracheostomy with T-piece 40%                   | 3   |      | 0.40 |
| NC / simple mask                                | 3   |      |      |
| HFNC @ 40L, Fi02 50%                            | 3   | 40   | 0.5  |
| HFNC 40/50                                      | 3   |      |      |
| High flow nasal cannula (Vapotherm)             | 3   |      |      |
| Bipap mask                                      | 4   |      |      |
| CPAP 5                                          | 4   |      |      |
| NIV PS 8 PEEP 5 FiO2 0.4                        | 4   |      | 0.4  |
| Trach/vent                                      | 4   |      |      |
| ETT 7.5 at 23 cm lip                            | 4   |      |      |
| Vent AC 16/450/5/40%                            | 4   |      | 0.4  |
| VV-ECMO, intubated, sedated                     | 4   |      |      |
| Non-invasive ventilation (regime/therapy)       | 4   |      |      |
| home CPAP                                       | home |     |      |
| CPAP (home unit)                                | home |     |      |
| patient's own CPAP at night                     | home |     |      |
| nächtliche CPAP                                 | home |     |      |
| PPC nocturne                                    | home |     |      |
| CPAP domiciliaria                               | home |     |      |
| CPAP notturna                                   | home |     |      |
| 夜間CPAP                                        | home |     |      |
| 家用CPAP                                        | home |     |      |
| trach on room air                               | 0   |      |      |
| RA 0 L                                          | 0   | 0    |      |
| nil O2                                          | 0   |      |      |
| Self-ventilating on air                         | 0   |      |      |
| O2 über Nasenbrille 2 l/min                     | 2   | 2    |      |
| Sauerstoffgabe via Maske 6 l/min                | 3   | 6    |      |
| Beatmungsgeraet                                 | 4   |      |      |
| beatmet, FiO2 0,4 PEEP 8                        | 4   |      | 0.4  |
| O2 2 L/min aux lunettes                         | 2   | 2    |      |
| O2 por gafas nasales a 2 lpm                    | 2   | 2    |      |
| respiro spontaneo in aria ambiente              | 0   |      |      |
| intubado em ventilação mecânica, sedado         | 4   |      |      |
| zuurstof 2 liter per minuut via neusbril        | 2   | 2    |      |
| syrgas 2 l/min på grimma                        | 2   | 2    |      |
| 2 l ilt på næsekateter                          | 2   | 2    |      |
| ikke-invasiv ventilasjon                        | 4   |      |      |
| korkeavirtaushappi 40 l/min                     | 3   | 40   |      |
| tlen przez wąsy 3 l/min                         | 2   | 3    |      |
| vysokoprůtoková nosní kanyla                    | 3   |      |      |
| yüksek akımlı nazal kanül 40 L/dk               | 3   | 40   |      |
| 酸素3L 鼻カニューレ                             | 2   | 3    |      |
| 人工呼吸器管理中(SIMV)                          | 4   |      |      |
| O2なし                                          | 0   |      |      |
| 산소 2L 비강캐뉼라 적용중                       | 2   | 2    |      |
| 인공호흡기 적용 중                              | 4   |      |      |
| 高流量吸氧 40L/min FiO2 50%                     | 3   | 40   | 0.50 |
| 面罩吸氧(无创)                                  | 4   |      |      |
| 呼吸机辅助通气                                  | 4   |      |      |
| 非再吸入型面罩 15L/min                          | 3   | 15   |      |
| SIMV                                            | 4   |      |      |
| SIMV/PS                                         | 4   |      |      |
| PRVC                                            | 4   |      |      |
| APRV                                            | 4   |      |      |
| AC/VC FiO2 40% PEEP 8                           | 4   |      | 0.40 |
| HFNP 50 L/min                                   | 3   | 50   |      |
| ETT 7.5 @ 22                                    | 4   |      |      |
| Venturi yellow 35%                              | 3   |      | 0.35 |
| NİMV                                            | 4   |      |      |
| tlen przez maskę                                | 3   |      |      |
| None required                                   | 0   |      |      |
| ARM PEEP 8 FiO2 40%                             | 4   |      | 0.40 |
| Evita V500 SIMV                                 | 4   |      |      |
""")

# without a device: nothing is left of the text, and its numbers count by themselves
NUMBERS_ALONE = rows("""
| text                | flow | FiO2 |
| O2 4 L/min          | 4    |      |
| 2 liters/min        | 2    |      |
| 吸氧 3L/min         | 3    |      |
| humidified O2 35%   |      | 0.35 |
| trach 28%           |      | 0.28 |
""")

NOT_READ = rows("""
| text                                            | because                                      |
| CPAP (home unit) and NRB                        | home, beside a mask that is not              |
| home O2 2L NC                                   | home, without positive pressure              |
| home unit                                       | no device                                    |
| NC vs mask                                      | undecided                                    |
| NC; BiPAP off since 08:00                       | a change                                     |
| NC and CPAP for night                           | home, beside a cannula                       |
| vent weaned                                     | the past                                     |
| T-piece trial                                   | a trial                                      |
| HFNC on hold                                    | held                                         |
| BiPAP declined, family aware                    | refused                                      |
| ETT removed                                     | removed                                      |
| trach decannulated                              | the past                                     |
| mask prn nebs                                   | on demand                                    |
| NC available prn                                | on demand                                    |
| CPAP titration study                            | another sense                                |
| ventilator-associated pneumonia                 | another sense                                |
| mask leak                                       | another sense                                |
| nasal packing                                   | another sense                                |
| cannula site clean                              | another sense                                |
| air-fluidised bed                               | another sense                                |
| RA joint pain                                   | another sense                                |
| NC 97%                                          | a saturation                                 |
| room air 92 %                                   | a saturation                                 |
| room air 2 L                                    | contradicts itself                           |
| NC 2                                            | a number without a unit                      |
| mask 08:30                                      | a time                                       |
| NC 2L < 4L                                      | a comparison                                 |
| O2 NC ↓ 2L                                      | a change                                     |
| BiPAP!? refuses                                 | refused                                      |
| invasive line                                   | another sense                                |
| N.A.                                            | says nothing                                 |
| pressure support                                | a mode without a ventilator                  |
| nasal mask                                      | an interface alone                           |
| helmet                                          | an interface alone                           |
| oxyhood                                         | no row of the consensus                      |
| speaking valve                                  | an airway alone                              |
| HME                                             | an airway alone                              |
| mask ventilation difficult                      | another sense                                |
| difficult intubation                            | another sense                                |
| respiratory rate 18                             | another sense                                |
| kein Tubus                                      | denied, German                               |
| ohne Maske                                      | denied, German                               |
| Maske verweigert                                | refused, German                              |
| Beatmung beendet                                | ended, German                                |
| NIV geplant                                     | a plan, German                               |
| von der Beatmung entwöhnt                       | the past, German                             |
| pas de VNI                                      | denied, French                               |
| lunettes ôtées                                  | removed, French                              |
| VNI si besoin                                   | on demand, French                            |
| extubé, lunettes 2 L                            | the past, French                             |
| no precisa VMNI                                 | denied, Spanish                              |
| mascarilla si precisa                           | on demand, Spanish                           |
| cánula o mascarilla                             | undecided, Spanish                           |
| retirada VMNI                                   | removed, Spanish                             |
| non tollera CPAP                                | refused, Italian                             |
| svezzato dal ventilatore                        | the past, Italian                            |
| não tolera VNI                                  | refused, Portuguese                          |
| máscara se necessário                           | on demand, Portuguese                        |
| geen masker                                     | denied, Dutch                                |
| van de beademing af                             | the past, Dutch                              |
| CPAP av                                         | ended, Swedish                               |
| utan mask                                       | denied, Swedish                              |
| CPAP af                                         | ended, Danish                                |
| ingen maske                                     | denied, Danish                               |
| uten maske                                      | denied, Norwegian                            |
| ei hengityskonetta                              | denied, Finnish                              |
| ilman maskia                                    | denied, Finnish                              |
| bez maski                                       | denied, Polish                               |
| odłączony od respiratora                        | the past, Polish                             |
| odpojen od ventilátoru                          | the past, Czech                              |
| maske yok                                       | denied, Turkish                              |
| mekanik ventilatörden ayrıldı                   | the past, Turkish                            |
| 酸素中止                                        | ended, Japanese                              |
| マスクなし                                      | denied, Japanese                             |
| HFNCから鼻カニューラへ変更                      | a change, Japanese                           |
| 人工呼吸器不要                                  | denied, Japanese                             |
| 인공호흡기 대기                                 | not in use, Korean                           |
| 산소마스크 제거                                 | removed, Korean                              |
| 呼吸机备用                                      | not in use, Chinese                          |
| 间断无创通气                                    | now and then, Chinese                        |
| 气管插管拔除                                    | the past, Chinese                            |
| 未使用呼吸器                                    | denied, Chinese                              |
| หน้ากากออกซิเจน                                  | a script without a table                     |
| قناع أكسجين                                     | a script without a table                     |
| μάσκα οξυγόνου                                  | a script without a table                     |
""")
