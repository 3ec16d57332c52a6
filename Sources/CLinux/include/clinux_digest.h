// SHA-256, FIPS 180-4: the compression of whole blocks. Padding and the rest are Swift's.
#ifndef CLINUX_DIGEST_H
#define CLINUX_DIGEST_H

#include <stddef.h>
#include <stdint.h>

// Whether the processor has instructions for SHA-256.
int cl_sha256_is_accelerated(void);
// `data` holds `blocks` times 64 bytes.
void cl_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks, int accelerated);

#endif
