/* Recipient rows out of packed bags (recipients.h). */
#include "recipients.h"

enum {
    TAG_ADDRESS_TYPE = 0x3002001F,
    TAG_DISPLAY_NAME = 0x3001001F,
    TAG_EMAIL = 0x3003001F,
    TAG_SIMPLE_NAME = 0x39FF001F,
    TAG_TRANSMITTABLE = 0x3A20001F,
    TAG_RECIPIENT_TYPE = 0x0C150003,
    TAG_DISPLAY_TYPE = 0x39000003,
    TAG_SEND_RICH = 0x3A40000B,
    TAG_RESPONSIBILITY = 0x0E0F000B,
};

/* What the fixed part of a row stands for (MS-OXCMSG 2.2.3.5.1): no columns. */
static const uint32_t FIXED[] = {
    TAG_ADDRESS_TYPE, TAG_DISPLAY_NAME, TAG_EMAIL, 0x0FFF0102 /* entry id */, 0x0FF60102 /* instance key */,
    TAG_RECIPIENT_TYPE, 0x30000003 /* row id */, 0x300B0102 /* search key */, TAG_SEND_RICH, TAG_TRANSMITTABLE,
    TAG_RESPONSIBILITY,
};

/* RecipientFlags (MS-OXCDATA 2.8.3.1) */
enum { NO_TYPE = 0, X500DN = 1, SMTP = 3 };
enum {
    HAS_EMAIL = 0x0008,
    HAS_DISPLAY_NAME = 0x0010,
    HAS_TRANSMITTABLE = 0x0020,
    SAME_AS_DISPLAY = 0x0040,
    RESPONSIBLE = 0x0080,
    NON_RICH = 0x0100,
    UNICODE = 0x0200,
    HAS_SIMPLE_NAME = 0x0400,
    OTHER_TYPE = 0x8000,
};

bool recipient_add_columns(recipient_columns *columns, const bag *b)
{
    size_t i, at;
    for (i = 0; i < b->count; i++) {
        uint32_t tag = bag_tag(b, i);
        for (at = 0; at < sizeof FIXED / sizeof *FIXED && FIXED[at] != tag; at++)
            ;
        if (at < sizeof FIXED / sizeof *FIXED)
            continue;
        for (at = columns->count; at > 0 && columns->tags[at - 1] > tag; at--)
            ;
        if (at > 0 && columns->tags[at - 1] == tag)
            continue;
        if (columns->count == MAX_RECIPIENT_COLUMNS)
            return false;
        memmove(&columns->tags[at + 1], &columns->tags[at], (columns->count - at) * sizeof *columns->tags);
        columns->tags[at] = tag;
        columns->count++;
    }
    return true;
}

static value found(const bag *b, uint32_t tag) { return value_in(b, tag, bag_form_of((uint16_t)tag)); }

static bool is_true(const value *v) { return v->state == VALUE_HERE && v->bits; }

static bool is_word(span text, const char *upper)
{
    size_t i;
    for (i = 0; i < text.size && upper[i]; i++)
        if (lower(text.data[i]) != lower((uint8_t)upper[i]))
            return false;
    return i == text.size && !upper[i];
}

