#include "lz4.h"

enum {
    MIN_MATCH = 4,
    LAST_LITERALS = 5,   /* the format: the last bytes of a block are literals, */
    LAST_MATCH = 12,     /* and no match begins later than this before its end */
    MATCH_COST = 3,      /* token and offset */
    CLOSE_LENGTHS = 32,  /* shorter forms of a match that are tried */
    SHORT_RUN = 32,
    INSIDE_BITS = 12, /* of the hash of places in the data */
};

static uint32_t hash_of(const uint8_t *p)
{
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return v * 2654435761u;
}

bool lz4_dictionary_make(lz4_dictionary *d, const uint8_t *data, size_t size)
{
    size_t at;
    memset(d, 0, sizeof *d);
    if (size > LZ4_DICTIONARY_MOST)
        return false;
    d->data = (uint8_t *)malloc(size + 1);
    d->last = (uint16_t *)malloc(sizeof(uint16_t) << LZ4_HASH_BITS);
    d->before = (uint16_t *)malloc(sizeof(uint16_t) * (size + 1));
    if (d->data == NULL || d->last == NULL || d->before == NULL) {
        lz4_dictionary_free(d);
        return false;
    }
    d->size = size;
    if (size)
        memcpy(d->data, data, size);
    memset(d->last, 0xFF, sizeof(uint16_t) << LZ4_HASH_BITS);
    for (at = 0; at + MIN_MATCH <= size; at++) {
        uint32_t hash = hash_of(d->data + at) >> (32 - LZ4_HASH_BITS);
        d->before[at] = d->last[hash];
        d->last[hash] = (uint16_t)at;
    }
    return true;
}

void lz4_dictionary_free(lz4_dictionary *d)
{
    free(d->data);
    free(d->last);
    free(d->before);
    memset(d, 0, sizeof *d);
}

/* What the compressor works on. Places count from the start of the dictionary, which `text` begins with. */
typedef struct {
    const lz4_dictionary *dictionary;
    uint8_t *text;
    size_t base, end; /* of the data in it */
    uint16_t *last;   /* as the dictionary's, of the data: 1 << INSIDE_BITS; places count from `base` */
    uint16_t *before;
    uint16_t *length; /* of the best match at each place of the data, 0 for none; then the length to take */
    uint16_t *offset;
    uint32_t *cost; /* of the rest from each place */
} parser;

