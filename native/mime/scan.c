/* MIME structure in one pass over streamed chunks.
 *
 * Rules, the same ones as in appliance/formats/mime/reference.py, function by function:
 * - A line ends at LF; a CR before it belongs to the line end. Only a message without a single LF is read
 *   with CR as its line end.
 * - A header ends at an empty line, at a delimiter of an open multipart, or before a line that is neither a
 *   field nor a continuation (MISSING_SEPARATOR). A single such line between fields is a broken fold and
 *   passed over (BAD_LINE), unless it opens the header or begins with "--": whether it is one shows with the
 *   next line, until then the header is in doubt. An mbox From_ line may open a message.
 * - A delimiter is a line that begins with "--" and the boundary of an open multipart (RFC 2046 5.1.1:
 *   comparing the beginning suffices). A whole-line match wins over a prefix, then the longest boundary, then
 *   the innermost multipart. The line end before a delimiter belongs to the delimiter.
 * - After its close delimiter the boundary of a multipart is no longer looked for.
 * - Of repeated content fields the first counts.
 *
 * Held at any time: the current header and the kept fields (bounded by the limits), MIME_HOLD bytes of a line
 * that may be a delimiter, the part records and the boundaries of the open multiparts. Bodies are not copied.
 * Work is linear: a line that opens with "--" is compared with at most `depth` boundaries of bounded length,
 * and only if one of them begins with its third byte. */
#include "mime.h"

enum kind { LEAF, MULTIPART, MESSAGE };
enum state { HEADER, BODY, SKIP };
enum { CONTENT_TYPE, CONTENT_ENCODING, CONTENT_FIELDS = 8 };

static const char *const FIELD_NAMES[CONTENT_FIELDS] = {
    "type", "transfer-encoding", "id", "description", "disposition", "language", "location", "md5",
};

static const uint8_t BOM[] = {0xef, 0xbb, 0xbf}; /* of UTF-8: some editors open files with it */

typedef struct {
    uint64_t header_start, body_start, body_end, lines;
    size_t fields, fields_size; /* the packed content fields, in `kept` */
    uint32_t parent;            /* index + 1 */
    uint32_t findings;
    uint8_t kind;
    bool message; /* its header is a message's: the root, or the child of a message */
} part;

typedef struct {
    uint32_t part;
    size_t boundary, boundary_size; /* in `boundaries`; size 0: none, or closed already */
    bool digest;
} frame;

struct mime_scanner {
    mime_limits limits;
    uint8_t eol;
    uint8_t prev, prev2; /* the last two bytes consumed */
    enum state state;
    bool at_start;    /* BODY: at the start of a line, or holding its first bytes */
    bool in_line;     /* HEADER: within a line */
    bool first_line;  /* HEADER: no line of it was complete yet */
    bool in_doubt;    /* HEADER: the body perhaps began at doubt_offset */
    bool keeping;     /* HEADER: the limits of this header are not reached */
    bool opening;     /* SKIP: a part begins after this line */
    bool finished;
    uint32_t seen;    /* MIME_EIGHT_BIT_BODY and MIME_NUL, in bytes not yet attributed to a part */
    uint64_t offset, n_lf, n_cr, n_crlf;
    uint64_t line_offset, line_count; /* at the start of the line being held */
    uint64_t doubt_offset, doubt_count;
    unsigned line_term;               /* bytes of the line end before it */
    uint32_t header_fields;
    size_t header_line; /* size of `header` before the line being held */
    size_t hold_size;
    uint32_t active; /* boundaries looked for */
    uint32_t first[256];
    frame *frames;
    uint32_t depth; /* frames in use */
    part *parts;
    uint32_t count, capacity;
    uint64_t budget; /* of limits.kept_bytes, not used yet */
    writer header, kept, messages, boundaries, scratch;
    bool failed;
    uint8_t hold[MIME_HOLD];
};

static uint64_t lines_so_far(const mime_scanner *s) { return s->eol == '\n' ? s->n_lf : s->n_cr; }

