#!/usr/bin/env python3
"""make_cp932_table.py > data/cp932.txt: the two-byte characters of Windows code page 932.

One line a lead byte, "81:" and the characters of the trail bytes 40 to 7E and 80 to FC, with U+FFFD
where there is none. Left out are the characters that a receiver cannot know (user-defined, F0 to F9)
and NEC's selection of IBM's extensions (ED, EE), which are all in FA to FC again: Windows and browsers
write the latter, Python the former. Where another character is there twice the first is written,
which this checks against Python's encoder.
"""

TRAILS = [*range(0x40, 0x7F), *range(0x80, 0xFD)]
NONE = "\N{REPLACEMENT CHARACTER}"


def main():
    first = {}
    for lead in [*range(0x81, 0xA0), *range(0xE0, 0xED), *range(0xFA, 0xFD)]:
        characters = ""
        for trail in TRAILS:
            code = bytes([lead, trail])
            character = code.decode("cp932", errors="replace")
            character = character if len(character) == 1 else NONE
            if character != NONE and first.setdefault(character, code) == code:
                assert character.encode("cp932") == code or lead >= 0xFA, code
            characters += character
        if characters.strip(NONE):
            print(f"{lead:02X}:{characters}")


if __name__ == "__main__":
    main()
