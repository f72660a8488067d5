/* What was rendered from a message once (ENVELOPE, BODYSTRUCTURE, the table of parts) as the store keeps it. The
 * layout stands in appliance/formats/structures/__init__.py. Nothing here needs Python.h. */
#ifndef SATCHEL_STRUCTURES_H
#define SATCHEL_STRUCTURES_H

#include "lz4.h"

enum { STRUCTURE_FORM = 3, STRUCTURE_PIECES = 3 };

/* The name of the capsule that carries a dictionary from one extension module to another. */
#define LZ4_CAPSULE "satchel.lz4_dictionary"

enum structure_piece { PIECE_ENVELOPE, PIECE_BODYSTRUCTURE, PIECE_SCAN };

enum structure_status { STRUCTURE_GOOD, STRUCTURE_OTHER, STRUCTURE_BAD_HEAD, STRUCTURE_BAD_BLOCK };

typedef struct {
    const uint8_t *block;
    size_t block_size;
    size_t lengths[STRUCTURE_PIECES];
    size_t total;
} structure;

/* STRUCTURE_OTHER: it is of another form, which is not ours to read. `*where` is the offset of what is wrong. */
enum structure_status structure_open(structure *s, const uint8_t *row, size_t size, size_t *where);

/* Where a piece stands in the unpacked bytes. */
static inline size_t structure_start(const structure *s, enum structure_piece piece)
{
    size_t start = 0, i;
    for (i = 0; i < (size_t)piece; i++)
        start += s->lengths[i];
    return start;
}

/* Room for any row, unpacked. */
enum { STRUCTURE_ROOM = LZ4_BLOCK_MOST + 64 };

/* Unpacks a row up to the end of a piece; `out` has STRUCTURE_ROOM bytes. */
enum structure_status structure_unpack(const structure *s, const lz4_dictionary *d, enum structure_piece piece,
                                       uint8_t *out, enum lz4_status *problem, size_t *where);

enum structure_verdict { VERDICT_NO, VERDICT_YES, VERDICT_UNKNOWN };

/* Whether the key (printable ASCII in lower case) stands in a member of an envelope as it is shown: 1 is the subject,
 * 2 to 7 are lists of addresses. Unknown where the member is not printable ASCII, has encoded words or groups. `text`
 * is room for what is shown; a failed allocation in it gives unknown. */
enum structure_verdict envelope_judge(const uint8_t *envelope, size_t size, unsigned member, const uint8_t *key,
                                      size_t key_size, writer *text);

#endif
