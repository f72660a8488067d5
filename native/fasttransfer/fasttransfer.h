/* FastTransfer streams, the lexical level (MS-OXCFXICS 2.2.4.1): where a stream may be cut, and its forms of
 * values. The rules stand in appliance/formats/fasttransfer/reference.py, whose twin this is.
 *
 * Invariants: input is only looked at within [at, end); nothing is kept. Work is linear in the bytes passed. */
#ifndef SATCHEL_FASTTRANSFER_H
#define SATCHEL_FASTTRANSFER_H

#include "../cursor.h"

enum {
    FX_INTEGER16 = 0x0002,
    FX_INTEGER32 = 0x0003,
    FX_FLOATING32 = 0x0004,
    FX_FLOATING64 = 0x0005,
    FX_CURRENCY = 0x0006,
    FX_FLOATING_TIME = 0x0007,
    FX_BOOLEAN = 0x000B,
    FX_OBJECT = 0x000D,
    FX_INTEGER64 = 0x0014,
    FX_STRING8 = 0x001E,
    FX_STRING = 0x001F,
    FX_TIME = 0x0040,
    FX_GUID = 0x0048,
    FX_SERVER_ID = 0x00FB,
    FX_BINARY = 0x0102,
    FX_MULTIPLE = 0x1000,
    FX_CODE_PAGE = 0x8000,
};

#define FX_IDSET_GIVEN 0x40170003u

/* Bytes of a value of fixed size, 0 for other types. */
unsigned fx_fixed(uint32_t type);

/* Whether a single value of the type stands behind a length. */
bool fx_varying(uint32_t type);

/* Whether the type is a multi-value that a stream may carry. */
bool fx_multiple(uint32_t type);

bool fx_marker(uint32_t tag);

/* Place of appliance.formats.fasttransfer.reference. */
typedef struct {
    uint64_t left, values;
    uint32_t kind, pending;
} fx_place;

typedef enum { FX_GOOD, FX_BAD_TYPE, FX_BAD_NAME } fx_status;

/* Moves *at to the last place up to `end` where the stream may be cut. On failure *at is the refused byte and
 * *found what stands there. */
fx_status fx_cut(const uint8_t *data, size_t *at, size_t end, fx_place *place, uint32_t *found);

/* Appends UTF-8 (valid, without surrogates) up to a zero as UTF-16LE with a terminator, behind its length. */
void fx_write_text(writer *w, const uint8_t *text, size_t size);

#endif
