// In release builds, the check sum of xz, which the linker takes instead of the one that liblzma has: that one asks the
// processor twice, before main, what it can do, and each such question leaves a virtual machine for microseconds. Every
// command would pay, and hardly one decompresses. Decompressing takes several times as long as this.
#ifdef SWRUN_STATIC
#include <stddef.h>
#include <stdint.h>

// ECMA-182, the lowest bit first: the .xz file format, 6.
static const uint64_t polynomial = UINT64_C(0xc96c5795d7870f42);

uint64_t lzma_crc64(const uint8_t *bytes, size_t count, uint64_t crc) {
    // What four bytes, one behind the other, make of the sum.
    static uint64_t table[4][256];
    if (!table[0][1]) {
        for (unsigned slice = 0; slice < 4; slice++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                uint64_t value = slice ? table[slice - 1][byte] : byte;
                for (unsigned bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? polynomial : 0);
                table[slice][byte] = value;
            }
        }
    }
    crc = ~crc;
    for (; count >= 4; count -= 4, bytes += 4) {
        crc = crc >> 32 ^ table[3][(crc ^ bytes[0]) & 255] ^ table[2][(crc >> 8 ^ bytes[1]) & 255] ^
              table[1][(crc >> 16 ^ bytes[2]) & 255] ^ table[0][(crc >> 24 ^ bytes[3]) & 255];
    }
    for (; count; count--) crc = crc >> 8 ^ table[0][(crc ^ *bytes++) & 255];
    return ~crc;
}
#endif
