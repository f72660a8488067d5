/* Values of rows, as sorting, matching and packing look at them. */
#ifndef SATCHEL_VALUES_H
#define SATCHEL_VALUES_H

#include "rows.h"

static inline bool is_ascii(span s)
{
    size_t i = 0;
    uint64_t word;
    for (; i + 8 <= s.size; i += 8) {
        memcpy(&word, s.data + i, 8);
        if (word & 0x8080808080808080u)
            return false;
    }
    for (; i < s.size; i++)
        if (s.data[i] & 0x80)
            return false;
    return true;
}

static inline uint8_t lower(uint8_t c) { return (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 32 : 0)); }

static inline size_t value_count(const value *v)
{
    if (!v->form.multiple)
        return 1;
    return v->form.size ? v->bytes.size / v->form.size : bag_number(v->bytes.data, 4);
}

static inline bool is_number(const value *v)
{
    return v->form.shape == BAG_SIGNED || v->form.shape == BAG_UNSIGNED || v->form.shape == BAG_BOOLEAN;
}

/* Whether values of a tag stand in property rows as C knows them: not objects, restrictions, actions. */
static inline bool is_packed(uint32_t tag)
{
    return bag_form_of((uint16_t)tag).shape != BAG_BYTES || (tag & 0xEFFF) == 0x0102 || (tag & 0xEFFF) == 0x00FB;
}

/* A value out of a bag, which is in the form of its type. */
value value_in(const bag *b, uint32_t tag, bag_form form);

/* One value of a multi-value, as a value of its own. */
value value_item(const value *v, size_t index);

/* Cells of property rows (MS-OXCDATA 2.8.1, 2.11.5). */
enum { EC_NOT_FOUND = 0x8004010F };
enum { STANDARD_ROW = 0, FLAGGED_ROW = 1, FLAG_VALUE = 0x00, FLAG_ERROR = 0x0A };

/* Appends a value of a tag, uncut, as it stands in ROP buffers. False: Python knows. */
bool value_put(writer *out, const value *v, uint32_t tag);

/* One character of UTF-8 (surrogates pass); 0 bytes: not UTF-8. */
size_t value_utf8_next(const uint8_t *p, size_t left, uint32_t *c);

#endif
