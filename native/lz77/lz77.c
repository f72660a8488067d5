/* See lz77.h. The readable twin is appliance/formats/lz77/reference.py; both give the same bytes. */
#include "lz77.h"

enum { LITERAL = 0, NONE = -1 };

/* MS-XCA 2.4.4: a length in 3, 4, 8, 16 or 32 bits; *half is 1 + the place of a shared byte, 0 without. */
static lz77_status read_length(reader *r, unsigned low, size_t *half, size_t *length)
{
    size_t n = low;
    if (n == 7) {
        if (*half) {
            n = r->data[*half - 1] >> 4;
            *half = 0;
        } else {
            *half = r->pos + 1;
            n = read_u8(r) & 15;
        }
        if (n == 15) {
            n = read_u8(r);
            if (n == 255) {
                size_t at = r->pos;
                n = read_u16le(r);
                if (n == 0)
                    n = read_u32le(r);
                if (!r->failed && n < 22) {
                    r->pos = at;
                    return LZ77_LENGTH;
                }
                n = (n > INT32_MAX ? INT32_MAX : n) - 22; /* longer than any data either way */
            }
            n += 15;
        }
        n += 7;
    }
    *length = n + LZ77_MIN;
    return r->failed ? LZ77_SHORT : LZ77_GOOD;
}

lz77_status lz77_decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t size, size_t *where)
{
    reader r = reader_of(in, in_size);
    size_t at = 0, half = 0;
    uint32_t flags = 0;
    unsigned left = 0;
    while (at < size) {
        size_t start, length, offset, i;
        lz77_status status;
        unsigned meta;
        if (left == 0) {
            flags = read_u32le(&r);
            left = 32;
        }
        left--;
        start = r.pos;
        if ((flags >> left & 1) == LITERAL) {
            out[at] = read_u8(&r);
            if (r.failed) {
                *where = r.pos;
                return LZ77_SHORT;
            }
            at++;
            continue;
        }
        meta = read_u16le(&r);
        offset = (meta >> 3) + 1;
        status = read_length(&r, meta & 7, &half, &length);
        if (status != LZ77_GOOD) {
            *where = r.pos;
            return status;
        }
        if (offset > at || length > size - at) {
            *where = start;
            return offset > at ? LZ77_OFFSET : LZ77_LONG;
        }
        for (i = 0; i < length; i++, at++)
            out[at] = out[at - offset];
    }
    *where = r.pos;
    /* What may follow: a group of flags for items that do not come. */
    return reader_left(&r) == 0 || (left == 0 && reader_left(&r) == 4) ? LZ77_GOOD : LZ77_REST;
}

typedef struct {
    writer *out;
    size_t flags_at; /* place of the present group of flags */
    uint32_t flags;
    unsigned count;
    size_t half; /* 1 + the place of a half-filled byte of lengths, 0 without */
} packer;

static void put_u32_at(writer *out, size_t at, uint32_t v)
{
    if (!out->failed) {
        out->data[at] = (uint8_t)v;
        out->data[at + 1] = (uint8_t)(v >> 8);
        out->data[at + 2] = (uint8_t)(v >> 16);
        out->data[at + 3] = (uint8_t)(v >> 24);
    }
}

static void put_bytes(writer *out, uint32_t v, unsigned n)
{
    uint8_t *p = write_reserve(out, n);
    for (; p && n; n--, v >>= 8)
        *p++ = (uint8_t)v;
}

static void open_group(packer *p)
{
    p->flags_at = p->out->size;
    p->flags = 0;
    p->count = 0;
    put_bytes(p->out, 0, 4);
}

static void put_flag(packer *p, uint32_t flag)
{
    p->flags = p->flags << 1 | flag;
    if (++p->count == 32) {
        put_u32_at(p->out, p->flags_at, p->flags);
        open_group(p);
    }
}

