"""Makes colour profiles that libvips does not bring along."""

import struct

ADOBE_RGB = {
    b"rXYZ": (0.60974, 0.31111, 0.01947),
    b"gXYZ": (0.20528, 0.62567, 0.06087),
    b"bXYZ": (0.14919, 0.06322, 0.74457),
    b"wtpt": (0.9642, 1.0, 0.8249),
}


def adobe_rgb() -> bytes:
    """The profile of Adobe's wide space, of curves that are a power of 2.2."""
    blocks = {name: b"XYZ \0\0\0\0" + fixed(*parts) for name, parts in ADOBE_RGB.items()}
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(2.2 * 256), 0)
    blocks |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    blocks[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 6) + b"Adobe\0" + bytes(80)
    blocks[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    return profile(blocks, fixed(0.9642, 1.0, 0.8249))


def profile(blocks: dict[bytes, bytes], white: bytes) -> bytes:
    """A display's profile of these blocks, each of a length that 4 divides."""
    start, table, data = 132 + 12 * len(blocks), b"", b""
    for name, block in blocks.items():
        table += struct.pack(">4sII", name, start + len(data), len(block))
        data += block
    head = struct.pack(">I4xI4s4s4s12x4s", start + len(data), 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return head.ljust(68, b"\0") + white + bytes(48) + struct.pack(">I", len(blocks)) + table + data


def fixed(*parts: float) -> bytes:
    return struct.pack(f">{len(parts)}i", *(round(part * 65536) for part in parts))
