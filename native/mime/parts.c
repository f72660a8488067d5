/* The parts of a message: opening and closing them, the delimiters between them (RFC 2046 5.1). */
#include "scanner.h"

void part_open(mime_scanner *s, bool message)
{
    part *p;
    frame *f;
    if (s->count == s->capacity) {
        uint32_t grown = s->capacity ? s->capacity * 2 : 8; /* at most twice limits.parts, below 2^32 */
        part *parts = (part *)realloc(s->parts, (size_t)grown * sizeof *parts);
        if (parts == NULL) {
            s->failed = true;
            return;
        }
        s->parts = parts;
        s->capacity = grown;
    }
    p = &s->parts[s->count];
    memset(p, 0, sizeof *p);
    p->header_start = s->offset;
    p->parent = s->depth ? s->frames[s->depth - 1].part + 1 : 0;
    p->message = message;
    f = &s->frames[s->depth++];
    memset(f, 0, sizeof *f);
    f->part = s->count++;
    f->boundary = s->boundaries.size;
    s->header.size = 0;
    s->header_line = 0;
    s->header_fields = 0;
    s->keeping = true;
    s->first_line = true;
    s->in_doubt = false;
    s->in_line = false;
    s->state = HEADER;
}

static void forget_boundary(mime_scanner *s, frame *f)
{
    s->first[s->boundaries.data[f->boundary]]--;
    s->active--;
    f->boundary_size = 0;
}

/* end and lines are raised where the part has no body, so that what is around it does not end before it. */
void part_close(mime_scanner *s, uint64_t *end, uint64_t *lines)
{
    frame *f = &s->frames[s->depth - 1];
    part *p = &s->parts[f->part];
    if (*end < p->body_start) {
        *end = p->body_start;
        *lines = p->lines;
    }
    p->body_end = *end;
    p->lines = *lines - p->lines;
    if (f->boundary_size) {
        p->findings |= MIME_MISSING_END;
        forget_boundary(s, f);
    }
    s->boundaries.size = f->boundary;
    s->depth--;
}

/* The header of the current part is complete: decide what it is and go on to its body. */
void part_end_header(mime_scanner *s, uint64_t body_start, uint64_t lines, bool expand)
{
    frame *f = &s->frames[s->depth - 1];
    part *p = &s->parts[f->part];
    reader found[CONTENT_FIELDS];
    fields_find(s, found);
    fields_keep(s, p, found);
    if (p->message) {
        size_t n = s->header.size;
        if (n > s->budget) {
            n = 0;
            p->findings |= MIME_HEADER_LIMIT;
        }
        s->budget -= n;
        write_varint(&s->messages, n);
        write_bytes(&s->messages, s->header.data, n);
    }
    p->body_start = body_start;
    p->lines = lines;
    p->kind = (uint8_t)fields_classify(s, p, f, found);
    if (p->kind != LEAF && s->depth > s->limits.depth) {
        p->findings |= MIME_DEPTH_LIMIT;
        p->kind = LEAF;
    }
    if (p->kind == MESSAGE && s->count >= s->limits.parts) {
        p->findings |= MIME_PARTS_LIMIT;
        p->kind = LEAF;
    }
    if (!expand && p->kind == MESSAGE)
        p->kind = LEAF;
    s->state = BODY;
    s->at_start = true;
    s->hold_size = 0;
    if (p->kind == MULTIPART) {
        s->first[s->boundaries.data[f->boundary]]++;
        s->active++;
    } else {
        f->boundary_size = 0;
        s->boundaries.size = f->boundary;
    }
    if (p->kind == MESSAGE)
        part_open(s, true);
}

/* Which frame's delimiter the held line is, or -1. */
int part_match(const mime_scanner *s, bool *closing, bool *loose)
{
    const uint8_t *line = s->hold + 2;
    size_t n, best_size = 0;
    int k, best = -1;
    if (s->active == 0 || s->hold_size < 3 || s->hold[0] != '-' || s->hold[1] != '-' || !s->first[line[0]])
        return -1;
    n = s->hold_size - 2;
    *loose = true;
    for (k = (int)s->depth - 1; k >= 0; k--) {
        const frame *f = &s->frames[k];
        size_t size = f->boundary_size;
        const uint8_t *rest = line + size;
        size_t left;
        if (size == 0 || size > n || memcmp(line, s->boundaries.data + f->boundary, size) != 0)
            continue;
        left = n - size;
        if (left == 0 || is_space(rest[0])
            || (left >= 2 && rest[0] == '-' && rest[1] == '-' && (left == 2 || is_space(rest[2])))) {
            best = k;
            best_size = size;
            *loose = false;
            break;
        }
        if (size > best_size) {
            best = k;
            best_size = size;
        }
    }
    if (best >= 0)
        *closing = n - best_size >= 2 && line[best_size] == '-' && line[best_size + 1] == '-';
    return best;
}

/* The held line is a delimiter of frame k: close what is inside it, then go past the line. */
void part_meet(mime_scanner *s, int k, bool closing, bool loose)
{
    uint64_t end = s->line_offset - s->line_term;
    uint64_t lines = s->line_count - (s->line_term ? 1 : 0);
    frame *f = &s->frames[k];
    part *p;
    while ((int)s->depth - 1 > k)
        part_close(s, &end, &lines);
    p = &s->parts[f->part];
    if (loose)
        p->findings |= MIME_LOOSE_BOUNDARY;
    scan_attribute(s, f->part, false);
    s->opening = false;
    if (closing)
        forget_boundary(s, f);
    else if (s->count >= s->limits.parts)
        p->findings |= MIME_PARTS_LIMIT;
    else
        s->opening = true;
    s->state = SKIP;
}

void part_end_skip(mime_scanner *s)
{
    s->state = BODY;
    s->at_start = true;
    s->hold_size = 0;
    if (s->opening)
        part_open(s, false);
}
