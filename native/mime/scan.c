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
#include "scanner.h"

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

void scan_attribute(mime_scanner *s, uint32_t index, bool header)
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
    int k = part_match(s, &closing, &loose);
    if (k >= 0) {
        part_meet(s, k, closing, loose);
        if (ended)
            part_end_skip(s);
        return;
    }
    scan_attribute(s, s->frames[s->depth - 1].part, false);
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
    part_end_header(s, offset, count, true);
    if (!s->failed && s->state == HEADER) { /* an embedded message without a header */
        current(s)->header_start = offset;
        current(s)->findings |= MIME_MISSING_SEPARATOR;
        part_end_header(s, offset, count, true);
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
        if (!is_field(s->hold, n) || part_match(s, &closing, &loose) >= 0) {
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
            scan_attribute(s, index, true);
            part_end_header(s, s->offset, lines_so_far(s), true);
        } else if ((k = part_match(s, &closing, &loose)) >= 0) {
            drop_line(s);
            p->findings |= MIME_MISSING_SEPARATOR;
            part_end_header(s, s->line_offset, s->line_count, false);
            part_meet(s, k, closing, loose);
            if (ended)
                part_end_skip(s);
        } else if (s->hold[0] == ' ' || s->hold[0] == '\t') {
            if (s->header_fields == 0) {
                p->findings |= MIME_STRAY_CONTINUATION;
                drop_line(s);
            }
            s->first_line = false;
            scan_attribute(s, index, true);
        } else if (is_field(s->hold, n)) {
            if (s->header_fields < UINT32_MAX)
                s->header_fields++;
            if (s->header_fields > s->limits.fields) {
                p->findings |= MIME_HEADER_LIMIT;
                s->keeping = false;
                drop_line(s);
            }
            s->first_line = false;
            scan_attribute(s, index, true);
        } else if (s->first_line && p->message && is_from_line(s->hold, n)) {
            p->findings |= MIME_MBOX_FROM;
            drop_line(s);
            s->first_line = false;
            scan_attribute(s, index, true);
        } else if (s->header_fields && !(n >= 2 && s->hold[0] == '-' && s->hold[1] == '-')) {
            drop_line(s);
            s->in_doubt = true;
            s->doubt_offset = s->line_offset;
            s->doubt_count = s->line_count;
        } else {
            size_t held = s->hold_size;
            drop_line(s);
            p->findings |= MIME_MISSING_SEPARATOR;
            part_end_header(s, s->line_offset, s->line_count, true);
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
            scan_attribute(s, s->frames[s->depth - 1].part, false);
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
    part_open(s, true);
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
                    scan_attribute(s, s->frames[s->depth - 1].part, false);
                    part_end_skip(s);
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
        part_end_header(s, s->offset, lines_so_far(s), false);
    scan_attribute(s, s->frames[s->depth - 1].part, false);
    end = s->offset;
    lines = lines_so_far(s);
    while (s->depth)
        part_close(s, &end, &lines);
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
