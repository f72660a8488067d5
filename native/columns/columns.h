/* Columns of packed records: numbers read out of them, lines of text made of them.
 *
 * Nothing here needs Python.h and nothing owns what it reads. Every offset is checked against its record. */
#ifndef SATCHEL_COLUMNS_H
#define SATCHEL_COLUMNS_H

#include "../structures/structures.h"

typedef struct {
    const uint8_t *data;
    size_t size;
} piece;

enum step_kind {
    STEP_TEXT,     /* `text` */
    STEP_SERIAL,   /* the number of the line in decimal */
    STEP_NUMBER,   /* a field in decimal */
    STEP_HEX,      /* a field in hexadecimal between `text` and choices[0]; `other` for 0 if that is not empty */
    STEP_WORDS,    /* choices[field & mask], then the words behind offset `tail` of the record, then `text` */
    STEP_DATE,     /* a FILETIME as IMAP's date-time, quoted, UTC */
    STEP_COLUMN,   /* the line's entry of a column */
    STEP_LITERAL,  /* the same as an IMAP literal; NUL goes as 0x80 */
    STEP_PIECE,    /* piece `offset` of the structure that the line's entry is; `other` for an empty entry */
    STEP_KINDS,
};

typedef struct {
    enum step_kind kind;
    size_t offset, size; /* of the field; size 1 to 8 */
    uint64_t mask;
    size_t tail;
    size_t column;
    piece text, other;
    const piece *choices; /* mask + 1 of them */
} step;

/* A field of a record: an unsigned number, little-endian. False if the record is too short for it. */
static inline bool column_number(const piece *record, size_t offset, size_t size, uint64_t *value)
{
    uint64_t v = 0;
    size_t i;
    if (offset > record->size || size > record->size - offset)
        return false;
    for (i = size; i > 0; i--)
        v = v << 8 | record->data[offset + i - 1];
    *value = v;
    return true;
}

/* What structures are unpacked with: the dictionary and STRUCTURE_ROOM bytes, or NULL where there are none. */
typedef struct {
    const lz4_dictionary *dictionary;
    uint8_t *room;
} unpacker;

enum line_status { LINE_GOOD, LINE_SHORT, LINE_STRUCTURE };

/* One line: each step in turn. `entries[c]` is the line's entry of column c. LINE_SHORT if the record is too short for
 * a step, LINE_STRUCTURE if a structure cannot be unpacked; a failed allocation sticks in `out`. */
enum line_status column_line(const step *steps, size_t count, uint64_t serial, const piece *record,
                             const piece *entries, const unpacker *u, writer *out);

#endif
