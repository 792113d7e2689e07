#!/usr/bin/env python3
"""read_random_files.py WRITE_RANDOM_FILES [SEED]: reads files of random templates with Python's csv, gzip,
zipfile and cp932, and exits 1 where it does not find what was written. Prints the seed."""

import csv
import gzip
import hashlib
import io
import json
import random
import subprocess
import sys
import tempfile
import zipfile

TEMPLATES = 300
TRAILER_WIDTHS = [30, 30]
CODECS = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "shift_jis": "cp932"}


def unpacked(made, file):
    with open(file["path"], "rb") as stored:
        content = stored.read()
    assert hashlib.sha256(content).hexdigest() == file["sha256"], "SHA-256"
    if made["compression"] == "gzip":
        assert content[4:8] == bytes(4), "a time in gzip's header"
        return gzip.decompress(content)
    if made["compression"] == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            (entry,) = archive.infolist()
            assert entry.filename + ".zip" == file["name"], entry.filename
            assert entry.date_time == (1980, 1, 1, 0, 0, 0), entry.date_time
            return archive.read(entry)
    return content


def delimited(made, content):
    text = content.decode(CODECS[made["encoding"]])
    if not made["has_quotes"]:
        lines = text.split(made["line_end"])
        assert lines.pop() == "", "the last line has no end"
        return [line.split(made["delimiter"]) for line in lines]
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=made["delimiter"], strict=True))


def fixed(made, content):
    codec = "cp932" if made["encoding"] == "shift_jis" else "utf-8"
    if made["encoding"] == "utf-8-bom":
        assert content.startswith(b"\xef\xbb\xbf")
        content = content[3:]
    lines = content.split(made["line_end"].encode())
    assert lines.pop() == b"", "the last line has no end"
    rows = []
    for line in lines:
        widths = TRAILER_WIDTHS if len(line) == sum(TRAILER_WIDTHS) else made["widths"]
        assert len(line) == sum(widths), len(line)
        row = []
        for width in widths:
            row.append(line[:width].decode(codec).strip(" "))
            line = line[width:]
        rows.append(row)
    return rows


def check(made):
    rows = []
    for file in made["files"]:
        content = unpacked(made, file)
        assert len(content) == file["text_bytes"], "text_bytes"
        lines = fixed(made, content) if made["widths"] else delimited(made, content)
        if made["names"]:
            assert lines.pop(0) == made["names"], "names"
        if made["has_trailer"]:
            trailer = lines.pop()
            total = sum(made["amounts"][len(rows):len(rows) + len(lines)])
            assert trailer == [str(len(lines)), str(total)], trailer
        assert len(lines) == file["rows"], "rows"
        rows += lines
    assert rows == made["rows"], (rows, made["rows"])


def main(writer, seed):
    print("seed", seed)
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([writer, str(seed), str(TEMPLATES), directory], check=True)
        with open(f"{directory}/expected.json", encoding="utf-8") as expected:
            templates = json.load(expected)
        assert len(templates) == TEMPLATES
        for made in templates:
            try:
                check(made)
            except (AssertionError, UnicodeError, csv.Error, OSError) as e:
                print(made["template"], repr(e), sep="\n")
                return 1
        print(sum(len(made["files"]) for made in templates), "files,",
              sum(len(made["rows"]) for made in templates), "rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2
                  else random.SystemRandom().randrange(2 ** 32)))
