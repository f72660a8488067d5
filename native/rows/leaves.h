/* The rows of an arrangement: a sorted array of (key, id, instance), the keys in one buffer.
 *
 * A key's first `levels` parts are categories; where each ends stands behind the key. Entries are in order
 * after `leaves_sort` and stay so under insert and forget. Bytes of forgotten keys are given back when they
 * are more than half of the buffer. */
#ifndef SATCHEL_LEAVES_H
#define SATCHEL_LEAVES_H

#include "../cursor.h"

typedef struct {
    uint64_t head; /* the key's first 8 bytes, so that most comparisons end here */
    uint64_t id;
    size_t at; /* of the key in the buffer */
    uint32_t size;
    uint32_t instance; /* shifted left by one; the lowest bit: unread */
} leaf;

typedef struct {
    leaf *entries;
    size_t count, capacity;
    writer keys;
    size_t waste; /* bytes of `keys` that nobody points to */
    unsigned levels;
} leaves;

void leaves_free(leaves *l);

/* At the end, without order. `ends` has `levels` numbers. False: memory is short. */
bool leaves_add(leaves *l, const uint8_t *key, size_t size, const uint32_t *ends, uint64_t id, uint32_t instance,
                bool unread);
bool leaves_sort(leaves *l);

/* How many entries stand before (key, id, instance); with `whole` false before every entry of the key. */
size_t leaves_position(const leaves *l, const uint8_t *key, size_t size, bool whole, uint64_t id, uint32_t instance);

/* As add, in its place. */
bool leaves_insert(leaves *l, const uint8_t *key, size_t size, const uint32_t *ends, uint64_t id, uint32_t instance,
                   bool unread);

/* Takes out the entries of `count` ids, which rise. */
void leaves_forget(leaves *l, const uint64_t *ids, size_t count);

static inline const uint8_t *leaf_key(const leaves *l, size_t index) { return l->keys.data + l->entries[index].at; }

uint32_t leaf_end(const leaves *l, size_t index, unsigned level);

/* Whether two entries are of one category at a level. */
bool leaves_same(const leaves *l, size_t one, size_t other, unsigned level);

#endif
