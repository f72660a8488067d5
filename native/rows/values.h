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

/* One value of a multi-value, as a value of its own. */
value value_item(const value *v, size_t index);

/* One character of UTF-8 (surrogates pass); 0 bytes: not UTF-8. */
size_t value_utf8_next(const uint8_t *p, size_t left, uint32_t *c);

#endif
