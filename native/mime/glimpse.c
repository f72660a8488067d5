#define _GNU_SOURCE /* memmem */
#include "glimpse.h"
#include "mime.h"

enum text_kind { TEXT_NONE, TEXT_PLAIN, TEXT_OTHER };
enum encoding { ENCODING_NONE, ENCODING_QUOTED, ENCODING_OTHER };

typedef struct {
    uint8_t kind;
    size_t body_start, body_end;
    mime_span type, encoding; /* data is NULL without the field */
} part;

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '+';
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static bool equals(mime_span text, const char *word)
{
    size_t n = strlen(word), i;
    if (text.size != n)
        return false;
    for (i = 0; i < n; i++)
        if (lower(text.data[i]) != (uint8_t)word[i])
            return false;
    return true;
}

static bool among(mime_span text, const char *const *words)
{
    for (; *words; words++)
        if (equals(text, *words))
            return true;
    return false;
}

static void pass_space(reader *r)
{
    while (r->pos < r->size && is_space(r->data[r->pos]))
        r->pos++;
}

static bool at(const reader *r, uint8_t c) { return r->pos < r->size && r->data[r->pos] == c; }

static mime_span name_of(reader *r)
{
    mime_span found = {r->data + r->pos, 0};
    while (r->pos < r->size && is_name(r->data[r->pos])) {
        r->pos++;
        found.size++;
    }
    return found;
}

/* A parameter's value: a name, or what stands between quotes if nothing is escaped. False for others. */
static bool value_of(reader *r, mime_span *value)
{
    if (!at(r, '"')) {
        *value = name_of(r);
        return value->size > 0;
    }
    value->data = r->data + ++r->pos;
    value->size = 0;
    for (; !at(r, '"'); r->pos++, value->size++)
        if (r->pos >= r->size || r->data[r->pos] == '\\' || r->data[r->pos] < 0x20 || r->data[r->pos] > 0x7E)
            return false;
    r->pos++;
    return true;
}

/* The charset parameter behind a type. False for parameters that are not of the simple form. */
static bool charset_of(reader *r, mime_span *charset)
{
    charset->data = NULL;
    for (pass_space(r); r->pos < r->size; pass_space(r)) {
        mime_span name, value;
        if (!at(r, ';'))
            return false;
        r->pos++;
        pass_space(r);
        if (r->pos == r->size)
            return true;
        name = name_of(r);
        if (name.size == 0 || !at(r, '='))
            return false;
        r->pos++;
        if (!value_of(r, &value))
            return false;
        if (equals(name, "charset")) {
            if (charset->data)
                return false;
            *charset = value;
        }
    }
    return true;
}

/* What a Content-Type makes of a leaf. */
static enum text_kind kind_of(mime_span value)
{
    static const char *const ASCII_INSIDE[] = {
        "us-ascii", "utf-8", "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251",
        "windows-1252", NULL,
    };
    reader r = reader_of(value.data, value.size);
    mime_span type, subtype, charset;
    if (value.data == NULL)
        return TEXT_PLAIN; /* RFC 2045 5.2 */
    pass_space(&r);
    type = name_of(&r);
    if (type.size == 0 || !at(&r, '/'))
        return TEXT_OTHER;
    r.pos++;
    subtype = name_of(&r);
    if (subtype.size == 0 || equals(type, "multipart"))
        return TEXT_OTHER;
    if (!equals(type, "text"))
        return r.pos == r.size || is_space(r.data[r.pos]) || at(&r, ';') ? TEXT_NONE : TEXT_OTHER;
    if (equals(subtype, "html") || !charset_of(&r, &charset))
        return TEXT_OTHER;
    return charset.data == NULL || among(charset, ASCII_INSIDE) ? TEXT_PLAIN : TEXT_OTHER;
}