static size_t same(const uint8_t *a, const uint8_t *b, size_t most)
{
    size_t n = 0;
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

/* The longest match at a place, the nearest of equals. Places of the data come first, then the dictionary's. */
static void find_match(parser *p, size_t at)
{
    const uint8_t *here = p->text + at;
    size_t most = p->end - LAST_LITERALS - at, best = MIN_MATCH - 1, i = at - p->base;
    uint32_t hash = hash_of(here), left = LZ4_DEPTH, link = p->last[hash >> (32 - INSIDE_BITS)];
    bool inside = true;
    for (; left > 0; left--) {
        size_t place, n;
        if (inside && link == LZ4_NONE) {
            inside = false;
            link = p->dictionary->last[hash >> (32 - LZ4_HASH_BITS)];
        }
        if (link == LZ4_NONE)
            break;
        place = inside ? p->base + link : link;
        if (at - place > LZ4_DICTIONARY_MOST)
            break; /* those before it lie further back */
        n = here[best] == p->text[place + best] ? same(here, p->text + place, most) : 0;
        if (n > best) {
            best = n;
            p->length[i] = (uint16_t)n;
            p->offset[i] = (uint16_t)(at - place);
            if (n >= LZ4_NICE || n == most)
                break;
        }
        link = inside ? p->before[link] : p->dictionary->before[link];
    }
}

static void find_matches(parser *p)
{
    size_t size = p->end - p->base, i, skip = 0;
    memset(p->last, 0xFF, sizeof(uint16_t) << INSIDE_BITS);
    for (i = 0; i + LAST_MATCH <= size; i++) {
        uint32_t hash = hash_of(p->text + p->base + i) >> (32 - INSIDE_BITS);
        if (skip)
            skip--;
        else
            find_match(p, p->base + i);
        if (p->length[i] >= LZ4_NICE)
            skip = p->length[i] - 1u;
        p->before[i] = p->last[hash];
        p->last[hash] = (uint16_t)i;
    }
}

static uint32_t length_cost(size_t length) { return length < 15 + MIN_MATCH ? 0 : 1 + (uint32_t)((length - 15 - MIN_MATCH) / 255); }

/* The cheapest way from each place to the end: a literal, or the match in the length that leads to the least. */
static void choose(parser *p)
{
    size_t i = p->end - p->base;
    p->cost[i] = 0;
    while (i-- > 0) {
        size_t longest = p->length[i], n, taken = 0;
        uint32_t least = 1 + p->cost[i + 1];
        for (n = longest; n >= MIN_MATCH; n--) {
            uint32_t cost = MATCH_COST + length_cost(n) + p->cost[i + n];
            if (cost < least) {
                least = cost;
                taken = n;
            }
            if (n > CLOSE_LENGTHS)
                n = CLOSE_LENGTHS + 1;
        }
        p->cost[i] = least;
        p->length[i] = (uint16_t)taken;
    }
}

static void write_length(writer *out, size_t rest)
{
    for (; rest >= 255; rest -= 255)
        write_u8(out, 255);
    write_u8(out, (uint8_t)rest);
}

static void write_sequence(writer *out, const uint8_t *literals, size_t count, size_t length, unsigned offset)
{
    size_t more = length ? length - MIN_MATCH : 0;
    write_u8(out, (uint8_t)((count < 15 ? count : 15) << 4 | (more < 15 ? more : 15)));
    if (count >= 15)
        write_length(out, count - 15);
    write_bytes(out, literals, count);
    if (length) {
        write_u16le(out, (uint16_t)offset);
        if (more >= 15)
            write_length(out, more - 15);
    }
}

static void emit(const parser *p, writer *out)
{
    const uint8_t *data = p->text + p->base;
    size_t size = p->end - p->base, at = 0, literals = 0;
    while (at < size) {
        if (p->length[at] == 0) {
            at++;
            continue;
        }
        write_sequence(out, data + literals, at - literals, p->length[at], p->offset[at]);
        at += p->length[at];
        literals = at;
    }
    write_sequence(out, data + literals, size - literals, 0, 0);
}

bool lz4_compress(const lz4_dictionary *d, const uint8_t *data, size_t size, writer *out)
{
    parser p = {d, NULL, d->size, d->size + size, NULL, NULL, NULL, NULL, NULL};
    size_t tables = (size_t)1 << INSIDE_BITS, places = size + 1;
    uint16_t *room;
    bool good;
    if (size > LZ4_BLOCK_MOST)
        return false;
    p.text = (uint8_t *)malloc(p.end + 1);
    p.cost = (uint32_t *)malloc(sizeof(uint32_t) * places);
    room = (uint16_t *)calloc(tables + 3 * places, sizeof(uint16_t));
    good = p.text != NULL && p.cost != NULL && room != NULL;
    if (good) {
        p.last = room;
        p.before = room + tables;
        p.length = p.before + places;
        p.offset = p.length + places;
        memcpy(p.text, d->data, d->size);
        if (size)
            memcpy(p.text + p.base, data, size);
        find_matches(&p);
        choose(&p);
        emit(&p, out);
        good = !out->failed;
    }
    free(p.text);
    free(p.cost);
    free(room);
    return good;
}

/* A length that goes on after its half byte. False at the end of the block. */
static bool read_length(const uint8_t *block, size_t size, size_t *at, size_t *length)
{
    uint8_t byte;
    do {
        if (*at >= size)
            return false;
        byte = block[(*at)++];
        *length += byte;
    } while (byte == 255);
    return true;
}

/* Copies n bytes. Where SHORT_RUN bytes may be read and written, as many as that: most runs are short, and a copy of
 * a size that the compiler knows takes a fraction of the time. */
static void copy_run(uint8_t *to, const uint8_t *from, size_t n, bool roomy)
{
    if (!roomy || n > SHORT_RUN) {
        if (n)
            memcpy(to, from, n);
        return;
    }
    memcpy(to, from, 16);
    if (n > 16)
        memcpy(to + 16, from + 16, 16);
}

/* A match of n bytes: what lies before the data comes from the dictionary. */
static void copy_match(const lz4_dictionary *d, uint8_t *out, size_t room, size_t made, size_t offset, size_t n)
{
    const uint8_t *from;
    if (offset >= made + SHORT_RUN && offset - made >= n) {
        copy_run(out + made, d->data + d->size - (offset - made), n, room - made >= SHORT_RUN);
        return;
    }
    if (offset > made) {
        size_t old = offset - made, head = old < n ? old : n;
        memcpy(out + made, d->data + d->size - old, head);
        made += head;
        n -= head;
        if (n == 0)
            return;
    }
    from = out + made - offset;
    if (offset >= n || (offset >= SHORT_RUN && n <= SHORT_RUN)) {
        copy_run(out + made, from, n, offset >= SHORT_RUN && room - made >= SHORT_RUN);
    } else {
        size_t i;
        for (i = 0; i < n; i++)
            out[made + i] = from[i];
    }
}

enum lz4_status lz4_decompress(const lz4_dictionary *d, const uint8_t *block, size_t block_size, uint8_t *out,
                               size_t room, size_t size, size_t wanted, size_t *where)
{
    size_t at = 0, made = 0;
    for (;;) {
        size_t literals, length, offset, start = at;
        uint8_t token;
        *where = at;
        if (at >= block_size)
            return LZ4_SHORT;
        token = block[at++];
        literals = token >> 4;
        length = (token & 15u) + MIN_MATCH;
        if (literals == 15 && !read_length(block, block_size, &at, &literals))
            return LZ4_SHORT;
        if (literals > block_size - at)
            return LZ4_SHORT;
        if (literals > size - made)
            return LZ4_LONG;
        if (literals >= wanted - made && wanted < size) {
            memcpy(out + made, block + at, wanted - made);
            return LZ4_GOOD;
        }
        copy_run(out + made, block + at, literals, block_size - at >= SHORT_RUN && room - made >= SHORT_RUN);
        made += literals;
        at += literals;
        *where = at;
        if (made == size)
            return at == block_size ? LZ4_GOOD : LZ4_REST;
        if (block_size - at < 2)
            return LZ4_SHORT;
        offset = (size_t)block[at] | (size_t)block[at + 1] << 8;
        if (offset == 0 || offset > made + d->size)
            return LZ4_OFFSET;
        at += 2;
        if ((token & 15) == 15 && !read_length(block, block_size, &at, &length))
            return LZ4_SHORT;
        *where = start;
        if (length >= size - made)
            return LZ4_LONG; /* a block ends in literals */
        if (length >= wanted - made) {
            copy_match(d, out, room, made, offset, wanted - made);
            return LZ4_GOOD;
        }
        copy_match(d, out, room, made, offset, length);
        made += length;
    }
}