/* The Type of an address type that is ASCII; -1: left to Python. */
static int type_of(span name)
{
    static const struct {
        const char *name;
        int type;
    } TYPES[] = {{"SMTP", SMTP}, {"EX", X500DN}, {"MS", 2}, {"FAX", 4}, {"PROFS", 5}, {"MAPIPDL", -1}};
    size_t i;
    for (i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (is_word(name, TYPES[i].name))
            return TYPES[i].type;
    return NO_TYPE;
}

/* A string of 8 bits, which is cut at a zero. */
static void put_ascii(writer *out, span text)
{
    const uint8_t *zero = text.size ? (const uint8_t *)memchr(text.data, 0, text.size) : NULL;
    write_bytes(out, text.data, zero ? (size_t)(zero - text.data) : text.size);
    write_u8(out, 0);
}

static bool put_cells(writer *out, const bag *b, const recipient_columns *columns)
{
    bool flagged = false;
    size_t i;
    value v;
    for (i = 0; i < columns->count && !flagged; i++)
        flagged = found(b, columns->tags[i]).state == VALUE_NONE;
    write_u16le(out, (uint16_t)columns->count);
    write_u8(out, flagged ? FLAGGED_ROW : STANDARD_ROW);
    for (i = 0; i < columns->count; i++) {
        v = found(b, columns->tags[i]);
        if (v.state == VALUE_NONE) {
            write_u8(out, FLAG_ERROR);
            write_u32le(out, (uint32_t)EC_NOT_FOUND);
            continue;
        }
        if (flagged)
            write_u8(out, FLAG_VALUE);
        if (v.state == VALUE_ASK || !value_put(out, &v, columns->tags[i]))
            return false;
    }
    return true;
}

/* A RecipientRow (MS-OXCDATA 2.8.3.2). */
static bool put_row(writer *out, const bag *b, const recipient_columns *columns)
{
    value kind = found(b, TAG_ADDRESS_TYPE), email = found(b, TAG_EMAIL), name = found(b, TAG_DISPLAY_NAME);
    value simple = found(b, TAG_SIMPLE_NAME), sent_as = found(b, TAG_TRANSMITTABLE);
    value rich = found(b, TAG_SEND_RICH), responsible = found(b, TAG_RESPONSIBILITY);
    value shown = found(b, TAG_DISPLAY_TYPE);
    const value *texts[4] = {&email, &name, &simple, &sent_as};
    bool typed = kind.state == VALUE_HERE && kind.bytes.size > 0;
    int type = typed && is_ascii(kind.bytes) ? type_of(kind.bytes) : typed ? -1 : NO_TYPE;
    unsigned flags, i;
    if (type < 0 || kind.state == VALUE_ASK || rich.state == VALUE_ASK || responsible.state == VALUE_ASK ||
        shown.state == VALUE_ASK)
        return false;
    flags = (unsigned)type | UNICODE | (is_true(&responsible) ? RESPONSIBLE : 0) | (is_true(&rich) ? 0 : NON_RICH);
    if (sent_as.state == VALUE_HERE && name.state == VALUE_HERE && sent_as.bytes.size == name.bytes.size &&
        memcmp(sent_as.bytes.data, name.bytes.data, name.bytes.size) == 0) {
        flags |= SAME_AS_DISPLAY;
        sent_as.state = VALUE_NONE;
    }
    if (typed && type == NO_TYPE)
        flags |= OTHER_TYPE;
    if (type == X500DN && email.state == VALUE_HERE && !is_ascii(email.bytes))
        return false;
    flags |= email.state == VALUE_HERE && type != X500DN ? HAS_EMAIL : 0;
    flags |= name.state == VALUE_HERE ? HAS_DISPLAY_NAME : 0;
    flags |= simple.state == VALUE_HERE ? HAS_SIMPLE_NAME : 0;
    flags |= sent_as.state == VALUE_HERE ? HAS_TRANSMITTABLE : 0;
    write_u16le(out, (uint16_t)flags);
    if (type == X500DN) {
        write_u8(out, 0);
        write_u8(out, shown.state == VALUE_HERE && shown.bits <= 0xFF ? (uint8_t)shown.bits : 0);
        put_ascii(out, email.state == VALUE_HERE ? email.bytes : (span){b->data, 0});
        if (email.state == VALUE_HERE)
            email.state = VALUE_NONE;
    }
    if (flags & OTHER_TYPE)
        put_ascii(out, kind.bytes);
    for (i = 0; i < 4; i++)
        if (texts[i]->state == VALUE_ASK ||
            (texts[i]->state == VALUE_HERE && !value_put(out, texts[i], TAG_DISPLAY_NAME)))
            return false;
    return put_cells(out, b, columns);
}

bool recipient_put(writer *out, const bag *b, const recipient_columns *columns, uint16_t code_page)
{
    value kind = found(b, TAG_RECIPIENT_TYPE);
    size_t at = out->size + 5, size;
    if (kind.state == VALUE_ASK)
        return false;
    write_u8(out, kind.state == VALUE_HERE ? (uint8_t)kind.bits : 1);
    write_u16le(out, code_page);
    write_u16le(out, 0);
    write_u16le(out, 0); /* the size, when it is known */
    if (!put_row(out, b, columns) || out->failed)
        return false;
    size = out->size - at - 2;
    out->data[at] = (uint8_t)size;
    out->data[at + 1] = (uint8_t)(size >> 8);
    return size <= 0xFFFF;
}
