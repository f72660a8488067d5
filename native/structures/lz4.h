/* LZ4 blocks that begin in the middle of a text: everything up to MAX_DICTIONARY bytes before the block is known to
 * both sides (the format is LZ4's own block format; lz4_Block_format.md of its authors describes it).
 *
 * The compressor takes the same way as its Python twin, so both give the same bytes. Nothing here needs Python.h. */
#ifndef SATCHEL_LZ4_H
#define SATCHEL_LZ4_H

#include "../cursor.h"

enum {
    LZ4_DICTIONARY_MOST = 65535, /* bytes that an offset reaches back */
    LZ4_BLOCK_MOST = 32768,      /* bytes of a block, unpacked */
    LZ4_HASH_BITS = 16,
    LZ4_DEPTH = 8, /* candidates looked at for a match */
    LZ4_NICE = 32,  /* a match of this length is taken without looking on */
    LZ4_NONE = 0xFFFF,
};

enum lz4_status { LZ4_GOOD, LZ4_SHORT, LZ4_OFFSET, LZ4_LONG, LZ4_REST };

/* A text that stands before every block, with its index: for each hash the last place, for each place the one
 * before it. */
typedef struct {
    uint8_t *data;
    size_t size;
    uint16_t *last;   /* 1 << LZ4_HASH_BITS */
    uint16_t *before; /* size */
} lz4_dictionary;

/* Copies the text. False without memory or if it is longer than LZ4_DICTIONARY_MOST. */
bool lz4_dictionary_make(lz4_dictionary *d, const uint8_t *data, size_t size);
void lz4_dictionary_free(lz4_dictionary *d);

/* Adds the block of data to `out`. False without memory or if the data is longer than LZ4_BLOCK_MOST. */
bool lz4_compress(const lz4_dictionary *d, const uint8_t *data, size_t size, writer *out);

/* Unpacks a block of `size` bytes as far as the first `wanted` of them, into `out` of `room` bytes (`wanted` at least;
 * what lies beyond is overwritten too, and it is faster with more). When all are wanted, nothing may be left of the
 * block. `*where` is the offset of what is wrong. */
enum lz4_status lz4_decompress(const lz4_dictionary *d, const uint8_t *block, size_t block_size, uint8_t *out,
                               size_t room, size_t size, size_t wanted, size_t *where);

#endif
