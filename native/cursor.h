/* Bounds-checked cursors for every native codec: one to read foreign bytes, one to build new ones.
 *
 * Invariants: a reader never moves past its end and never dereferences beyond it; the first failure sticks
 * (`failed`), later reads give zeros and do not move, so that a decoder may check once after a group of
 * fields. `pos` then stands where the failing read began. A writer owns its memory; a failed allocation or
 * an overflow of size_t sticks in `failed`, later writes do nothing. Sizes are bytes.
 * Nothing here needs Python.h. */
#ifndef SATCHEL_CURSOR_H
#define SATCHEL_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *data;
    size_t size;
    size_t pos;
    bool failed;
} reader;

static inline reader reader_of(const void *data, size_t size)
{
    reader r = {(const uint8_t *)data, size, 0, false};
    return r;
}

static inline size_t reader_left(const reader *r) { return r->failed ? 0 : r->size - r->pos; }

/* The next n bytes, or NULL (and the sticky failure) if fewer are left. n = 0 gives a pointer not to be read. */
static inline const uint8_t *read_bytes(reader *r, size_t n)
{
    const uint8_t *at;
    if (r->failed || n > r->size - r->pos) {
        r->failed = true;
        return NULL;
    }
    at = r->data + r->pos;
    r->pos += n;
    return at;
}

static inline uint8_t read_u8(reader *r)
{
    const uint8_t *p = read_bytes(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t read_u16le(reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

static inline uint32_t read_u32le(reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

static inline uint64_t read_u64le(reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    uint64_t v = 0;
    int i;
    if (p)
        for (i = 7; i >= 0; i--)
            v = v << 8 | p[i];
    return v;
}

static inline uint16_t read_u16be(reader *r)
{
    const uint8_t *p = read_bytes(r, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t read_u32be(reader *r)
{
    const uint8_t *p = read_bytes(r, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3] : 0;
}

static inline uint64_t read_u64be(reader *r)
{
    const uint8_t *p = read_bytes(r, 8);
    uint64_t v = 0;
    int i;
    if (p)
        for (i = 0; i < 8; i++)
            v = v << 8 | p[i];
    return v;
}

/* An unsigned LEB128 number of at most 64 bits; longer forms fail. */
static inline uint64_t read_varint(reader *r)
{
    size_t start = r->pos;
    uint64_t v = 0;
    unsigned shift = 0;
    for (;;) {
        uint8_t b = read_u8(r);
        if (r->failed || (shift == 63 && b > 1)) {
            r->failed = true;
            r->pos = start;
            return 0;
        }
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
        shift += 7;
    }
}

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} writer;

static inline void writer_free(writer *w)
{
    free(w->data);
    memset(w, 0, sizeof *w);
}

/* Room for n more bytes at the end, counted as written; NULL (and the sticky failure) if there is none. */
static inline uint8_t *write_reserve(writer *w, size_t n)
{
    uint8_t *at;
    if (w->failed)
        return NULL;
    if (w->data == NULL || n > w->capacity - w->size) {
        size_t need, grown;
        uint8_t *data;
        if (n > SIZE_MAX / 2 - w->size) {
            w->failed = true;
            return NULL;
        }
        need = w->size + n;
        grown = w->capacity < 1024 ? 1024 : w->capacity;
        while (grown < need)
            grown += grown / 2;
        data = (uint8_t *)realloc(w->data, grown);
        if (data == NULL) {
            w->failed = true;
            return NULL;
        }
        w->data = data;
        w->capacity = grown;
    }
    at = w->data + w->size;
    w->size += n;
    return at;
}

static inline void write_bytes(writer *w, const void *data, size_t n)
{
    uint8_t *at;
    if (n == 0)
        return;
    at = write_reserve(w, n);
    if (at)
        memcpy(at, data, n);
}

static inline void write_u8(writer *w, uint8_t v) { write_bytes(w, &v, 1); }

static inline void write_uintle(writer *w, uint64_t v, unsigned bytes)
{
    uint8_t *at = write_reserve(w, bytes);
    unsigned i;
    if (at)
        for (i = 0; i < bytes; i++)
            at[i] = (uint8_t)(v >> 8 * i);
}

static inline void write_uintbe(writer *w, uint64_t v, unsigned bytes)
{
    uint8_t *at = write_reserve(w, bytes);
    unsigned i;
    if (at)
        for (i = 0; i < bytes; i++)
            at[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

static inline void write_u16le(writer *w, uint16_t v) { write_uintle(w, v, 2); }
static inline void write_u32le(writer *w, uint32_t v) { write_uintle(w, v, 4); }
static inline void write_u64le(writer *w, uint64_t v) { write_uintle(w, v, 8); }

static inline void write_varint(writer *w, uint64_t v)
{
    uint8_t buffer[10];
    size_t n = 0;
    do {
        buffer[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v);
    write_bytes(w, buffer, n);
}

#endif
