/* Property rows (MS-OXCDATA 2.8.1): the same bytes as appliance/mapi/rows.py in ROP buffers. */
#include "values.h"

enum { MAX_CELL = 510, MAX_CELL_CHARACTERS = 255 };

static void widen(uint8_t *restrict out, const uint8_t *restrict text, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) {
        out[2 * i] = text[i];
        out[2 * i + 1] = 0;
    }
}

static bool put_utf16(writer *out, span text, size_t most)
{
    size_t at = 0, count;
    bool ended = false;
    if (is_ascii(text)) { /* a zero ends it as well */
        const uint8_t *zero = text.size ? (const uint8_t *)memchr(text.data, 0, text.size) : NULL;
        size_t size = zero ? (size_t)(zero - text.data) : text.size;
        uint8_t *made;
        size = size < most ? size : most;
        made = size < SIZE_MAX / 4 ? write_reserve(out, 2 * size + 2) : NULL;
        if (made) {
            widen(made, text.data, size);
            made[2 * size] = made[2 * size + 1] = 0;
        }
        return true;
    }
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

static bool put_cell_value(writer *out, const value *v, bag_form form, bool whole)
{
    size_t n;
    switch (form.shape) {
    case BAG_SIGNED:
    case BAG_UNSIGNED:
    case BAG_BOOLEAN:
        if (!is_number(v))
            return false;
        switch (form.size) { /* so that each is one store */
        case 1: write_u8(out, (uint8_t)v->bits); break;
        case 2: write_u16le(out, (uint16_t)v->bits); break;
        case 4: write_u32le(out, (uint32_t)v->bits); break;
        default: write_u64le(out, v->bits); break;
        }
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

static bool put_cell(writer *out, const value *v, bag_form form, bool whole)
{
    size_t count, i;
    if (!form.multiple)
        return !v->form.multiple && put_cell_value(out, v, form, whole);
    if (!v->form.multiple)
        return false;
    count = value_count(v);
    write_u32le(out, (uint32_t)count);
    for (i = 0; i < count; i++) {
        value one = value_item(v, i);
        if (!put_cell_value(out, &one, form, true))
            return false;
    }
    return true;
}

bool value_put(writer *out, const value *v, uint32_t tag)
{
    return is_packed(tag) && put_cell(out, v, bag_form_of((uint16_t)tag), true);
}

static enum value_state pack_as(row *r, const column_list *columns, writer *out, bool flagged, size_t *missing)
{
    size_t i;
    write_u8(out, flagged ? FLAGGED_ROW : STANDARD_ROW);
    for (i = 0; i < columns->count; i++) {
        const slot *s = &columns->table->slots[columns->numbers[i]];
        value v = row_value(r, columns->table, columns->numbers[i]);
        if (v.state == VALUE_NONE) {
            ++*missing;
            if (!flagged)
                return VALUE_HERE;
            write_u8(out, FLAG_ERROR);
            write_u32le(out, (uint32_t)EC_NOT_FOUND);
            continue;
        }
        if (flagged)
            write_u8(out, FLAG_VALUE);
        if (v.state == VALUE_ASK || !s->packs || !put_cell(out, &v, s->form, columns->whole))
            return VALUE_ASK;
    }
    return VALUE_HERE;
}

enum value_state row_pack(row *r, const column_list *columns, writer *out, bool *flagged)
{
    size_t start = out->size, missing = 0;
    enum value_state state = pack_as(r, columns, out, *flagged, &missing);
    if (state == VALUE_HERE && *flagged != (missing > 0)) {
        *flagged = missing > 0;
        missing = 0;
        out->size = start;
        state = pack_as(r, columns, out, *flagged, &missing);
    }
    if (state == VALUE_ASK)
        out->size = start;
    return state;
}
