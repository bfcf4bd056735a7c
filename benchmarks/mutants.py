"""Damage of all kinds, decided by a seeded generator alone: bytes, images, JSON, TOML, tensors, words."""

from __future__ import annotations

import io
import json
import math
import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
SIDES = (0, 1, 7, 48, 64, 65, 13000, 30000, 65535, 2**31 - 1, 2**32 - 1)  # of an image that its header claims
# What may stand for any value of a JSON text; some are no JSON at all.
JSON_TEXTS = (
    *("null", "true", "false", "[]", "{}", "[[]]", "[null]", '{"": 1}', "0", "-1", "-0.0", "1.5", "1e400", "-1e400"),
    *("NaN", "9223372036854775808", "-9223372036854775809", "4294967296", "1000000000", "1" * 5000),
    *('""', '"x"', '"-1"', '"1e9"', '"\\ud800"', '"\\u0000"', '"../../outside"', '"/etc/passwd"', '"ü漢🙂"'),
    *('"' + "y" * 100_000 + '"', "[" * 100_000, "[" * 500 + "]" * 500, '{"a":' * 5000 + "0" + "}" * 5000, "[1,2,", ""),
)
TOML_TEXTS = (
    *("0", "-1", "1", "2.5", "nan", "inf", "-inf", "true", '""', '"x"', '"none"', "[]", "{}", "[1, 2]", "1979-05-27"),
    *("9223372036854775808", "1e400", "'" + "z" * 100_000 + "'", "[" * 5000, "[" * 300 + "]" * 300, '"\\ud800"', ""),
)
WORDS = (
    *("", " ", "-", "--", "x", "ü漢🙂", "\udce9", "a\nb", "%s%n", "../outside", "/", ".", "..", "~", "in", "nothing"),
    *("0", "-1", "1", "1.5", "1e-9", "1e9", "1e308", "nan", "inf", "-inf", "99999999999999999999", "true", "none"),
    *("w" * 300, "w" * 5000, "a=b", "=", "lr=[", "width=0", "width=-1", "seed=99999999999999999999", "1,2", ",", "[]"),
)
Mutator = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


# ------------------------------------------------------------------------------------------------- bytes


