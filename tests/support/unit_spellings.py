"""Spellings of units as hospitals write them: those that are read, with a value in the measure's own unit, and those
that must not be."""

from __future__ import annotations

from tests.support.tables import rows

READ = rows("""
| measure              | value | unit                    | is      | because                                         |
| CYTOKINE             | 7.5   | pg/mL                   | 7.5     | the measure's own                               |
| CYTOKINE             | 7.5   | PG/ML                   | 7.5     | capitals: no petagauss for each megalitre       |
| CYTOKINE             | 7.5   | Pg/mL                   | 7.5     | a capital P is pico                             |
| CYTOKINE             | 7.5   | ng/L                    | 7.5     | the same                                        |
| CYTOKINE             | 7.5   | NG/L                    | 7.5     | a capital N is nano                             |
| CYTOKINE             | 0.12  | ng/mL                   | 120     | nanograms                                       |
| CYTOKINE             | 0.12  | µg/L                    | 120     | the micro sign                                  |
| CYTOKINE             | 0.12  | μg/l                    | 120     | the Greek letter                                |
| CYTOKINE             | 0.12  | mcg/L                   | 120     | mcg                                             |
| CYTOKINE             | 750   | pg/dL                   | 7.5     | decilitres                                      |
| CYTOKINE             | 7500  | pg/l                    | 7.5     | litres                                          |
| CYTOKINE             | 7500  | fg/mL                   | 7.5     | femtograms                                      |
| CYTOKINE             | 7.5   | ng/dL                   | 75      | nanograms in a decilitre                        |
| CYTOKINE             | 7.5   | pg / ml                 | 7.5     | blanks                                          |
| CYTOKINE             | 7.5   | pg/ml.                  | 7.5     | a dot                                           |
| CYTOKINE             | 7.5   | pg/㎖                   | 7.5     | one character for ml                            |
| CYTOKINE             | 7.5   | ｐｇ／ｍＬ              | 7.5     | wide letters, as in Japan                       |
| CYTOKINE             | 7.5   | pg/mL{serum}            | 7.5     | an annotation                                   |
| CYTOKINE             | 7.5   | {IL-6}pg/mL             | 7.5     | an annotation before it                         |
| CYTOKINE             | 7.5   | pg.mL-1                 | 7.5     | a power for a stroke                            |
| CYTOKINE             | 7.5   | pg·mL⁻¹                 | 7.5     | a raised power                                  |
| CYTOKINE             | 7.5   | picograms per milliliter | 7.5    | in words                                        |
| CYTOKINE             | 7.5   | Pikogramm pro Milliliter | 7.5    | in German words                                 |
| CYTOKINE             | 7.5   | picogrammes par millilitre | 7.5  | in French words                                 |
| CYTOKINE             | 7.5   | 皮克/毫升               | 7.5     | in Chinese words                                |
| FERRITIN             | 2400  | ng/mL                   | 2400    | as laboratories report it                       |
| FERRITIN             | 2.4   | mg/L                    | 2400    | three decimals fewer                            |
| CRP                  | 15    | mg/L                    | 15      | the measure's own                               |
| CRP                  | 15    | MG/L                    | 15      | capitals                                        |
| CRP                  | 15    | Mg/L                    | 15      | a capital M is milli: no megagrams              |
| CRP                  | 1.5   | mg/dl                   | 15      | Japan, the United States                        |
| CRP                  | 1.5   | MG/DL                   | 15      | capitals                                        |
| CRP                  | 1.5   | ㎎/㎗                   | 15      | one character for each                          |
| CRP                  | 1.5   | mg%                     | 15      | an old way                                      |
| CRP                  | 1.5   | mg/100 mL               | 15      | another                                         |
| CRP                  | 15    | ug/mL                   | 15      | micrograms                                      |
| CRP                  | 15    | mcg/mL                  | 15      | mcg                                             |
| CRP                  | 0.015 | g/L                     | 15      | grams                                           |
| CRP                  | 0.015 | G/L                     | 15      | a capital G is gram                             |
| CRP                  | 15000 | ng/mL                   | 15      | nanograms                                       |
| CRP                  | 15    | milligrams per litre    | 15      | in words                                        |
| CRP                  | 15    | mg/Liter                | 15      | half in words                                   |
| CRP                  | 15    | miligramos por litro    | 15      | in Spanish words                                |
| CRP                  | 15    | ミリグラム/リットル     | 15      | in Japanese words                               |
| TEMPERATURE          | 38.9  | Cel                     | 38.9    | UCUM                                            |
| TEMPERATURE          | 38.9  | CEL                     | 38.9    | UCUM without case                               |
| TEMPERATURE          | 38.9  | C                       | 38.9    | no coulomb                                      |
| TEMPERATURE          | 38.9  | °C                      | 38.9    | a degree sign                                   |
| TEMPERATURE          | 38.9  | ℃                       | 38.9    | one character                                   |
| TEMPERATURE          | 38.9  | º C                     | 38.9    | a Spanish ordinal for the degree                |
| TEMPERATURE          | 38.9  | ˚C                      | 38.9    | a ring                                          |
| TEMPERATURE          | 38.9  | Deg C                   | 38.9    | Meditech                                        |
| TEMPERATURE          | 38.9  | DegC                    | 38.9    | Oracle Health                                   |
| TEMPERATURE          | 38.9  | degrees C               | 38.9    | plural                                          |
| TEMPERATURE          | 38.9  | degree Celsius          | 38.9    | the display of UCUM                             |
| TEMPERATURE          | 38.9  | Grad Celsius            | 38.9    | German                                          |
| TEMPERATURE          | 38.9  | degrés Celsius          | 38.9    | French                                          |
| TEMPERATURE          | 38.9  | graus Celsius           | 38.9    | Portuguese                                      |
| TEMPERATURE          | 38.9  | grader                  | 38.9    | Swedish, Danish, Norwegian                      |
| TEMPERATURE          | 38.9  | st. C                   | 38.9    | Polish                                          |
| TEMPERATURE          | 38.9  | stupňů Celsia           | 38.9    | Czech                                           |
| TEMPERATURE          | 38.9  | 度                      | 38.9    | Japanese                                        |
| TEMPERATURE          | 38.9  | 摄氏度                  | 38.9    | Chinese                                         |
| TEMPERATURE          | 38.9  | 섭씨 도                 | 38.9    | Korean                                          |
| TEMPERATURE          | 100.4 | [degF]                  | 38      | UCUM: exactly 38                                |
| TEMPERATURE          | 100.4 | degF                    | 38      | without brackets                                |
| TEMPERATURE          | 100.4 | °F                      | 38      | a degree sign                                   |
| TEMPERATURE          | 100.4 | ℉                       | 38      | one character                                   |
| TEMPERATURE          | 100.4 | F                       | 38      | no farad                                        |
| TEMPERATURE          | 100.4 | Deg. F                  | 38      | a dot                                           |
| TEMPERATURE          | 100.4 | degrees fahrenheit      | 38      | in words                                        |
| TEMPERATURE          | 38.9  | deg                     | 38.9    | 38.9 can only be Celsius                        |
| PRESSURE             | 118   | mm[Hg]                  | 118     | UCUM                                            |
| PRESSURE             | 118   | MM[HG]                  | 118     | UCUM without case                               |
| PRESSURE             | 118   | mmHg                    | 118     | usual                                           |
| PRESSURE             | 118   | mm Hg                   | 118     | a blank                                         |
| PRESSURE             | 118   | MM HG                   | 118     | capitals                                        |
| PRESSURE             | 118   | mm(hg)                  | 118     | HL7 v2, Japan                                   |
| PRESSURE             | 118   | millimeter of mercury   | 118     | in words                                        |
| PRESSURE             | 11.8  | cmHg                    | 118     | Brazil                                          |
| PRESSURE             | 12    | kPa                     | 90.00744 | as the specification rounds it                 |
| FLOW                 | 8     | L/min                   | 8       | UCUM                                            |
| FLOW                 | 8     | l/min                   | 8       | a small l                                       |
| FLOW                 | 8     | L/Min                   | 8       | a capital                                       |
| FLOW                 | 8     | lpm                     | 8       | the bedside                                     |
| FLOW                 | 8     | LPM                     | 8       | in capitals                                     |
| FLOW                 | 8     | liters per minute       | 8       | in words                                        |
| FLOW                 | 8     | Liter/Minute            | 8       | German                                          |
| FLOW                 | 8     | l/mn                    | 8       | French                                          |
| FLOW                 | 8     | Litro/min               | 8       | Spanish                                         |
| FLOW                 | 8     | litri al minuto         | 8       | Italian                                         |
| FLOW                 | 8     | L.min-1                 | 8       | a power                                         |
| FLOW                 | 8     | L/分                    | 8       | Japanese                                        |
| FLOW                 | 8     | L                       | 8       | a flow of oxygen in litres is by the minute     |
| FLOW                 | 500   | mL/min                  | 0.5     | millilitres                                     |
| FLOW                 | 500   | ML/min                  | 0.5     | a capital M is milli                            |
| FLOW                 | 360   | L/h                     | 6       | exactly 6                                       |
| FIO2                 | 40    | %                       | 0.4     | percent                                         |
| FIO2                 | 40    | percent                 | 0.4     | in words                                        |
| FIO2                 | 40    | Vol.-%                  | 0.4     | German                                          |
| FIO2                 | 40    | pour cent               | 0.4     | French                                          |
| FIO2                 | 40    | ％                      | 0.4     | a wide sign                                     |
| FIO2                 | 0.4   | 1                       | 0.4     | a fraction                                      |
| FIO2                 | 0.4   | {fraction}              | 0.4     | said so                                         |
| SATURATION           | 97    | %                       | 97      | percent                                         |
| SATURATION           | 97    | % SpO2                  | 97      | with its name                                   |
| SATURATION           | 97    | %{HemoglobinSaturation} | 97      | annotated                                       |
| SATURATION           | 0.97  | 1                       | 97      | a fraction                                      |
| WEIGHT               | 62    | kg                      | 62      | UCUM                                            |
| WEIGHT               | 62    | KG                      | 62      | capitals                                        |
| WEIGHT               | 62    | Kg                      | 62      | one capital                                     |
| WEIGHT               | 62    | kilogram                | 62      | in words                                        |
| WEIGHT               | 62    | kilograms               | 62      | plural                                          |
| WEIGHT               | 62    | 公斤                    | 62      | Chinese                                         |
| WEIGHT               | 3500  | g                       | 3.5     | grams                                           |
| WEIGHT               | 3500  | gramos                  | 3.5     | in words                                        |
| WEIGHT               | 100   | [lb_av]                 | 45.359237 | UCUM                                          |
| WEIGHT               | 100   | lbs                     | 45.359237 | usual                                         |
| WEIGHT               | 100   | pounds                  | 45.359237 | in words                                      |
| WEIGHT               | 100   | LB                      | 45.359237 | capitals                                      |
| WEIGHT               | 100   | [oz_av]                 | 2.8349523125 | UCUM                                       |
| WEIGHT               | 100   | oz                      | 2.8349523125 | usual                                      |
| WEIGHT               | 10    | [stone_av]              | 63.5029318 | UCUM                                         |
| WEIGHT               | 10    | stone                   | 63.5029318 | United Kingdom                               |
| COUNT                | 0.4   | 10*3/uL                 | 0.4     | UCUM                                            |
| COUNT                | 0.4   | 10*9/L                  | 0.4     | the same                                        |
| COUNT                | 0.4   | 10^9/L                  | 0.4     | a caret                                         |
| COUNT                | 0.4   | x10^9/L                 | 0.4     | times                                           |
| COUNT                | 0.4   | ×10⁹/L                  | 0.4     | raised                                          |
| COUNT                | 0.4   | x10(9)/L                | 0.4     | in brackets                                     |
| COUNT                | 0.4   | 10E9/L                  | 0.4     | Finland                                         |
| COUNT                | 0.4   | x10E3/uL                | 0.4     | LabCorp                                         |
| COUNT                | 0.4   | x10e3/mcL               | 0.4     | Oracle Health                                   |
| COUNT                | 0.4   | 10x3/uL                 | 0.4     | a cross for the power                           |
| COUNT                | 0.4   | K/uL                    | 0.4     | no kelvin                                       |
| COUNT                | 0.4   | k/mm3                   | 0.4     | cubic millimetres                               |
| COUNT                | 0.4   | Thousand/uL             | 0.4     | Quest                                           |
| COUNT                | 0.4   | THOU/CMM                | 0.4     | capitals                                        |
| COUNT                | 0.4   | G/l                     | 0.4     | Germany, France: giga                           |
| COUNT                | 0.4   | Gpt/l                   | 0.4     | Germany: gigaparticles                          |
| COUNT                | 0.4   | Tsd/µl                  | 0.4     | Germany                                         |
| COUNT                | 0.4   | Tsd./µl                 | 0.4     | with a dot                                      |
| COUNT                | 0.4   | /nl                     | 0.4     | Germany                                         |
| COUNT                | 0.4   | 10\\S\\3/μl             | 0.4     | the escape of HL7 v2                            |
| COUNT                | 0.4   | 千/µL                   | 0.4     | Japan                                           |
| COUNT                | 4     | x10^2/uL                | 0.4     | Japan                                           |
| COUNT                | 4     | 百/μl                   | 0.4     | in words                                        |
| COUNT                | 1.5   | 万/μl                   | 15      | Japan: platelets                                |
| COUNT                | 400   | /uL                     | 0.4     | cells                                           |
| COUNT                | 400   | cells/uL                | 0.4     | said so                                         |
| COUNT                | 400   | {cells}/uL              | 0.4     | annotated                                       |
| COUNT                | 400   | /mm³                    | 0.4     | France, Brazil                                  |
| COUNT                | 400   | /cumm                   | 0.4     | cubic millimetres                               |
| COUNT                | 400   | células/mm3             | 0.4     | Brazil                                          |
| COUNT                | 0.4   | mil/mm³                 | 0.4     | Brazil: thousand                                |
| COUNT                | 400   | 10*6/L                  | 0.4     | millions in a litre                             |
| ENZYME               | 40    | U/L                     | 40      | UCUM                                            |
| ENZYME               | 40    | IU/L                    | 40      | international units of an enzyme are its units  |
| ENZYME               | 40    | [IU]/L                  | 40      | UCUM                                            |
| ENZYME               | 40    | UI/L                    | 40      | French, Spanish, Portuguese                     |
| ENZYME               | 40    | units/L                 | 40      | in words                                        |
| ENZYME               | 40    | IU/L/37℃                | 40      | Japan                                           |
| ENZYME               | 0.7   | µkat/L                  | 42      | Sweden, Czechia                                 |
| MASS                 | 496   | mg                      | 496     | UCUM                                            |
| MASS                 | 496   | MG                      | 496     | capitals                                        |
| MASS                 | 496   | Mg                      | 496     | no megagrams                                    |
| MASS                 | 496   | milligrams              | 496     | in words                                        |
| MASS                 | 496   | ㎎                      | 496     | one character                                   |
| MASS                 | 496   | mg/{dose}               | 496     | annotated                                       |
| MASS                 | 0.5   | g                       | 500     | grams                                           |
| MASS                 | 0.5   | GM                      | 500     | Meditech                                        |
| MASS                 | 100   | MCG                     | 0.1     | micrograms                                      |
| MASS_PER_WEIGHT      | 8     | mg/kg                   | 8       | UCUM                                            |
| MASS_PER_WEIGHT      | 8     | MG/KG                   | 8       | capitals                                        |
| MASS_PER_WEIGHT      | 8     | mg/kg KG                | 8       | German: body weight                             |
| MASS_PER_WEIGHT      | 8     | mg/{kg}                 | 8       | the annotation is a unit                        |
| VOLUME               | 24.8  | mL                      | 24.8    | UCUM                                            |
| VOLUME               | 24.8  | cc                      | 24.8    | the bedside                                     |
| VOLUME               | 0.25  | L                       | 250     | litres                                          |
| MASS_RATE            | 480   | mg/24 h                 | 20      | a day                                           |
| MASS_RATE            | 480   | mg/(24.h)               | 20      | UCUM                                            |
| MASS_RATE            | 480   | mg/jour                 | 20      | French                                          |
| MASS_RATE            | 20    | mg/hr                   | 20      | an hour                                         |
| MASS_RATE            | 20    | mg/Std.                 | 20      | German                                          |
| MASS_PER_WEIGHT_RATE | 0.1   | ug/kg/min               | 0.006   | a vasopressor's                                 |
| MASS_PER_WEIGHT_RATE | 5.4   | mg/(kg.h)               | 5.4     | UCUM                                            |
| VOLUME_RATE          | 6     | mL/h                    | 6       | UCUM                                            |
| VOLUME_RATE          | 6     | ml/hour                 | 6       | MIMIC                                           |
| VOLUME_RATE          | 6     | ml/t                    | 6       | Danish, Norwegian                               |
| VOLUME_RATE          | 6     | ml/uur                  | 6       | Dutch                                           |
| TIME                 | 1     | day                     | 24      | a day                                           |
| ITEM                 | 1     | {pill}                  | 1       | annotated                                       |
| ITEM                 | 1     | TAB                     | 1       | a code of its own                               |
| ITEM                 | 2     | Tabletten               | 2       | German                                          |
| ITEM                 | 2     | comprimés               | 2       | French                                          |
| ITEM                 | 2     | 錠                      | 2       | Japanese                                        |
| SCORE                | 7     | {score}                 | 7       | UCUM                                            |
""")

