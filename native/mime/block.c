#include "block.h"
#include "mime.h"

static const uint8_t BOM[] = {0xef, 0xbb, 0xbf};

enum { KINDS = 3 };

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

block_reader block_of(const uint8_t *data, size_t size)
{
    block_reader r = {data, size, 0, '\n'};
    if (size && memchr(data, '\n', size) == NULL && memchr(data, '\r', size) != NULL)
        r.eol = '\r';
    return r;
}

/* The end of the line that begins at `at`, with its line end. */
static size_t line_end(const block_reader *r, size_t at)
{
    const uint8_t *end = (const uint8_t *)memchr(r->data + at, r->eol, r->size - at);
    return end ? (size_t)(end - r->data) + 1 : r->size;
}

/* The end of the name that lines up to `stop` begin with, and behind `colon` the body; 0 if they are no field. */
static size_t name_end(const block_reader *r, size_t start, size_t stop, size_t *colon)
{
    size_t at = start, end;
    while (at < stop && r->data[at] > 0x20 && r->data[at] != 0x7F && r->data[at] != ':')
        at++;
    end = at;
    while (at < stop && is_blank(r->data[at]))
        at++;
    *colon = at;
    return end > start && at < stop && r->data[at] == ':' ? end : 0;
}

bool block_next(block_reader *r, block_field *field)
{
    while (r->at < r->size) {
        size_t start = r->at, stop = line_end(r, start), end, colon;
        bool empty = r->data[start] == r->eol; /* a line end alone has no continuation */
        while (!empty && stop < r->size && r->data[stop - 1] == r->eol && is_blank(r->data[stop]))
            stop = line_end(r, stop);
        r->at = stop;
        if (start == 0 && r->size >= sizeof BOM && memcmp(r->data, BOM, sizeof BOM) == 0)
            start = sizeof BOM < stop ? sizeof BOM : stop;
        end = name_end(r, start, stop, &colon);
        if (end) {
            field->name = r->data + start;
            field->name_size = end - start;
            field->body = r->data + colon + 1;
            field->body_size = stop - colon - 1;
            return true;
        }
    }
    return false;
}

size_t block_unfold(const uint8_t *body, size_t size, uint8_t *out)
{
    size_t i, n = 0;
    for (i = 0; i < size; i++) {
        uint8_t c = body[i];
        if (c == '\n' || (c == '\r' && i + 1 < size && body[i + 1] == '\n'))
            continue;
        c = c == '\r' ? ' ' : c;
        if (n || !is_blank(c))
            out[n++] = c;
    }
    while (n > 0 && is_blank(out[n - 1]))
        n--;
    return n;
}

bool block_table(reader *table, uint64_t *size, uint64_t *count)
{
    if (read_u8(table) != MIME_VERSION)
        return false;
    *size = read_varint(table);
    read_varint(table); /* lines */
    read_varint(table); /* findings */
    *count = read_varint(table);
    return !table->failed && *count > 0 && *count <= table->size;
}

/* a + b, which stays within a size. */
static bool add_within(uint64_t a, uint64_t b, uint64_t size, uint64_t *sum)
{
    *sum = a + b;
    return a <= size && b <= size - a;
}

bool block_part_next(reader *table, uint64_t size, uint64_t index, uint64_t before, block_part *part)
{
    uint8_t mask;
    int k;
    part->parent = read_varint(table);
    part->kind = read_u8(table);
    part->findings = read_varint(table);
    if (!add_within(before, read_varint(table), size, &part->start)
        || !add_within(part->start, read_varint(table), size, &part->body_start)
        || !add_within(part->body_start, read_varint(table), size, &part->body_end))
        return false;
    part->lines = read_varint(table);
    mask = read_u8(table);
    for (k = 0; k < BLOCK_VALUES; k++) {
        uint64_t n = mask >> k & 1 ? read_varint(table) : 0;
        part->values[k] = NULL;
        part->sizes[k] = 0;
        if (mask >> k & 1) {
            if (n > SIZE_MAX)
                return false;
            part->values[k] = read_bytes(table, (size_t)n);
            part->sizes[k] = (size_t)n;
        }
    }
    return !table->failed && part->kind < KINDS && part->parent <= index && (part->parent == 0) == (index == 0);
}