def damaged(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The bytes after one to three blows; ``others`` are the contents of other files, of this kind and not."""
    blows = [_flip, _flip, _cut, _number, _number, _number, _delete, _repeat, _noise, _splice, _replace]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        data = rng.choice(blows)(rng, data, others)
    return data


def _place(rng: random.Random, data: bytes) -> int:
    """Somewhere in the bytes; headers and tails more often than what lies between."""
    near = min(len(data), rng.choice([16, 64, 512, 4096, len(data)]))
    at = rng.randrange(near + 1)
    return len(data) - at if rng.random() < 0.2 else at


def _flip(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _blow in range(rng.choice([1, 1, 4, 32]) if data else 0):
        changed[min(_place(rng, data), len(data) - 1)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: _place(rng, data)] if rng.random() < 0.9 else b""


def _number(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at, size = _place(rng, data), rng.choice([1, 2, 4, 4, 4, 8])
    number = rng.choice(NUMBERS) % 2 ** (8 * size)
    return data[:at] + number.to_bytes(size, rng.choice(["big", "little"])) + data[at + size :]


def _delete(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice([1, 4, 64, 1000]) :]


def _repeat(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at, size = _place(rng, data), rng.choice([1, 4, 64, 1000])
    return data[:at] + data[at : at + size] * rng.choice([2, 2, 50]) + data[at + size :]


def _noise(rng: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at, size = _place(rng, data), rng.choice([4, 64, 1000])
    return data[:at] + rng.choice([rng.randbytes(size), bytes(size), b"\xff" * size]) + data[at + size :]


def _splice(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _replace(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The wrong kind of file under a right name."""
    return rng.choice([*others, b"words\n", b"\xff\xfe", b"PK\x03\x04", b"\x00" * 5000, b"{}", b"[" * 100_000])


# ------------------------------------------------------------------------------------------------- images


def image(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """An image whose header lies with a right check sum, or that is turned by EXIF, or that is just damaged."""
    if data.startswith(b"\x89PNG") and rng.random() < 0.6:
        return _lying_png(rng, data)
    if data.startswith(b"\xff\xd8") and rng.random() < 0.5:
        return _lying_jpeg(rng, data)
    if data.startswith(b"BM") and rng.random() < 0.4:
        return data[:18] + struct.pack("<II", *(rng.choice(SIDES) % 2**32 for _ in "wh")) + data[26:]
    return damaged(rng, data, others)


def _lying_png(rng: random.Random, data: bytes) -> bytes:
    chunks, at = [], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    kind = rng.choice(["size", "format", "turned", "data", "order", "length"])
    header = bytearray(chunks[0][1])
    if kind == "size":
        struct.pack_into(">I", header, rng.choice([0, 4]), rng.choice(SIDES))
        if rng.random() < 0.5:
            struct.pack_into(">II", header, 0, rng.choice(SIDES), rng.choice(SIDES))
    elif kind == "format":
        header[8], header[9] = rng.choice([1, 2, 4, 8, 16, 255]), rng.choice([0, 2, 3, 4, 6, 255])
    chunks[0] = (chunks[0][0], bytes(header))
    if kind == "turned":
        chunks.insert(1, (b"eXIf", _exif(rng.choice([0, 3, 6, 8, 99]))))
    elif kind == "data":
        number = rng.randrange(len(chunks))
        chunks[number] = (chunks[number][0], damaged(rng, chunks[number][1], [b"\x00" * 100]))
    elif kind == "order":
        rng.shuffle(chunks)
    whole = data[:8]
    for name, content in chunks:
        size = rng.choice(NUMBERS) % 2**32 if kind == "length" and rng.random() < 0.4 else len(content)
        whole += struct.pack(">I", size) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return whole


def _lying_jpeg(rng: random.Random, data: bytes) -> bytes:
    frame = data.find(b"\xff\xc0")
    if rng.random() < 0.5 or frame < 0:
        return with_orientation(data, rng.choice([0, 2, 3, 5, 6, 8, 99]))
    sides = [rng.choice(SIDES) % 2**16 for _ in "hw"]
    return data[: frame + 5] + struct.pack(">HH", *sides) + data[frame + 9 :]


def _exif(orientation: int) -> bytes:
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG file with an EXIF note that says how it is to be turned."""
    note = b"Exif\x00\x00" + _exif(orientation)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(note) + 2) + note + jpeg[2:]


# ------------------------------------------------------------------------------------------------- texts


def json_text(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """JSON in which one to three nodes are something else, or the bytes of which are damaged."""
    if rng.random() < 0.15:
        return damaged(rng, data, others)
    return _with_texts(rng, json.loads(data), JSON_TEXTS).encode("utf-8", "surrogatepass")


def _with_texts(rng: random.Random, content: Any, texts: Sequence[str]) -> str:
    """The content as JSON, some nodes of it gone, moved or replaced by one of the texts."""
    marks: dict[str, str] = {}

    def something(_: Any) -> Any:
        mark = f"@{len(marks)}@"
        marks[f'"{mark}"'] = rng.choice(texts)
        return mark

    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        content = changed_node(rng, content, something)
    text = json.dumps(content)
    for mark, instead in marks.items():
        text = text.replace(mark, instead)
    return text


def changed_node(rng: random.Random, content: Any, something: Callable[[Any], Any]) -> Any:
    """The content, one node of its tree of dicts and lists dropped, renamed, doubled or turned into something else."""
    below = (
        list(content.items()) if isinstance(content, dict) else list(enumerate(content)) if _is_list(content) else []
    )
    if not below or rng.random() < 0.15:
        return something(content)
    key, value = rng.choice(below)
    inner = isinstance(value, dict | list | tuple) and len(value) > 0
    if inner and rng.random() < 0.75:
        return _with(content, key, changed_node(rng, value, something))
    kind = rng.choice(["other", "other", "other", "drop", "move", "double"])
    if kind == "other":
        return _with(content, key, something(value))
    if kind == "move":
        return _with(content, key, rng.choice(below)[1])
    if isinstance(content, dict):
        rest = {k: v for k, v in content.items() if k != key}
        return rest if kind == "drop" else {**content, f"{key}-2": value}
    return type(content)(v for k, v in below if k != key) if kind == "drop" else type(content)([*content, value])


def _is_list(content: Any) -> bool:
    return isinstance(content, list | tuple)


def _with(content: Any, key: Any, value: Any) -> Any:
    if isinstance(content, dict):
        return {**content, key: value}
    return type(content)(value if k == key else v for k, v in enumerate(content))


def toml_text(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """TOML with other values, other keys or damaged bytes."""
    if rng.random() < 0.2:
        return damaged(rng, data, others)
    lines = data.decode().splitlines()
    for _ in range(rng.choice([1, 1, 2])):
        number = rng.randrange(len(lines))
        name, _, value = lines[number].partition(" = ")
        name = rng.choice([name, name, name, name, "epoch", f"[{name}]", '""', f"{name}.x"])
        lines[number] = f"{name} = {rng.choice([*TOML_TEXTS, value])}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def table_text(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Text of numbers (a log, tracklets, limits) with other numbers, or with damaged bytes."""
    if rng.random() < 0.4:
        return damaged(rng, data, others)
    found = list(re.finditer(rb"[^\s,()]+", data))
    instead = [*WORDS, "9" * 200_000, "²", '"', "(", "\t", "1,", "\x00"]
    for match in sorted(rng.sample(found, min(len(found), rng.choice([1, 1, 3]))), key=lambda m: -m.start()):
        word = rng.choice(instead).encode("utf-8", "surrogateescape")
        data = data[: match.start()] + word + data[match.end() :]
    return data


def arguments(rng: random.Random, words: Sequence[str], harmless: Sequence[str]) -> list[str]:
    """A command with one to three words changed, left out, doubled or swapped; the first and ``harmless`` stay.

    The value behind a harmless option (``--epochs``) may become anything but a number that only takes long.
    """
    words = list(words)
    for _ in range(rng.choice([1, 1, 2, 3])):
        at = rng.randrange(1, max(2, len(words)))
        kind = rng.choice(["other", "other", "other", "drop", "double", "swap", "add"])
        if kind == "drop":
            del words[at:][:1]
        elif kind == "double":
            words.insert(at, words[at])
        elif kind == "swap":
            other = rng.randrange(1, len(words))
            words[at], words[other] = words[other], words[at]
        elif kind == "add":
            words.insert(at, rng.choice(WORDS))
        elif words[at - 1] in harmless:
            words[at] = rng.choice([word for word in WORDS if not _is_large(word)])
        else:
            words[at] = rng.choice(WORDS)
    return [word.replace("\x00", "") for word in words]


def _is_large(word: str) -> bool:
    try:
        return math.isfinite(float(word)) and float(word) > 2
    except ValueError:
        return False


# ------------------------------------------------------------------------------------------------- tensors


def safetensors(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Weights with damaged bytes, another header, other metadata, or numbers that are none."""
    if rng.random() < 0.3:
        return damaged(rng, data, others)
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    kind = rng.choice(["header", "metadata", "metadata", "values"])
    if rng.random() < 0.7:  # a hostile file has no checksum, or the right one
        header.get("__metadata__", {}).pop("sha256", None)
    text = json.dumps(header)
    if kind == "values":
        at = 4 * rng.randrange(len(body) // 4)
        number = struct.pack("<f", rng.choice([math.nan, math.inf, -math.inf, 1e38, 0.0])) * rng.choice([1, 1, 20])
        body = body[:at] + number + body[at + len(number) :]
    elif kind == "metadata" and header.get("__metadata__"):
        name = rng.choice(sorted(header["__metadata__"]))
        value = header["__metadata__"][name]
        try:
            header["__metadata__"][name] = _with_texts(rng, json.loads(value), JSON_TEXTS)
        except json.JSONDecodeError:
            header["__metadata__"][name] = rng.choice(JSON_TEXTS)
        text = json.dumps(header)
    else:
        text = _with_texts(rng, header, JSON_TEXTS)
    encoded = text.encode("utf-8", "surrogatepass")
    return len(encoded).to_bytes(8, "little") + encoded + body


def pickled(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """What torch.save wrote, with damaged bytes, or with other keys, types, shapes and numbers in it."""
    import torch

    if rng.random() < 0.3:
        return damaged(rng, data, others)
    content = torch.load(io.BytesIO(data), weights_only=True)
    for _ in range(rng.choice([1, 1, 2])):
        content = changed_node(rng, content, lambda value: _another(rng, value))
    whole = io.BytesIO()
    torch.save(content, whole)
    return whole.getvalue()


def _another(rng: random.Random, value: Any) -> Any:
    import torch

    plain = [None, True, 0, -1, 10**9, 2**63, 1e300, math.nan, "", "x", "y" * 10_000, b"z", [], {}, (), [[]], {1: 2}]
    tensors = [
        torch.zeros(0),
        torch.zeros(3),
        torch.tensor(2),
        torch.ones(2, 2, dtype=torch.int64),
        torch.tensor("x" == ""),
    ]
    if isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel():
        tensors += [
            value.double(),
            value.half(),
            value * math.nan,
            value[None],
            value.flatten()[:-1],
            -value,
            value * 1e30,
        ]
        tensors += [value.to_sparse(), torch.full_like(value, math.inf)]
    return rng.choice([*plain, *tensors, *tensors])
