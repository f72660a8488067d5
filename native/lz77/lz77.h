/* Plain LZ77 (MS-XCA 2.3, 2.4; DIRECT2 of MS-OXCRPC 3.1.4.1.1.2.2) and the XOR of MS-OXCRPC 3.1.4.1.1.3.
 *
 * Invariants: the input is read through the bounds-checked cursor alone, the output of decompression never
 * passes the announced size. Both directions are linear in the input but for LZ77_CHAIN candidates a byte. */
#ifndef SATCHEL_LZ77_H
#define SATCHEL_LZ77_H

#include "../cursor.h"

enum {
    LZ77_WINDOW = 8192, /* bytes that an offset reaches back */
    LZ77_HASH_BITS = 12,
    LZ77_CHAIN = 16, /* candidates looked at for a match */
    LZ77_MIN = 3,
};

typedef enum {
    LZ77_GOOD,
    LZ77_MEMORY,
    LZ77_SHORT,   /* the input is cut short */
    LZ77_OFFSET,  /* a match begins before the data */
    LZ77_LENGTH,  /* a length that its form does not allow */
    LZ77_LONG,    /* more data than was announced */
    LZ77_REST,    /* bytes after the data */
} lz77_status;

/* Fills out[0..size); *where is the offset of the refused input on failure. */
lz77_status lz77_decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t size, size_t *where);

/* Appends to `out`; false without memory. Inputs of 2^31 bytes and more are the caller's to refuse. */
bool lz77_compress(const uint8_t *in, size_t in_size, writer *out);

void lz77_obfuscate(const uint8_t *in, size_t size, uint8_t *out);

#endif