NOT_READ = rows("""
| measure         | value | unit              | because                                                 |
| CYTOKINE        | 7.5   | [arb'U]/mL        | arbitrary units                                         |
| CYTOKINE        | 7.5   | [IU]/mL           | international units                                     |
| CYTOKINE        | 7.5   | U/mL              | units of an assay                                       |
| CYTOKINE        | 7.5   | pmol/L            | an amount of substance                                  |
| CYTOKINE        | 7.5   | mg/L              | no cytokine is measured in milligrams                   |
| CYTOKINE        | 7.5   | pg                | in what?                                                |
| CYTOKINE        | 7.5   | pg/mg             | by another mass                                         |
| CYTOKINE        | 7.5   | pg/mg{creat}      | in urine                                                |
| CYTOKINE        | 7.5   | pg/mL/h           | a rate                                                  |
| CYTOKINE        | 7.5   | pg/mL (serum)     | a remark in round brackets                              |
| CYTOKINE        | 7.5   | p/mL              | a letter lost                                           |
| CYTOKINE        | 7.5   | furlong           | nothing                                                 |
| CRP             | 15    | nmol/L            | the molecule's weight is the assay's                    |
| CRP             | 15    | mmol/L            | an amount of substance                                  |
| CRP             | 15    | mg                | in what?                                                |
| CRP             | 15    | mg/g              | by another mass                                         |
| CRP             | 15    | mg/kg             | a dose                                                  |
| TEMPERATURE     | 310   | K                 | nobody charts kelvin                                    |
| TEMPERATURE     | 38.9  | [degRe]           | Réaumur                                                 |
| TEMPERATURE     | 38.9  | Cal               | a letter off                                            |
| TEMPERATURE     | 38.9  | %                 | a percentage                                            |
| PRESSURE        | 118   | cm[H2O]           | an airway's, or the example of a LOINC code             |
| PRESSURE        | 118   | mm                | of what?                                                |
| PRESSURE        | 118   | mmol              | a letter off                                            |
| PRESSURE        | 118   | bpm               | a pulse                                                 |
| FLOW            | 8     | L/m2              | by the surface                                          |
| FLOW            | 8     | L/min/m2          | by the surface                                          |
| FLOW            | 8     | mL/kg/min         | by weight                                               |
| FLOW            | 8     | /min              | breaths                                                 |
| FLOW            | 8     | L/d               | a day's volume                                          |
| FIO2            | 40    | L/min             | a flow                                                  |
| FIO2            | 40    | mmHg              | a pressure                                              |
| FIO2            | 40    | 1                 | a fraction is no 40                                     |
| SATURATION      | 97    | mmHg              | a pressure of oxygen                                    |
| SATURATION      | 97    | /min              | a pulse                                                 |
| WEIGHT          | 62    | 斤                | 500 g in one country, 600 g in another                  |
| WEIGHT          | 62    | Pfund             | 500 g, no pound                                         |
| WEIGHT          | 62    | kg/m2             | a body mass index                                       |
| WEIGHT          | 62    | k                 | a letter lost                                           |
| WEIGHT          | 62    | cm                | a height                                                |
| COUNT           | 0.4   | %                 | a share                                                 |
| COUNT           | 0.4   | K                 | in what?                                                |
| COUNT           | 0.4   | x10^3             | in what?                                                |
| COUNT           | 0.4   | 10*-3/uL          | a power below one                                       |
| COUNT           | 0.4   | 10⁻³/µL           | the same, raised                                        |
| COUNT           | 0.4   | 10*12/L           | red cells                                               |
| COUNT           | 0.4   | M/uL              | millions, or thousands in Rome                          |
| COUNT           | 0.4   | g/dL              | haemoglobin                                             |
| COUNT           | 0.4   | /{hpf}            | a field of a microscope                                 |
| COUNT           | 0.4   | /3μl              | in spinal fluid                                         |
| ENZYME          | 40    | nmol/L            | an amount of substance                                  |
| ENZYME          | 40    | U/g               | by mass                                                 |
| ENZYME          | 40    | U                 | in what?                                                |
| MASS            | 496   | mg/{kg}           | a dose by weight                                        |
| MASS            | 496   | mg{per kg}        | a dose by weight                                        |
| MASS            | 496   | mg/m2             | by the surface                                          |
| MASS            | 496   | mL                | a volume                                                |
| MASS            | 496   | gr                | a grain, or a gram                                      |
| MASS            | 496   | meq               | an amount of substance                                  |
| MASS            | 496   | units             | of what?                                                |
| MASS            | 496   | mg/h              | a rate                                                  |
| MASS_PER_WEIGHT | 8     | mg/m2             | by the surface                                          |
| MASS_PER_WEIGHT | 8     | mg/kg/h           | a rate                                                  |
| MASS_PER_WEIGHT | 8     | mg/kg/d           | a day's dose                                            |
| MASS_RATE       | 20    | mg/T              | a day in German, an hour in Danish                      |
| MASS_RATE       | 20    | mg/kg/h           | by weight                                               |
| MASS_RATE       | 20    | mL/h              | a volume                                                |
| VOLUME          | 24.8  | mg                | a mass                                                  |
| VOLUME          | 24.8  | gtt               | drops                                                   |
| VOLUME_RATE     | 6     | gtt/min           | drops                                                   |
| ITEM            | 1     | dose              | of what?                                                |
| ITEM            | 1     | mg                | a mass                                                  |
| ITEM            | 1     | unit              | of what?                                                |
| SCORE           | 7     | %                 | a share                                                 |
""")
