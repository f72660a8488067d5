/* What a delivery reads at once: the fields of a header block, the parts of a packed table. The rules of the former
 * stand in appliance/formats/mime/headers.py, of the latter in scan.py. Nothing here needs Python.h. */
#ifndef SATCHEL_BLOCK_H
#define SATCHEL_BLOCK_H

#include "../cursor.h"

enum { BLOCK_VALUES = 8 }; /* content fields of a part */

typedef struct {
    const uint8_t *data;
    size_t size, at;
    uint8_t eol; /* the byte that ends lines */
} block_reader;

typedef struct {
    const uint8_t *name, *body; /* the body is what follows the colon, line ends included */
    size_t name_size, body_size;
} block_field;

typedef struct {
    uint64_t parent, findings, start, body_start, body_end, lines; /* parent: index + 1 */
    uint8_t kind;
    const uint8_t *values[BLOCK_VALUES]; /* NULL for those that are not there */
    size_t sizes[BLOCK_VALUES];
} block_part;

block_reader block_of(const uint8_t *data, size_t size);

/* The next field; lines that are no field are passed over. False at the end. */
bool block_next(block_reader *r, block_field *field);

/* A body on one line, without white space at its ends: at most as many bytes as it has, which `out` has room for. */
size_t block_unfold(const uint8_t *body, size_t size, uint8_t *out);

/* Before the first part: the size of the message, and how many parts there are. False if it is no such table. */
bool block_table(reader *table, uint64_t *size, uint64_t *count);

/* The next part; `before` is where the one before it starts. False if the table is damaged. */
bool block_part_next(reader *table, uint64_t size, uint64_t index, uint64_t before, block_part *part);

#endif