static part *current(mime_scanner *s) { return &s->parts[s->frames[s->depth - 1].part]; }

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static bool same(const uint8_t *p, size_t n, const char *word)
{
    size_t i;
    for (i = 0; i < n; i++)
        if (word[i] == 0 || lower(p[i]) != (uint8_t)word[i])
            return false;
    return word[n] == 0;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* ---- bytes --------------------------------------------------------------------------------------------- */

enum { STRIDE = 240 }; /* below 256, so that a byte can count the hits of a stride */

/* Count lines and note findings over n bytes. The loop is one the compiler turns into vector code. */
static void consume(mime_scanner *s, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    uint8_t high = 0, nul = 0;
    if (n == 0)
        return;
    s->n_lf += p[0] == '\n';
    s->n_cr += p[0] == '\r';
    s->n_crlf += p[0] == '\n' && s->prev == '\r';
    high |= p[0];
    nul |= p[0] == 0;
    s->prev2 = n > 1 ? end[-2] : s->prev;
    s->prev = end[-1];
    s->offset += n;
    for (p++; (size_t)(end - p) >= STRIDE; p += STRIDE) {
        uint8_t lf = 0, cr = 0, crlf = 0;
        int i;
        for (i = 0; i < STRIDE; i++) {
            uint8_t is_lf = p[i] == '\n';
            lf += is_lf;
            cr += (uint8_t)(p[i] == '\r');
            crlf += is_lf & (uint8_t)(p[i - 1] == '\r');
            high |= p[i];
            nul |= p[i] == 0;
        }
        s->n_lf += lf;
        s->n_cr += cr;
        s->n_crlf += crlf;
    }
    for (; p < end; p++) {
        s->n_lf += *p == '\n';
        s->n_cr += *p == '\r';
        s->n_crlf += *p == '\n' && p[-1] == '\r';
        high |= *p;
        nul |= *p == 0;
    }
    s->seen |= (high & 0x80 ? MIME_EIGHT_BIT_BODY : 0) | (nul ? MIME_NUL : 0);
}

/* The start of the next line that opens with "--" (or with what may become it in the next chunk), or end. */
static const uint8_t *find_candidate(const uint8_t *p, const uint8_t *end, uint8_t eol)
{
    while ((size_t)(end - p) >= STRIDE + 2) {
        uint8_t hit = 0;
        int i;
        for (i = 0; i < STRIDE; i++)
            hit |= (uint8_t)(p[i] == eol) & (uint8_t)(p[i + 1] == '-') & (uint8_t)(p[i + 2] == '-');
        if (hit)
            break;
        p += STRIDE;
    }
    while (p < end) {
        const uint8_t *q = (const uint8_t *)memchr(p, eol, (size_t)(end - p));
        if (q == NULL || q + 1 == end)
            return end;
        if (q[1] == '-' && (q + 2 == end || q[2] == '-'))
            return q + 1;
        p = q + 1;
    }
    return end;
}

static void attribute(mime_scanner *s, uint32_t index, bool header)
{
    uint32_t seen = s->seen;
    if (header && (seen & MIME_EIGHT_BIT_BODY))
        seen = (seen & ~(uint32_t)MIME_EIGHT_BIT_BODY) | MIME_EIGHT_BIT_HEADER;
    s->parts[index].findings |= seen;
    s->seen = 0;
}

static void mark_line(mime_scanner *s)
{
    s->line_offset = s->offset;
    s->line_count = lines_so_far(s);
    s->line_term = 0;
    if (s->offset && s->prev == s->eol)
        s->line_term = s->eol == '\n' && s->prev2 == '\r' ? 2 : 1;
    s->hold_size = 0;
}

static void hold(mime_scanner *s, const uint8_t *p, size_t n)
{
    if (n > MIME_HOLD - s->hold_size)
        n = MIME_HOLD - s->hold_size;
    if (n)
        memcpy(s->hold + s->hold_size, p, n);
    s->hold_size += n;
}

/* ---- content fields ------------------------------------------------------------------------------------ */

static void skip_space(reader *v)
{
    unsigned depth = 0;
    while (v->pos < v->size) {
        uint8_t c = v->data[v->pos];
        if (c == '(')
            depth++;
        else if (depth && c == '\\' && v->pos + 1 < v->size)
            v->pos++;
        else if (depth && c == ')')
            depth--;
        else if (!depth && !is_space(c))
            return;
        v->pos++;
    }
}

static size_t token_end(const reader *v)
{
    size_t i = v->pos;
    while (i < v->size && !is_space(v->data[i]) && !strchr("/;(", v->data[i] ? v->data[i] : 'x'))
        i++;
    return i;
}

/* The next "name=value" of a field, the value unquoted at the end of scratch; false at the end. */
static bool next_parameter(mime_scanner *s, reader *v, reader *name, reader *value)
{
    for (;;) {
        size_t start, end, at = s->scratch.size;
        while (skip_space(v), v->pos < v->size && v->data[v->pos] == ';')
            v->pos++;
        if (v->pos >= v->size)
            return false;
        start = end = v->pos;
        while (end < v->size && !is_space(v->data[end]) && !strchr("=;(", v->data[end] ? v->data[end] : 'x'))
            end++;
        for (v->pos = end; v->pos < v->size && v->data[v->pos] != '=' && v->data[v->pos] != ';';)
            v->pos++;
        if (v->pos >= v->size || v->data[v->pos] == ';')
            continue;
        *name = reader_of(v->data + start, end - start);
        v->pos++;
        skip_space(v);
        if (v->pos < v->size && v->data[v->pos] == '"') {
            for (v->pos++; v->pos < v->size && v->data[v->pos] != '"'; v->pos++) {
                if (v->data[v->pos] == '\\' && v->pos + 1 < v->size)
                    v->pos++;
                if (v->data[v->pos] != '\r' && v->data[v->pos] != '\n')
                    write_u8(&s->scratch, v->data[v->pos]);
            }
            if (v->pos < v->size)
                v->pos++;
        } else {
            for (; v->pos < v->size && v->data[v->pos] != ';' && !is_space(v->data[v->pos]); v->pos++)
                write_u8(&s->scratch, v->data[v->pos]);
        }
        if (s->scratch.failed)
            return false;
        *value = reader_of(s->scratch.data + at, s->scratch.size - at);
        return true;
    }
}

static int hex(uint8_t c)
{
    c = lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2231 4: percent-decode; the first segment opens with charset'language'. */
static void write_extended(writer *out, reader value, bool first)
{
    size_t i = 0;
    if (first) {
        const uint8_t *a = memchr(value.data, '\'', value.size);
        const uint8_t *b = a ? memchr(a + 1, '\'', value.size - (size_t)(a + 1 - value.data)) : NULL;
        if (b)
            i = (size_t)(b + 1 - value.data);
    }
    for (; i < value.size; i++) {
        uint8_t c = value.data[i];
        if (c == '%' && value.size - i > 2 && hex(value.data[i + 1]) >= 0 && hex(value.data[i + 2]) >= 0) {
            c = (uint8_t)(hex(value.data[i + 1]) << 4 | hex(value.data[i + 2]));
            i += 2;
        }
        write_u8(out, c);
    }
}

enum { SEGMENTS = 10 };

/* The boundary parameter, RFC 2231 continuations joined, appended to `boundaries`; its size, 0 for none. */
static size_t write_boundary(mime_scanner *s, reader v)
{
    size_t offset[SEGMENTS] = {0}, size[SEGMENTS] = {0}, start = s->boundaries.size, n = 0;
    bool known[SEGMENTS] = {false}, extended[SEGMENTS] = {false}, plain = false;
    reader name, value;
    int i;
    s->scratch.size = 0;
    while (!plain && next_parameter(s, &v, &name, &value)) {
        if (same(name.data, name.size, "boundary") && value.size) {
            write_bytes(&s->boundaries, value.data, value.size);
            plain = true;
        } else if (name.size > 8 && same(name.data, 9, "boundary*")) {
            bool star = name.size > 9 && name.data[name.size - 1] == '*';
            size_t digits = name.size - 9 - star;
            int k = digits == 1 ? name.data[9] - '0' : name.size == 9 ? 0 : -1;
            if (k >= 0 && k < SEGMENTS && !known[k]) {
                known[k] = true;
                extended[k] = star || name.size == 9;
                offset[k] = (size_t)(value.data - s->scratch.data);
                size[k] = value.size;
            }
        }
    }
    for (i = 0; !plain && i < SEGMENTS && known[i] && !s->scratch.failed; i++) {
        reader segment = reader_of(s->scratch.data + offset[i], size[i]);
        if (segment.size == 0)
            continue;
        if (extended[i])
            write_extended(&s->boundaries, segment, i == 0);
        else
            write_bytes(&s->boundaries, segment.data, segment.size);
    }
    if (s->boundaries.failed)
        return 0;
    n = s->boundaries.size - start;
    while (n && is_space(s->boundaries.data[start + n - 1]))
        n--;
    if (n > MIME_MAX_BOUNDARY)
        n = 0;
    s->boundaries.size = start + n;
    return n;
}

/* Find the first of each content field in the kept header, trimmed. */
static void find_fields(mime_scanner *s, reader *found)
{
    const uint8_t *p = s->header.data, *end = p + s->header.size;
    memset(found, 0, CONTENT_FIELDS * sizeof *found);
    if (s->header.size > sizeof BOM && memcmp(p, BOM, sizeof BOM) == 0)
        p += sizeof BOM;
    while (p < end) {
        const uint8_t *colon, *stop = p, *name_end;
        int k;
        do { /* to the end of the field: the line end that no continuation follows */
            stop = (const uint8_t *)memchr(stop, s->eol, (size_t)(end - stop));
            stop = stop ? stop + 1 : end;
        } while (stop < end && (*stop == ' ' || *stop == '\t'));
        if (stop - p > 8 && same(p, 8, "content-")) {
            colon = (const uint8_t *)memchr(p, ':', (size_t)(stop - p));
            name_end = colon;
            while (colon && name_end > p && is_space(name_end[-1]))
                name_end--;
            for (k = 0; colon && k < CONTENT_FIELDS; k++) {
                if (found[k].data == NULL && name_end - p > 8 && same(p + 8, (size_t)(name_end - p - 8), FIELD_NAMES[k])) {
                    const uint8_t *a = colon + 1, *b = stop;
                    while (a < b && is_space(*a))
                        a++;
                    while (b > a && is_space(b[-1]))
                        b--;
                    found[k] = reader_of(a, (size_t)(b - a));
                }
            }
        }
        p = stop;
    }
}

static void keep_fields(mime_scanner *s, part *p, const reader *found)
{
    uint8_t mask = 0;
    size_t mask_at = s->kept.size;
    int k;
    p->fields = mask_at;
    write_u8(&s->kept, 0);
    for (k = 0; k < CONTENT_FIELDS; k++) {
        size_t size = found[k].size;
        if (found[k].data == NULL)
            continue;
        if (size > s->limits.value_bytes) {
            size = (size_t)s->limits.value_bytes;
            p->findings |= MIME_HEADER_LIMIT;
        }
        if (size > s->budget) {
            p->findings |= MIME_HEADER_LIMIT;
            continue;
        }
        s->budget -= size;
        mask |= (uint8_t)(1 << k);
        write_varint(&s->kept, size);
        write_bytes(&s->kept, found[k].data, size);
    }
    if (!s->kept.failed)
        s->kept.data[mask_at] = mask;
    p->fields_size = s->kept.size - mask_at;
}

/* RFC 2045 6.4: only the identity encodings may stand on a message; a coded one is a leaf. */
static bool is_coded(reader encoding)
{
    static const char *const CODED[] = {"base64", "quoted-printable", "uuencode", "x-uuencode", "x-uue", "uue"};
    size_t end, k;
    if (encoding.data == NULL)
        return false;
    skip_space(&encoding);
    end = token_end(&encoding);
    for (k = 0; k < sizeof CODED / sizeof *CODED; k++)
        if (same(encoding.data + encoding.pos, end - encoding.pos, CODED[k]))
            return true;
    return false;
}

/* What a header makes of its part; for a multipart the boundary is appended to `boundaries`. */
static enum kind classify_type(mime_scanner *s, part *p, frame *f, const reader *found)
{
    reader v = found[CONTENT_TYPE], type, subtype;
    bool message;
    size_t end;
    f->boundary = s->boundaries.size;
    if (v.data == NULL) { /* RFC 2046 5.1.5 */
        message = p->parent && s->frames[s->depth - 2].digest;
    } else {
        skip_space(&v);
        end = token_end(&v);
        type = reader_of(v.data + v.pos, end - v.pos);
        v.pos = end;
        skip_space(&v);
        if (type.size == 0 || v.pos >= v.size || v.data[v.pos] != '/') {
            p->findings |= MIME_BAD_TYPE;
            return LEAF;
        }
        v.pos++;
        skip_space(&v);
        end = token_end(&v);
        subtype = reader_of(v.data + v.pos, end - v.pos);
        v.pos = end;
        if (subtype.size == 0) {
            p->findings |= MIME_BAD_TYPE;
            return LEAF;
        }
        if (same(type.data, type.size, "multipart")) {
            f->digest = same(subtype.data, subtype.size, "digest");
            f->boundary_size = write_boundary(s, v);
            if (f->boundary_size)
                return MULTIPART;
            p->findings |= MIME_NO_BOUNDARY;
            return LEAF;
        }
        message = same(type.data, type.size, "message")
            && (same(subtype.data, subtype.size, "rfc822") || same(subtype.data, subtype.size, "global"));
    }
    if (message && is_coded(found[CONTENT_ENCODING])) {
        p->findings |= MIME_ENCODED_MESSAGE;
        return LEAF;
    }
    return message ? MESSAGE : LEAF;
}

/* ---- parts --------------------------------------------------------------------------------------------- */

static void open_part(mime_scanner *s, bool message)
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
static void close_part(mime_scanner *s, uint64_t *end, uint64_t *lines)
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
static void end_header(mime_scanner *s, uint64_t body_start, uint64_t lines, bool expand)
{
    frame *f = &s->frames[s->depth - 1];
    part *p = &s->parts[f->part];
    reader found[CONTENT_FIELDS];
    find_fields(s, found);
    keep_fields(s, p, found);
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
    p->kind = (uint8_t)classify_type(s, p, f, found);
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
        open_part(s, true);
}

/* Which frame's delimiter the held line is, or -1. */
static int match_boundary(const mime_scanner *s, bool *closing, bool *loose)
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
static void meet_boundary(mime_scanner *s, int k, bool closing, bool loose)
{
    uint64_t end = s->line_offset - s->line_term;
    uint64_t lines = s->line_count - (s->line_term ? 1 : 0);
    frame *f = &s->frames[k];
    part *p;
    while ((int)s->depth - 1 > k)
        close_part(s, &end, &lines);
    p = &s->parts[f->part];
    if (loose)
        p->findings |= MIME_LOOSE_BOUNDARY;
    attribute(s, f->part, false);
    s->opening = false;
    if (closing)
        forget_boundary(s, f);
    else if (s->count >= s->limits.parts)
        p->findings |= MIME_PARTS_LIMIT;
    else
        s->opening = true;
    s->state = SKIP;
}

static void end_skip(mime_scanner *s)
{
    s->state = BODY;
    s->at_start = true;
    s->hold_size = 0;
    if (s->opening)
        open_part(s, false);
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static bool is_field(const uint8_t *p, size_t n)
{
    const uint8_t *colon = (const uint8_t *)memchr(p, ':', n);
    size_t i, size = colon ? (size_t)(colon - p) : 0;
    while (size && (p[size - 1] == ' ' || p[size - 1] == '\t')) /* RFC 5322 4.5 */
        size--;
    for (i = 0; i < size; i++)
        if (p[i] <= 0x20 || p[i] == 0x7f)
            return false;
    return size > 0;
}

static bool is_from_line(const uint8_t *p, size_t n)
{
    if (n >= sizeof BOM && memcmp(p, BOM, sizeof BOM) == 0) {
        p += sizeof BOM;
        n -= sizeof BOM;
    }
    return (n >= 5 && memcmp(p, "From ", 5) == 0) || (n >= 6 && memcmp(p, ">From ", 6) == 0);
}

static void drop_line(mime_scanner *s) { s->header.size = s->header_line; }

/* A body line was held to its end (or to MIME_HOLD bytes). ended: the line end is among them. */
static void judge_body_line(mime_scanner *s, bool ended)
{
    bool closing = false, loose = false;
    int k = match_boundary(s, &closing, &loose);
    if (k >= 0) {
        meet_boundary(s, k, closing, loose);
        if (ended)
            end_skip(s);
        return;
    }
    attribute(s, s->frames[s->depth - 1].part, false);
    s->at_start = ended;
    s->hold_size = 0;
}

/* The body began where the doubt did, and the held line is a line of it. */
static void begin_body_at_doubt(mime_scanner *s)
{
    uint64_t offset = s->doubt_offset, count = s->doubt_count;
    size_t held = s->hold_size;
    drop_line(s);
    current(s)->findings |= MIME_MISSING_SEPARATOR;
    end_header(s, offset, count, true);
    if (!s->failed && s->state == HEADER) { /* an embedded message without a header */
        current(s)->header_start = offset;
        current(s)->findings |= MIME_MISSING_SEPARATOR;
        end_header(s, offset, count, true);
    }
    s->hold_size = held;
}

/* A header line is complete; ended: it has a line end. */
static void judge_header_line(mime_scanner *s, bool ended)
{
    bool closing = false, loose = false, again;
    size_t n = s->hold_size;
    int k;
    if (n && s->hold[n - 1] == s->eol)
        n--;
    if (n && n < s->hold_size && s->eol == '\n' && s->hold[n - 1] == '\r')
        n--;
    s->in_line = false;
    if (s->in_doubt) {
        if (n && (s->hold[0] == ' ' || s->hold[0] == '\t')) {
            drop_line(s);
            return;
        }
        if (!is_field(s->hold, n) || match_boundary(s, &closing, &loose) >= 0) {
            begin_body_at_doubt(s);
            if (!s->failed)
                judge_body_line(s, ended);
            return;
        }
        s->in_doubt = false;
        current(s)->findings |= MIME_BAD_LINE;
    }
    do {
        uint32_t index = s->frames[s->depth - 1].part;
        part *p = &s->parts[index];
        again = false;
        if (n == 0) {
            drop_line(s);
            attribute(s, index, true);
            end_header(s, s->offset, lines_so_far(s), true);
        } else if ((k = match_boundary(s, &closing, &loose)) >= 0) {
            drop_line(s);
            p->findings |= MIME_MISSING_SEPARATOR;
            end_header(s, s->line_offset, s->line_count, false);
            meet_boundary(s, k, closing, loose);
            if (ended)
                end_skip(s);
        } else if (s->hold[0] == ' ' || s->hold[0] == '\t') {
            if (s->header_fields == 0) {
                p->findings |= MIME_STRAY_CONTINUATION;
                drop_line(s);
            }
            s->first_line = false;
            attribute(s, index, true);
        } else if (is_field(s->hold, n)) {
            if (s->header_fields < UINT32_MAX)
                s->header_fields++;
            if (s->header_fields > s->limits.fields) {
                p->findings |= MIME_HEADER_LIMIT;
                s->keeping = false;
                drop_line(s);
            }
            s->first_line = false;
            attribute(s, index, true);
        } else if (s->first_line && p->message && is_from_line(s->hold, n)) {
            p->findings |= MIME_MBOX_FROM;
            drop_line(s);
            s->first_line = false;
            attribute(s, index, true);
        } else if (s->header_fields && !(n >= 2 && s->hold[0] == '-' && s->hold[1] == '-')) {
            drop_line(s);
            s->in_doubt = true;
            s->doubt_offset = s->line_offset;
            s->doubt_count = s->line_count;
        } else {
            size_t held = s->hold_size;
            drop_line(s);
            p->findings |= MIME_MISSING_SEPARATOR;
            end_header(s, s->line_offset, s->line_count, true);
            s->hold_size = held;
            if (s->failed)
                return;
            if (s->state == HEADER) { /* an embedded message begins with this very line */
                s->parts[s->count - 1].header_start = s->line_offset;
                again = true;
            } else {
                judge_body_line(s, ended);
            }
        }
    } while (again);
}

static const uint8_t *feed_header(mime_scanner *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *q = (const uint8_t *)memchr(p, s->eol, (size_t)(end - p));
    size_t n = (size_t)((q ? q + 1 : end) - p);
    if (!s->in_line) {
        mark_line(s);
        s->in_line = true;
        s->header_line = s->header.size;
    }
    hold(s, p, n);
    if (s->keeping && n > s->limits.header_bytes - s->header.size) {
        s->keeping = false;
        drop_line(s);
        current(s)->findings |= MIME_HEADER_LIMIT;
    }
    if (s->keeping)
        write_bytes(&s->header, p, n);
    consume(s, p, n);
    if (q)
        judge_header_line(s, true);
    return p + n;
}

static const uint8_t *feed_body(mime_scanner *s, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *q;
    size_t n;
    if (s->active == 0) {
        consume(s, p, (size_t)(end - p));
        return end;
    }
    if (s->at_start && (s->hold_size || *p == '-')) {
        size_t room = MIME_HOLD - s->hold_size;
        if (s->hold_size == 0) {
            attribute(s, s->frames[s->depth - 1].part, false);
            mark_line(s);
        }
        n = (size_t)(end - p) < room ? (size_t)(end - p) : room;
        q = (const uint8_t *)memchr(p, s->eol, n);
        if (q)
            n = (size_t)(q + 1 - p);
        hold(s, p, n);
        consume(s, p, n);
        if (q || s->hold_size == MIME_HOLD)
            judge_body_line(s, q != NULL);
        return p + n;
    }
    q = find_candidate(p, end, s->eol);
    consume(s, p, (size_t)(q - p));
    s->at_start = s->prev == s->eol;
    s->hold_size = 0;
    return q;
}

/* ---- the interface ------------------------------------------------------------------------------------- */

enum { CHUNK = 32768 }; /* so that the bytes are still in the first cache when they are counted */

/* From here on nothing was read yet. */
static void begin(mime_scanner *s)
{
    s->budget = s->limits.kept_bytes;
    s->kept.size = s->messages.size = s->boundaries.size = 0;
    s->offset = s->n_lf = s->n_cr = s->n_crlf = 0;
    s->prev = s->prev2 = 0;
    s->seen = 0;
    s->count = s->depth = s->active = 0;
    memset(s->first, 0, sizeof s->first);
    open_part(s, true);
}

mime_scanner *mime_new(const mime_limits *limits)
{
    mime_scanner *s = (mime_scanner *)calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->limits = *limits;
    s->eol = '\n';
    s->frames = (frame *)calloc((size_t)limits->depth + 2, sizeof *s->frames);
    write_reserve(&s->scratch, 1); /* so that pointers into it are never null */
    if (s->frames)
        begin(s);
    if (s->frames == NULL || s->failed || s->scratch.failed) {
        mime_free(s);
        return NULL;
    }
    return s;
}

void mime_free(mime_scanner *s)
{
    if (s == NULL)
        return;
    writer_free(&s->header);
    writer_free(&s->kept);
    writer_free(&s->messages);
    writer_free(&s->boundaries);
    writer_free(&s->scratch);
    free(s->frames);
    free(s->parts);
    free(s);
}

static bool is_failed(const mime_scanner *s)
{
    return s->failed || s->header.failed || s->kept.failed || s->messages.failed || s->boundaries.failed
        || s->scratch.failed;
}

bool mime_feed(mime_scanner *s, const uint8_t *data, size_t size)
{
    const uint8_t *p = data, *all = data + size;
    if (size == 0)
        return !is_failed(s);
    if (s->finished || size > ((uint64_t)1 << 62) - s->offset)
        return false;
    while (p < all && !is_failed(s)) {
        const uint8_t *end = all - p > CHUNK ? p + CHUNK : all;
        while (p < end && !is_failed(s)) {
            if (s->state == HEADER) {
                p = feed_header(s, p, end);
            } else if (s->state == BODY) {
                p = feed_body(s, p, end);
            } else {
                const uint8_t *q = (const uint8_t *)memchr(p, s->eol, (size_t)(end - p));
                size_t n = (size_t)((q ? q + 1 : end) - p);
                consume(s, p, n);
                if (q) {
                    attribute(s, s->frames[s->depth - 1].part, false);
                    end_skip(s);
                }
                p += n;
            }
        }
    }
    return !is_failed(s);
}

static void write_table(const mime_scanner *s, uint32_t findings, writer *out)
{
    uint64_t previous = 0;
    uint32_t i;
    write_u8(out, MIME_VERSION);
    write_varint(out, s->offset);
    write_varint(out, lines_so_far(s));
    write_varint(out, findings);
    write_varint(out, s->count);
    for (i = 0; i < s->count; i++) {
        const part *p = &s->parts[i];
        write_varint(out, p->parent);
        write_u8(out, p->kind);
        write_varint(out, p->findings);
        write_varint(out, p->header_start - previous);
        write_varint(out, p->body_start - p->header_start);
        write_varint(out, p->body_end - p->body_start);
        write_varint(out, p->lines);
        write_bytes(out, s->kept.data + p->fields, p->fields_size);
        previous = p->header_start;
    }
}

/* A message without a single LF that was kept whole as a header: read it again with CR as line end. */
static bool reread_with_cr(mime_scanner *s)
{
    writer whole = s->header;
    uint64_t size = s->offset;
    bool good;
    memset(&s->header, 0, sizeof s->header);
    s->eol = '\r';
    begin(s);
    s->parts[0].findings |= MIME_CR_LINES;
    good = mime_feed(s, whole.data, (size_t)size);
    writer_free(&whole);
    return good;
}

bool mime_finish(mime_scanner *s, writer *table, writer *headers)
{
    uint32_t findings = 0, i;
    uint64_t end, lines;
    if (s->finished || is_failed(s))
        return false;
    if (s->n_lf == 0 && s->n_cr && s->header.size == s->offset && s->state == HEADER && !reread_with_cr(s))
        return false;
    if (s->state == HEADER && s->in_line)
        judge_header_line(s, false);
    else if (s->state == BODY && s->at_start && s->hold_size)
        judge_body_line(s, false);
    if (is_failed(s))
        return false;
    if (s->state == HEADER && s->in_doubt) {
        s->header_line = s->header.size;
        begin_body_at_doubt(s);
        if (is_failed(s))
            return false;
    }
    if (s->state == HEADER)
        end_header(s, s->offset, lines_so_far(s), false);
    attribute(s, s->frames[s->depth - 1].part, false);
    end = s->offset;
    lines = lines_so_far(s);
    while (s->depth)
        close_part(s, &end, &lines);
    s->finished = true;
    if (s->n_lf > s->n_crlf)
        findings |= MIME_BARE_LF;
    if (s->n_cr > s->n_crlf)
        findings |= MIME_BARE_CR;
    for (i = 0; i < s->count; i++)
        findings |= s->parts[i].findings;
    if (is_failed(s))
        return false;
    write_table(s, findings, table);
    write_bytes(headers, s->messages.data, s->messages.size);
    return !table->failed && !headers->failed;
}
