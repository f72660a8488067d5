#include "columns.h"

enum { DAY = 86400, TICKS = 10000000, LAST_DAY = 3000000 };

static void write_decimal(writer *out, uint64_t value)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + value % 10);
        value /= 10;
    } while (value);
    write_bytes(out, digits + at, sizeof digits - at);
}

static void write_hex(writer *out, uint64_t value)
{
    uint8_t digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)"0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    write_bytes(out, digits + at, sizeof digits - at);
}

static void write_two(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)('0' + value / 10);
    at[1] = (uint8_t)('0' + value % 10);
}

/* The day of a count of days since 1601-01-01, which begins a cycle of 400 years. */
static void date_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    static const uint8_t LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint64_t cycle = days / 146097, rest = days % 146097, century, four, one, left;
    unsigned m;
    century = rest / 36524 < 3 ? rest / 36524 : 3;
    rest -= century * 36524;
    four = rest / 1461;
    rest -= four * 1461;
    one = rest / 365 < 3 ? rest / 365 : 3;
    left = rest - one * 365;
    *year = (unsigned)(1601 + cycle * 400 + century * 100 + four * 4 + one);
    for (m = 0;; m++) {
        bool leap = one == 3 && (four != 24 || century == 3);
        unsigned length = LENGTHS[m] + (m == 1 && leap);
        if (left < length)
            break;
        left -= length;
    }
    *month = m;
    *day = (unsigned)left + 1;
}

/* RFC 9051 9, date-time: "dd-mon-yyyy hh:mm:ss +0000", the day with a space in front when it has one digit. */
static void write_date(writer *out, uint64_t filetime)
{
    uint64_t seconds = filetime / TICKS, days = seconds / DAY;
    unsigned rest = (unsigned)(seconds % DAY), year, month, day, i;
    uint8_t *at = write_reserve(out, 28);
    if (at == NULL)
        return;
    date_of(days < LAST_DAY ? days : LAST_DAY, &year, &month, &day);
    memcpy(at, "\"  -Jan-0000 00:00:00 +0000\"", 28);
    write_two(at + 1, day);
    if (day < 10)
        at[1] = ' ';
    memcpy(at + 4, "JanFebMarAprMayJunJulAugSepOctNovDec" + 3 * month, 3);
    for (i = 4; i > 0; i--, year /= 10)
        at[7 + i] = (uint8_t)('0' + year % 10);
    write_two(at + 13, rest / 3600);
    write_two(at + 16, rest / 60 % 60);
    write_two(at + 19, rest % 60);
}

/* Words of a text of UTF-8, each behind a space unless `first`; characters outside ASCII become question marks. */
static void write_words(writer *out, const uint8_t *text, size_t size, bool first)
{
    bool open = false; /* within a word */
    size_t i;
    for (i = 0; i < size; i++) {
        if (text[i] == ' ') {
            open = false;
            continue;
        }
        if ((text[i] & 0xC0) == 0x80)
            continue; /* the rest of a character */
        if (!open && !first)
            write_u8(out, ' ');
        open = true;
        first = false;
        write_u8(out, text[i] < 0x80 ? text[i] : '?');
    }
}

static bool write_flags(writer *out, const step *s, const piece *record)
{
    size_t start = out->size;
    const piece *choice;
    uint64_t value;
    if (!column_number(record, s->offset, s->size, &value) || record->size < s->tail)
        return false;
    choice = &s->choices[value & s->mask];
    write_bytes(out, choice->data, choice->size);
    write_words(out, record->data + s->tail, record->size - s->tail, out->size == start);
    if (s->text.size) {
        if (out->size != start)
            write_u8(out, ' ');
        write_bytes(out, s->text.data, s->text.size);
    }
    return true;
}

static void write_literal(writer *out, const piece *entry)
{
    uint8_t *at, *nul;
    write_u8(out, '{');
    write_decimal(out, entry->size);
    write_bytes(out, "}\r\n", 3);
    if (entry->size == 0)
        return;
    at = write_reserve(out, entry->size);
    if (at == NULL)
        return;
    memcpy(at, entry->data, entry->size);
    for (nul = at; (nul = (uint8_t *)memchr(nul, 0, (size_t)(at + entry->size - nul))) != NULL;)
        *nul = 0x80;
}

/* A field, or what a step without a field needs: 0. */
static bool field_of(const step *s, const piece *record, uint64_t *value)
{
    if (s->kind == STEP_NUMBER || s->kind == STEP_HEX || s->kind == STEP_DATE)
        return column_number(record, s->offset, s->size, value);
    *value = 0;
    return true;
}

static void write_hexadecimal(writer *out, const step *s, uint64_t value)
{
    if (value == 0 && s->other.size) {
        write_bytes(out, s->other.data, s->other.size);
        return;
    }
    write_bytes(out, s->text.data, s->text.size);
    write_hex(out, value);
    write_bytes(out, s->choices->data, s->choices->size);
}

static bool write_piece(writer *out, const step *s, const piece *entry, const unpacker *u)
{
    structure found;
    size_t where;
    enum lz4_status problem;
    enum structure_piece which = (enum structure_piece)s->offset;
    if (entry->size == 0) {
        write_bytes(out, s->other.data, s->other.size);
        return true;
    }
    if (u == NULL || structure_open(&found, entry->data, entry->size, &where) != STRUCTURE_GOOD ||
        structure_unpack(&found, u->dictionary, which, u->room, &problem, &where) != STRUCTURE_GOOD)
        return false;
    write_bytes(out, u->room + structure_start(&found, which), found.lengths[which]);
    return true;
}

enum line_status column_line(const step *steps, size_t count, uint64_t serial, const piece *record,
                             const piece *entries, const unpacker *u, writer *out)
{
    uint64_t value;
    for (; count; count--, steps++) {
        if (!field_of(steps, record, &value))
            return LINE_SHORT;
        switch (steps->kind) {
        case STEP_TEXT:
            write_bytes(out, steps->text.data, steps->text.size);
            break;
        case STEP_SERIAL:
            write_decimal(out, serial);
            break;
        case STEP_NUMBER:
            write_decimal(out, value);
            break;
        case STEP_HEX:
            write_hexadecimal(out, steps, value);
            break;
        case STEP_WORDS:
            if (!write_flags(out, steps, record))
                return LINE_SHORT;
            break;
        case STEP_DATE:
            write_date(out, value);
            break;
        case STEP_COLUMN:
            write_bytes(out, entries[steps->column].data, entries[steps->column].size);
            break;
        case STEP_LITERAL:
            write_literal(out, &entries[steps->column]);
            break;
        default:
            if (!write_piece(out, steps, &entries[steps->column], u))
                return LINE_STRUCTURE;
        }
    }
    return LINE_GOOD;
}