/* MS-XCA 2.3.4. */
static void put_match(packer *p, size_t offset, size_t length)
{
    size_t n = length - LZ77_MIN;
    uint32_t meta = (uint32_t)(offset - 1) << 3;
    put_bytes(p->out, meta | (uint32_t)(n < 7 ? n : 7), 2);
    if (n >= 7) {
        uint8_t nibble = (uint8_t)(n - 7 < 15 ? n - 7 : 15);
        if (p->half == 0) {
            p->half = p->out->size + 1;
            put_bytes(p->out, nibble, 1);
        } else {
            if (!p->out->failed)
                p->out->data[p->half - 1] |= (uint8_t)(nibble << 4);
            p->half = 0;
        }
        if (nibble == 15) {
            if (n - 22 < 255) {
                put_bytes(p->out, (uint32_t)(n - 22), 1);
            } else {
                put_bytes(p->out, 255, 1);
                put_bytes(p->out, n <= 0xffff ? (uint32_t)n : 0, 2);
                if (n > 0xffff)
                    put_bytes(p->out, (uint32_t)n, 4);
            }
        }
    }
    put_flag(p, 1);
}

static uint32_t hash_at(const uint8_t *p)
{
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    return v * 2654435761u >> (32 - LZ77_HASH_BITS);
}

typedef struct {
    int64_t head[1 << LZ77_HASH_BITS]; /* the newest position of each hash, or NONE */
    int64_t prev[LZ77_WINDOW];         /* the one before each position of the window */
} chains;

static void remember(chains *c, const uint8_t *in, size_t size, size_t at)
{
    uint32_t h;
    if (size - at < LZ77_MIN)
        return;
    h = hash_at(in + at);
    c->prev[at % LZ77_WINDOW] = c->head[h];
    c->head[h] = (int64_t)at;
}

/* The longest match at `at`, of equal ones the nearest. 0: none. */
static size_t find(const chains *c, const uint8_t *in, size_t size, size_t at, size_t *offset)
{
    size_t best = 0, most = size - at;
    int64_t place;
    int tries;
    if (most < LZ77_MIN)
        return 0;
    place = c->head[hash_at(in + at)];
    for (tries = 0; tries < LZ77_CHAIN && place != NONE && at - (size_t)place <= LZ77_WINDOW; tries++) {
        const uint8_t *p = in + place;
        size_t n = 0;
        while (n < most && p[n] == in[at + n])
            n++;
        if (n > best) {
            best = n;
            *offset = at - (size_t)place;
            if (n == most)
                break;
        }
        /* The oldest place of the window shares its slot with `at`, which is not yet remembered. */
        place = c->prev[(size_t)place % LZ77_WINDOW];
    }
    return best >= LZ77_MIN ? best : 0;
}

bool lz77_compress(const uint8_t *in, size_t in_size, writer *out)
{
    packer p = {out, 0, 0, 0, 0};
    chains *c = (chains *)malloc(sizeof *c);
    size_t at = 0, i;
    if (c == NULL)
        return false;
    memset(c, 0xff, sizeof *c); /* NONE everywhere */
    open_group(&p);
    while (at < in_size) {
        size_t offset = 0, length = find(c, in, in_size, at, &offset);
        if (length) {
            put_match(&p, offset, length);
        } else {
            length = 1;
            put_bytes(out, in[at], 1);
            put_flag(&p, LITERAL);
        }
        for (i = 0; i < length; i++)
            remember(c, in, in_size, at + i);
        at += length;
    }
    /* The flags that are left are ones: a match where the input ends is the end (MS-XCA 2.3.4). */
    put_u32_at(out, p.flags_at, p.count ? p.flags << (32 - p.count) | (UINT32_MAX >> p.count) : UINT32_MAX);
    free(c);
    return !out->failed;
}

void lz77_obfuscate(const uint8_t *in, size_t size, uint8_t *out)
{
    size_t i;
    for (i = 0; i < size; i++)
        out[i] = in[i] ^ 0xa5;
}
