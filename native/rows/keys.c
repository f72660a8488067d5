/* Sort keys of rows: the same bytes as appliance/store/tables/sortkeys.py. */
#include "values.h"

enum { MAX_KEY = 160, MAX_KEY_VALUES = 8 };

static void put_terminated(writer *out, span raw)
{
    size_t size = raw.size < MAX_KEY ? raw.size : MAX_KEY, start = out->size, i, n = 0;
    uint8_t *at = write_reserve(out, 2 * size + 2);
    if (at == NULL)
        return;
    for (i = 0; i < size; i++) {
        at[n++] = raw.data[i];
        if (raw.data[i] == 0)
            at[n++] = 0xFF;
    }
    at[n++] = 0;
    at[n++] = 0;
    out->size = start + n;
}

static void put_folded(writer *out, span text)
{
    size_t start = out->size, i, n = 0, most = text.size < MAX_KEY ? text.size : MAX_KEY;
    uint8_t *at = write_reserve(out, MAX_KEY + 2);
    if (at == NULL)
        return;
    if (most && memchr(text.data, 0, most) == NULL) {
        for (; n < most; n++) /* which the compiler turns into vector code */
            at[n] = (uint8_t)(text.data[n] + ((uint8_t)(text.data[n] - 'A') < 26 ? 32 : 0));
    } else {
        for (i = 0; i < text.size && n < MAX_KEY; i++)
            if (text.data[i])
                at[n++] = lower(text.data[i]);
    }
    at[n++] = 0;
    at[n++] = 0;
    out->size = start + n;
}

static bool put_key(writer *out, const value *v)
{
    uint64_t bits;
    switch (v->form.shape) {
    case BAG_BOOLEAN: write_u8(out, (uint8_t)v->bits); return true;
    case BAG_SIGNED:
    case BAG_UNSIGNED: write_uintbe(out, v->bits + (1ull << 63), 8); return true;
    case BAG_FLOAT:
        memcpy(&bits, &v->number, 8);
        write_uintbe(out, bits >> 63 ? ~bits : bits | 1ull << 63, 8);
        return true;
    case BAG_TEXT:
        if (!is_ascii(v->bytes))
            return false;
        put_folded(out, v->bytes);
        return true;
    case BAG_BYTES:
    case BAG_GUID: put_terminated(out, v->bytes); return true;
    default: return false;
    }
}

static bool put_part(writer *out, const value *v)
{
    size_t i, count;
    if (v->state == VALUE_NONE) {
        write_u8(out, 0);
        return true;
    }
    write_u8(out, 1);
    if (!v->form.multiple)
        return put_key(out, v);
    count = value_count(v);
    for (i = 0; i < count && i < MAX_KEY_VALUES; i++) {
        value one = value_item(v, i);
        write_u8(out, 1);
        if (!put_key(out, &one))
            return false;
    }
    write_u8(out, 0);
    return true;
}

enum value_state row_sort_key(row *r, const slot_table *table, const sort_column *columns, size_t count,
                              writer *out, uint32_t *ends)
{
    size_t start = out->size, i, k;
    for (i = 0; i < count; i++) {
        size_t from = out->size;
        value v = row_value(r, table, columns[i].slot);
        if (v.state == VALUE_ASK || !put_part(out, &v)) {
            out->size = start;
            return VALUE_ASK;
        }
        if (columns[i].descending && !out->failed)
            for (k = from; k < out->size; k++)
                out->data[k] = (uint8_t)~out->data[k];
        if (ends)
            ends[i] = (uint32_t)(out->size - start);
    }
    return VALUE_HERE;
}
