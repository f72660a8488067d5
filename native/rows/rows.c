/* Property rows (MS-OXCDATA 2.8.1): the same bytes as appliance/mapi/rows.py in ROP buffers. */
#include "values.h"

enum { MAX_CELL = 510, MAX_CELL_CHARACTERS = 255, EC_NOT_FOUND = 0x8004010F };
enum { STANDARD_ROW = 0, FLAGGED_ROW = 1, FLAG_VALUE = 0x00, FLAG_ERROR = 0x0A };

static bool put_utf16(writer *out, span text, size_t most)
{
    size_t at = 0, count;
    bool ended = false;
    for (count = 0; at < text.size; count++) {
        uint32_t c;
        size_t n = value_utf8_next(text.data + at, text.size - at, &c);
        if (n == 0)
            return false;
        at += n;
        if (c == 0 || count >= most)
            ended = true;
        if (ended)
            continue; /* what is left is only checked, as Python does by decoding it */
        if (c > 0xFFFF) {
            write_u16le(out, (uint16_t)(0xD800 + ((c - 0x10000) >> 10)));
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        write_u16le(out, (uint16_t)c);
    }
    write_u16le(out, 0);
    return true;
}

static bool put_cell_value(writer *out, const value *v, uint16_t type, bool whole)
{
    bag_form form = bag_form_of(type);
    size_t n;
    switch (form.shape) {
    case BAG_SIGNED:
    case BAG_UNSIGNED:
    case BAG_BOOLEAN:
        if (!is_number(v))
            return false;
        write_uintle(out, v->bits, form.size);
        return true;
    case BAG_FLOAT:
    case BAG_GUID:
        if (v->form.shape != form.shape || v->bytes.size != form.size)
            return false;
        write_bytes(out, v->bytes.data, form.size);
        return true;
    case BAG_TEXT: return v->form.shape == BAG_TEXT && put_utf16(out, v->bytes, whole ? SIZE_MAX : MAX_CELL_CHARACTERS);
    case BAG_BYTES:
        n = v->bytes.size;
        if (n > MAX_CELL && !whole)
            n = MAX_CELL;
        if (v->form.shape != BAG_BYTES || n > 0xFFFF)
            return false;
        write_u16le(out, (uint16_t)n);
        write_bytes(out, v->bytes.data, n);
        return true;
    default: return false;
    }
}

static bool put_cell(writer *out, const value *v, uint16_t type)
{
    size_t count, i;
    if ((type & 0xEFFF) != 0x0102 && (type & 0xEFFF) != 0x00FB && bag_form_of(type).shape == BAG_BYTES)
        return false; /* objects, restrictions, actions: Python knows */
    if (!(type & 0x1000))
        return !v->form.multiple && put_cell_value(out, v, type, false);
    if (!v->form.multiple)
        return false;
    count = value_count(v);
    write_u32le(out, (uint32_t)count);
    for (i = 0; i < count; i++) {
        value one = value_item(v, i);
        if (!put_cell_value(out, &one, type & 0xEFFF, true))
            return false;
    }
    return true;
}

enum value_state row_pack(row *r, const slot_table *table, const uint16_t *columns, size_t count, writer *out)
{
    size_t start = out->size, i;
    bool flagged = false;
again:
    write_u8(out, flagged ? FLAGGED_ROW : STANDARD_ROW);
    for (i = 0; i < count; i++) {
        value v = row_value(r, table, columns[i]);
        if (v.state == VALUE_NONE && !flagged) {
            out->size = start;
            flagged = true;
            goto again;
        }
        if (v.state == VALUE_NONE) {
            write_u8(out, FLAG_ERROR);
            write_u32le(out, (uint32_t)EC_NOT_FOUND);
            continue;
        }
        if (flagged)
            write_u8(out, FLAG_VALUE);
        if (v.state == VALUE_ASK || !put_cell(out, &v, (uint16_t)table->slots[columns[i]].tag)) {
            out->size = start;
            return VALUE_ASK;
        }
    }
    return VALUE_HERE;
}
