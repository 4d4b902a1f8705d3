# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A second build of a QEMU, that differs from the first in what one machine type says: the entries of
its compat table for some properties have another value, as a packager's patch would give them. The
bytes of the file are changed, so it is a binary of its own: nothing on its command line gives it away.
"""
import struct

R_X86_64_RELATIVE = 8
SHT_NOBITS = 8
# struct GlobalProperty: driver, property, value
DRIVER, PROPERTY, VALUE = 0, 8, 16


class Elf:
    """A position-independent executable, little-endian, of 64 bits."""

    def __init__(self, data):
        self.data = bytearray(data)
        shoff, = struct.unpack_from("<Q", data, 40)
        count, names = struct.unpack_from("<HH", data, 60)
        headers = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + 64 * i) for i in range(count)]
        strings = headers[names][4]
        self.sections = {self.text(strings + h[0]): h for h in headers}
        # where a pointer is -> where its relocation is, and what it points to
        self.pointers = {}
        _, _, _, _, at, size = self.sections[".rela.dyn"][:6]
        for place in range(at, at + size, 24):
            where, kind, addend = struct.unpack_from("<QQq", data, place)
            if kind == R_X86_64_RELATIVE:
                self.pointers[where] = (place, addend)

    def text(self, offset):
        return bytes(self.data[offset:self.data.index(0, offset)]).decode("latin1")

    def offset(self, address):
        for h in self.sections.values():
            if h[3] and h[1] != SHT_NOBITS and h[3] <= address < h[3] + h[5]:
                return address - h[3] + h[4]
        return None

    def string_at(self, where):
        """What the pointer at this address points to, or None."""
        if where not in self.pointers:
            return None
        offset = self.offset(self.pointers[where][1])
        return None if offset is None else self.text(offset)

    def address_of(self, text):
        """Of the first such string, or end of one, among the constants."""
        h = self.sections[".rodata"]
        at = self.data.index(text.encode() + b"\0", h[4], h[4] + h[5])
        return at - h[4] + h[3]

    def point(self, where, address):
        place, _ = self.pointers[where]
        struct.pack_into("<q", self.data, place + 16, address)


def rebuild(source, target, driver, values, package, other_package):
    """
    Write @source to @target with other values in the compat entries: property -> (value as it is, new
    value); each must have exactly one entry of @driver. Its package calls itself otherwise, and its
    build id is another one. Returns how many bytes are different.
    """
    with open(source, "rb") as f:
        before = f.read()
    elf = Elf(before)
    entries = {}
    for where in elf.pointers:
        prop = elf.string_at(where + PROPERTY) if elf.string_at(where) == driver else None
        if prop in values:
            entries.setdefault(prop, []).append(where)
    for prop, (old, new) in values.items():
        if len(entries.get(prop, [])) != 1:
            raise ValueError("%s: %d entries for %s.%s"
                             % (source, len(entries.get(prop, [])), driver, prop))
        where = entries[prop][0] + VALUE
        if elf.string_at(where) != old:
            raise ValueError("%s.%s is %s and not %s" % (driver, prop, elf.string_at(where), old))
        elf.point(where, elf.address_of(new))
    if len(package) != len(other_package) or elf.data.count(package.encode()) != 1:
        raise ValueError("%s does not call itself %s" % (source, package))
    at = elf.data.index(package.encode())
    elf.data[at:at + len(package)] = other_package.encode()
    note = elf.sections[".note.gnu.build-id"]
    end = note[4] + note[5]
    elf.data[end - 20:end] = bytes(b ^ 0xff for b in elf.data[end - 20:end])
    with open(target, "wb") as f:
        f.write(elf.data)
    return sum(a != b for a, b in zip(before, elf.data))
