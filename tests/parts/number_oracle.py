"""What Python's phonenumbers says about numbers of every region and sort.

Prints one line of JSON for each number: its E.164 form, region, sort and validity, the
spellings in which it may be written for anybody, and those of its own country. Beside the
library's example numbers there are numbers with other last digits, drawn with a fixed seed.
"""

import json
import random
import sys

import phonenumbers
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType as Sort

SORTS = {
    Sort.FIXED_LINE: "Fixed",
    Sort.MOBILE: "Mobile",
    Sort.FIXED_LINE_OR_MOBILE: "FixedOrMobile",
    Sort.TOLL_FREE: "TollFree",
    Sort.PREMIUM_RATE: "Premium",
    Sort.SHARED_COST: "SharedCost",
    Sort.VOIP: "Voip",
    Sort.PERSONAL_NUMBER: "Personal",
    Sort.PAGER: "Pager",
    Sort.UAN: "CompanyWide",
    Sort.VOICEMAIL: "Voicemail",
    Sort.UNKNOWN: "Unknown",
}
FULL_WIDTH = str.maketrans("+0123456789", "＋０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DRAWN = 3


def main() -> None:
    drawn = random.Random(20)
    for number in examples():
        show(number, example=True)
        for _ in range(DRAWN):
            digits = phonenumbers.format_number(number, Format.E164)
            keep = max(len(digits) - 6, 3)
            other = digits[:keep] + "".join(drawn.choices("0123456789", k=len(digits) - keep))
            try:
                show(phonenumbers.parse(other, None), example=False)
            except phonenumbers.NumberParseException:
                continue


def examples():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for sort in SORTS:
            number = phonenumbers.example_number_for_type(region, sort)
            if number is not None:
                yield number
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        yield phonenumbers.example_number_for_non_geo_entity(code)


def show(number, example: bool) -> None:
    region = phonenumbers.region_code_for_number(number)
    line = {
        "e164": phonenumbers.format_number(number, Format.E164),
        "region": region,
        "sort": SORTS[phonenumbers.number_type(number)],
        "valid": phonenumbers.is_valid_number(number),
        "example": example,
        "spellings": international(number) if example else [],
        "national": national(number, region) if example else [],
    }
    sys.stdout.write(json.dumps(line) + "\n")


def international(number) -> list[str]:
    e164 = phonenumbers.format_number(number, Format.E164)
    spaced = phonenumbers.format_number(number, Format.INTERNATIONAL)
    code, rest = f"+{number.country_code}", e164[len(str(number.country_code)) + 1 :]
    spellings = [
        e164,
        spaced,
        phonenumbers.format_number(number, Format.RFC3966),
        "00" + e164[1:],
        "00 " + spaced[1:],
        f"({code}) {rest}",
        spaced.replace(" ", "."),
        e164.translate(FULL_WIDTH),
        e164.translate(ARABIC),
    ]
    prefix = phonenumbers.ndd_prefix_for_region(
        phonenumbers.region_code_for_country_code(number.country_code), True
    )
    if prefix == "0" and not rest.startswith("0"):
        spellings.append(f"{code} (0){rest}")
    return spellings


def national(number, region) -> list[str]:
    if region is None or region == "001" or not phonenumbers.is_valid_number(number):
        return []
    return [phonenumbers.format_number(number, Format.NATIONAL)]


if __name__ == "__main__":
    main()
