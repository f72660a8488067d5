#include "fasttransfer.h"

unsigned fx_fixed(uint32_t type)
{
    switch (type) {
    case FX_INTEGER16:
    case FX_BOOLEAN: return 2;
    case FX_INTEGER32:
    case FX_FLOATING32: return 4;
    case FX_FLOATING64:
    case FX_CURRENCY:
    case FX_FLOATING_TIME:
    case FX_INTEGER64:
    case FX_TIME: return 8;
    case FX_GUID: return 16;
    default: return 0;
    }
}

bool fx_varying(uint32_t type)
{
    switch (type) {
    case FX_STRING:
    case FX_STRING8:
    case FX_SERVER_ID:
    case FX_BINARY:
    case FX_OBJECT: return true;
    default: return (type & FX_CODE_PAGE) != 0;
    }
}

bool fx_multiple(uint32_t type)
{
    uint32_t kind = type & ~(uint32_t)FX_MULTIPLE;
    if (!(type & FX_MULTIPLE) || kind == FX_BOOLEAN)
        return false;
    return fx_fixed(kind) || kind == FX_STRING || kind == FX_STRING8 || kind == FX_BINARY;
}

bool fx_marker(uint32_t tag)
{
    switch (tag) {
    case 0x40090003: case 0x400A0003: case 0x400B0003: case 0x400C0003: case 0x400D0003: case 0x40100003:
    case 0x40010003: case 0x40020003: case 0x40030003: case 0x40040003: case 0x40000003: case 0x400E0003:
    case 0x40120003: case 0x407D0003: case 0x40130003: case 0x40140003: case 0x402F0003: case 0x403A0003:
    case 0x403B0003: case 0x4074000B: case 0x4075000B: case 0x40150003: case 0x407B0102: case 0x40180003:
        return true;
    default: return false;
    }
}

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Bytes of the marker, or of tag and name, at `at`; 0 when it does not end before `end`. */
static size_t definition(const uint8_t *data, size_t at, size_t end, fx_status *status)
{
    size_t stop;
    if (end - at < 4)
        return 0;
    if (data[at + 3] < 0x80)
        return 4;
    if (end - at < 21)
        return 0;
    if (data[at + 20] == 0)
        return end - at >= 25 ? 25 : 0;
    if (data[at + 20] != 1) {
        *status = FX_BAD_NAME;
        return 0;
    }
    for (stop = at + 21; end - stop >= 2; stop += 2)
        if (data[stop] == 0 && data[stop + 1] == 0)
            return stop + 2 - at;
    return 0;
}

fx_status fx_cut(const uint8_t *data, size_t *at, size_t end, fx_place *p, uint32_t *found)
{
    size_t pos = *at;
    for (;;) {
        if (p->left) {
            size_t room = end - pos, step = p->left < room ? (size_t)p->left : room;
            pos += step;
            p->left -= step;
            if (p->left)
                break;
        } else if (p->values || p->pending) {
            uint32_t one = p->pending ? p->pending : p->kind;
            unsigned fixed = fx_fixed(one);
            if (end - pos < (fixed ? fixed : 4))
                break;
            if (!fixed)
                p->left = u32_at(data + pos);
            pos += fixed ? fixed : 4;
            if (p->pending & FX_MULTIPLE && !(p->pending & FX_CODE_PAGE)) {
                p->values = p->left;
                p->kind = p->pending & ~(uint32_t)FX_MULTIPLE;
                p->left = 0;
            } else if (!p->pending) {
                p->values--;
            }
            p->pending = 0;
        } else {
            fx_status status = FX_GOOD;
            size_t size = definition(data, pos, end, &status);
            uint32_t tag;
            if (status != FX_GOOD) {
                *found = data[pos + 20];
                *at = pos + 20;
                return status;
            }
            if (!size)
                break;
            tag = u32_at(data + pos);
            if (!fx_marker(tag)) {
                uint32_t type = tag == FX_IDSET_GIVEN ? FX_BINARY : tag & 0xFFFF;
                if (!fx_fixed(type) && !fx_varying(type) && !fx_multiple(type)) {
                    *found = type;
                    *at = pos;
                    return FX_BAD_TYPE;
                }
                p->pending = type;
            }
            pos += size;
        }
    }
    if (!p->values)
        p->kind = 0;
    *at = pos;
    return FX_GOOD;
}

static bool is_ascii(const uint8_t *text, size_t size)
{
    uint64_t all = 0, eight;
    size_t i;
    for (i = 0; i + 8 <= size; i += 8) {
        memcpy(&eight, text + i, 8);
        all |= eight;
    }
    for (; i < size; i++)
        all |= text[i];
    return !(all & 0x8080808080808080u);
}

static void widen(uint8_t *restrict out, const uint8_t *restrict text, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) {
        out[2 * i] = text[i];
        out[2 * i + 1] = 0;
    }
}

void fx_write_text(writer *w, const uint8_t *text, size_t size)
{
    bool plain;
    const uint8_t *zero = size ? (const uint8_t *)memchr(text, 0, size) : NULL;
    size_t i = 0, units = 1;
    uint8_t *out;
    uint8_t head[4];
    if (zero)
        size = (size_t)(zero - text);
    plain = is_ascii(text, size);
    if (plain)
        units += size;
    for (i = 0; i < size && !plain; i++) /* one unit for each first byte, two for those of four bytes */
        units += ((text[i] & 0xC0) != 0x80) + (text[i] >= 0xF0);
    if (units > 0x7FFFFFFF) {
        w->failed = true;
        return;
    }
    head[0] = (uint8_t)(units * 2);
    head[1] = (uint8_t)(units * 2 >> 8);
    head[2] = (uint8_t)(units * 2 >> 16);
    head[3] = (uint8_t)(units * 2 >> 24);
    write_bytes(w, head, 4);
    out = write_reserve(w, units * 2);
    if (!out)
        return;
    if (plain) {
        widen(out, text, size);
        out += 2 * size;
    }
    for (i = 0; i < size && !plain;) {
        uint32_t c = text[i];
        if (c < 0x80) {
            i += 1;
        } else if (c < 0xE0 && size - i >= 2) {
            c = (c & 0x1F) << 6 | (text[i + 1] & 0x3F);
            i += 2;
        } else if (c < 0xF0 && size - i >= 3) {
            c = (c & 0x0F) << 12 | (uint32_t)(text[i + 1] & 0x3F) << 6 | (text[i + 2] & 0x3F);
            i += 3;
        } else if (size - i >= 4) {
            c = (c & 0x07) << 18 | (uint32_t)(text[i + 1] & 0x3F) << 12 | (uint32_t)(text[i + 2] & 0x3F) << 6 |
                (text[i + 3] & 0x3F);
            i += 4;
            c -= 0x10000;
            out[0] = (uint8_t)(c >> 10);
            out[1] = (uint8_t)(0xD8 | (c >> 18 & 3));
            out += 2;
            c = 0xDC00 | (c & 0x3FF);
        } else {
            break;
        }
        out[0] = (uint8_t)c;
        out[1] = (uint8_t)(c >> 8);
        out += 2;
    }
    out[0] = out[1] = 0;
}
