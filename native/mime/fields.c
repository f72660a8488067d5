/* The content fields of a header: finding, keeping, and what they make of a part (RFC 2045, RFC 2231). */
#include "scanner.h"

static const char *const FIELD_NAMES[CONTENT_FIELDS] = {
    "type", "transfer-encoding", "id", "description", "disposition", "language", "location", "md5",
};

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
void fields_find(mime_scanner *s, reader *found)
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

void fields_keep(mime_scanner *s, part *p, const reader *found)
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
enum kind fields_classify(mime_scanner *s, part *p, frame *f, const reader *found)
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
