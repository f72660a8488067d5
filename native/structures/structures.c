#include "structures.h"

enum structure_status structure_open(structure *s, const uint8_t *row, size_t size, size_t *where)
{
    reader r = reader_of(row, size);
    size_t i;
    *where = 0;
    if (size == 0 || read_u8(&r) != STRUCTURE_FORM)
        return STRUCTURE_OTHER;
    s->total = 0;
    for (i = 0; i < STRUCTURE_PIECES; i++) {
        uint64_t length = read_varint(&r);
        if (r.failed || length > LZ4_BLOCK_MOST - s->total) {
            *where = r.pos;
            return STRUCTURE_BAD_HEAD;
        }
        s->lengths[i] = (size_t)length;
        s->total += (size_t)length;
    }
    s->block = row + r.pos;
    s->block_size = size - r.pos;
    *where = r.pos;
    return STRUCTURE_GOOD;
}

enum structure_status structure_unpack(const structure *s, const lz4_dictionary *d, enum structure_piece piece,
                                       uint8_t *out, enum lz4_status *problem, size_t *where)
{
    size_t wanted = structure_start(s, piece) + s->lengths[piece];
    *problem = lz4_decompress(d, s->block, s->block_size, out, STRUCTURE_ROOM, s->total, wanted, where);
    return *problem == LZ4_GOOD ? STRUCTURE_GOOD : STRUCTURE_BAD_BLOCK;
}

static bool skip(reader *r, const char *text)
{
    for (; *text; text++)
        if (read_u8(r) != (uint8_t)*text)
            r->failed = true;
    return !r->failed;
}

static uint8_t peek(const reader *r) { return reader_left(r) ? r->data[r->pos] : 0; }

/* A string: NIL, quoted or a literal. Adds its bytes to `text` unless that is NULL. Whether it is there (not NIL). */
static bool read_string(reader *r, writer *text)
{
    uint64_t count = 0;
    const uint8_t *literal;
    if (peek(r) == 'N') {
        skip(r, "NIL");
        return false;
    }
    if (peek(r) == '"') {
        for (r->pos++;;) {
            uint8_t byte = read_u8(r);
            if (r->failed || byte == '"')
                return true;
            if (byte == '\\')
                byte = read_u8(r);
            if (text)
                write_u8(text, byte);
        }
    }
    for (skip(r, "{"); peek(r) >= '0' && peek(r) <= '9' && count < LZ4_BLOCK_MOST; r->pos++)
        count = count * 10 + (peek(r) - '0');
    skip(r, "}\r\n");
    literal = read_bytes(r, (size_t)count);
    if (literal && text)
        write_bytes(text, literal, (size_t)count);
    return true;
}

/* An address, (name route mailbox host), as it is shown. False when that is not "name <mailbox@host>". */
static bool read_address(reader *r, writer *text)
{
    size_t start = text->size;
    bool mailbox, host;
    skip(r, "(");
    read_string(r, text);
    skip(r, " ");
    read_string(r, NULL);
    if (text->size != start)
        write_u8(text, ' ');
    write_u8(text, '<');
    skip(r, " ");
    mailbox = read_string(r, text);
    write_u8(text, '@');
    skip(r, " ");
    host = read_string(r, text);
    write_u8(text, '>');
    return skip(r, ")") && mailbox && host;
}

/* A list of addresses, or NIL, as it is shown. */
static bool read_addresses(reader *r, writer *text)
{
    size_t start = text->size;
    if (peek(r) == 'N')
        return skip(r, "NIL");
    skip(r, "(");
    while (!r->failed && peek(r) == '(') {
        if (text->size != start)
            write_bytes(text, ", ", 2);
        if (!read_address(r, text))
            return false;
    }
    return skip(r, ")");
}

/* Passes over a string or a list. */
static void pass(reader *r)
{
    size_t depth = 0;
    do {
        uint8_t byte = peek(r);
        if (byte == '(' || byte == ')' || byte == ' ') {
            depth += byte == '(';
            if (byte == ')' && depth-- == 0)
                r->failed = true;
            r->pos += !r->failed;
        } else {
            read_string(r, NULL);
        }
    } while (depth && !r->failed);
}

static bool is_plain(const uint8_t *text, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++)
        if (text[i] < 0x20 || text[i] > 0x7E || (text[i] == '=' && i + 1 < size && text[i + 1] == '?'))
            return false;
    return true;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static bool holds(const uint8_t *text, size_t size, const uint8_t *key, size_t key_size)
{
    size_t at, i;
    if (key_size == 0)
        return true;
    for (at = 0; at + key_size <= size; at++) {
        if (lower(text[at]) != key[0])
            continue;
        for (i = 1; i < key_size && lower(text[at + i]) == key[i]; i++)
            ;
        if (i == key_size)
            return true;
    }
    return false;
}

enum structure_verdict envelope_judge(const uint8_t *envelope, size_t size, unsigned member, const uint8_t *key,
                                      size_t key_size, writer *text)
{
    reader r = reader_of(envelope, size);
    bool known = true;
    unsigned i;
    text->size = 0;
    skip(&r, "(");
    for (i = 0; i < member; i++) {
        pass(&r);
        skip(&r, " ");
    }
    if (member == 1)
        read_string(&r, text);
    else
        known = read_addresses(&r, text);
    if (!known || r.failed || text->failed || !is_plain(text->data, text->size))
        return VERDICT_UNKNOWN;
    return holds(text->data, text->size, key, key_size) ? VERDICT_YES : VERDICT_NO;
}