static enum encoding encoding_of(mime_span value)
{
    static const char *const IDENTITY[] = {"7bit", "8bit", "binary", NULL};
    reader r = reader_of(value.data, value.size);
    mime_span name;
    if (value.data == NULL)
        return ENCODING_NONE; /* RFC 2045 6.1 */
    pass_space(&r);
    name = name_of(&r);
    pass_space(&r);
    if (r.pos != r.size)
        return ENCODING_OTHER;
    if (among(name, IDENTITY))
        return ENCODING_NONE;
    return equals(name, "quoted-printable") ? ENCODING_QUOTED : ENCODING_OTHER;
}

static int digit_of(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes quoted-printable that is well-formed and has no white space at the ends of lines. False for other. */
static bool unquote(mime_span text, writer *out)
{
    size_t i = 0;
    while (i < text.size) {
        const uint8_t *next = (const uint8_t *)memchr(text.data + i, '=', text.size - i);
        size_t run = next ? (size_t)(next - text.data) - i : text.size - i;
        write_bytes(out, text.data + i, run);
        i += run;
        if (next == NULL)
            break;
        if (text.size - i < 3)
            return false;
        if (text.data[i + 1] == '\r' && text.data[i + 2] == '\n') {
            i += 3;
            continue;
        }
        if (digit_of(text.data[i + 1]) < 0 || digit_of(text.data[i + 2]) < 0)
            return false;
        write_u8(out, (uint8_t)(digit_of(text.data[i + 1]) << 4 | digit_of(text.data[i + 2])));
        i += 3;
    }
    return true;
}

/* Whether quoted-printable has white space at the end of a line, which is not part of the text. */
static bool has_loose_ends(mime_span text)
{
    const uint8_t *p = text.data, *end = text.data + text.size;
    if (text.size && (end[-1] == ' ' || end[-1] == '\t'))
        return true;
    while (p < end && (p = (const uint8_t *)memchr(p, '\n', (size_t)(end - p))) != NULL) {
        const uint8_t *before = p > text.data && p[-1] == '\r' ? p - 1 : p;
        if (before > text.data && (before[-1] == ' ' || before[-1] == '\t'))
            return true;
        p++;
    }
    return false;
}

/* Text in lower case, at the end of `room`. Whether it is ASCII. */
static bool lower_into(mime_span text, writer *room)
{
    uint8_t *out = text.size ? write_reserve(room, text.size) : NULL, seen = 0;
    size_t i;
    if (out)
        for (i = 0; i < text.size; i++) {
            uint8_t c = text.data[i];
            seen |= c;
            out[i] = (uint8_t)(c + ((uint8_t)(c - 'A') < 26 ? 32 : 0));
        }
    return seen < 0x80;
}

static bool holds(const uint8_t *text, size_t size, mime_span key)
{
    return key.size == 0 || (size >= key.size && memmem(text, size, key.data, key.size) != NULL);
}

/* Looks into a text part. `*every` goes when the part does not prove that the key is not in it. */
static bool look_into(const part *p, mime_span raw, mime_span key, writer *room, bool *every)
{
    mime_span text = {raw.data + p->body_start, p->body_end - p->body_start};
    enum text_kind kind = kind_of(p->type);
    enum encoding encoding = encoding_of(p->encoding);
    size_t start;
    if (kind == TEXT_NONE)
        return false;
    if (kind == TEXT_OTHER || encoding == ENCODING_OTHER) {
        *every = false;
        return false;
    }
    room->size = 0;
    if (encoding == ENCODING_QUOTED && text.size && memchr(text.data, '=', text.size)) {
        if (has_loose_ends(text) || !unquote(text, room)) {
            *every = false;
            return false;
        }
        text.data = room->data;
        text.size = room->size;
    }
    start = room->size;
    if (write_reserve(room, text.size + 1) == NULL) { /* now it does not move any more */
        *every = false;
        return false;
    }
    room->size = start;
    if (start)
        text.data = room->data;
    if (!lower_into(text, room))
        *every = false;
    return holds(room->data + start, room->size - start, key);
}

/* Takes the folds out of the header block in `room`: a line end before a space or tab. */
static void unfold(writer *room)
{
    uint8_t *data = room->data;
    size_t from, to = 0;
    for (from = 0; from < room->size; from++) {
        size_t end = from + (data[from] == '\r' && from + 1 < room->size && data[from + 1] == '\n');
        if (data[end] == '\n' && end + 1 < room->size && (data[end + 1] == ' ' || data[end + 1] == '\t')) {
            from = end;
            continue;
        }
        data[to++] = data[from];
    }
    room->size = to;
}

/* Whether the header proves that the key is not in it: it is never said that it is. */
static enum glimpse_verdict look_above(mime_span head, mime_span raw, mime_span key, writer *room)
{
    static const mime_span WORD = {(const uint8_t *)"=?", 2};
    bool plain;
    room->size = 0;
    plain = lower_into(head, room);
    plain = lower_into(raw, room) && plain;
    if (room->failed || !plain || holds(room->data, room->size, WORD))
        return GLIMPSE_UNKNOWN;
    unfold(room);
    return holds(room->data, room->size, key) ? GLIMPSE_UNKNOWN : GLIMPSE_NO;
}

static bool read_part(reader *r, size_t *header_start, part *p)
{
    unsigned k;
    uint8_t mask;
    read_varint(r); /* parent */
    p->kind = read_u8(r);
    read_varint(r); /* findings */
    *header_start += (size_t)read_varint(r);
    p->body_start = *header_start + (size_t)read_varint(r);
    p->body_end = p->body_start + (size_t)read_varint(r);
    read_varint(r); /* lines */
    mask = read_u8(r);
    memset(&p->type, 0, sizeof p->type);
    memset(&p->encoding, 0, sizeof p->encoding);
    for (k = 0; k < 8; k++) {
        mime_span value;
        if (!(mask >> k & 1))
            continue;
        value.size = (size_t)read_varint(r);
        value.data = read_bytes(r, value.size);
        if (k == 0)
            p->type = value;
        else if (k == 1)
            p->encoding = value;
    }
    return !r->failed && p->body_start <= p->body_end;
}

/* Whether a part may be a digest, whose parts are messages by default (RFC 2046 5.1.5). */
static bool is_digest(const part *p, writer *room)
{
    static const mime_span DIGEST = {(const uint8_t *)"digest", 6};
    room->size = 0;
    if (p->kind != 1 || p->type.data == NULL)
        return false;
    lower_into(p->type, room);
    return room->failed || holds(room->data, room->size, DIGEST);
}

enum glimpse_verdict mime_glimpse(mime_span table, mime_span head, mime_span raw, mime_span key, bool header,
                                  writer *room)
{
    reader r = reader_of(table.data, table.size);
    size_t start = 0, first_body = 0;
    uint64_t count, i;
    bool every = true;
    if (read_u8(&r) != MIME_VERSION)
        return GLIMPSE_UNKNOWN;
    read_varint(&r); /* size */
    read_varint(&r); /* lines */
    read_varint(&r); /* findings */
    count = read_varint(&r);
    if (r.failed || count == 0)
        return GLIMPSE_UNKNOWN;
    for (i = 0; i < count; i++) {
        part p;
        if (!read_part(&r, &start, &p) || p.body_end > raw.size || is_digest(&p, room))
            return GLIMPSE_UNKNOWN;
        if (i == 0)
            first_body = p.body_start;
        if (p.kind == 0 && look_into(&p, raw, key, room, &every))
            return GLIMPSE_YES;
    }
    if (!every || room->failed)
        return GLIMPSE_UNKNOWN;
    if (count == 1) {
        if (!header)
            return GLIMPSE_NO;
        raw.size = first_body;
    }
    return look_above(head, raw, key, room);
}
